"""Owns the port to the user: the method that every message channel must have.

`algotrader.adapters.sns_notifier` implements it. Another channel needs another adapter, listed in
`notify.app`.
"""

from __future__ import annotations

from typing import Protocol


class Notifier(Protocol):
    """A channel that carries messages to the user."""

    def publish(self, subject: str, sms: str, email: str) -> None:
        """Send one message in the form that suits the channel.

        Parameters
        ----------
        subject : str
            One line of fewer than 100 ASCII characters.
        sms : str
            One line that fits in a GSM-7 segment.
        email : str
            Plain text of many lines.

        Raises
        ------
        Exception
            Any error of the channel. The run then fails and reports the failure.
        """
