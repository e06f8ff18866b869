"""Owns the port to the user: how a run's messages leave the desk.

`algotrader.adapters.sns_notifier` implements it. Another channel is another adapter, listed in
`notify.app`.
"""

from __future__ import annotations

from typing import Protocol


class Notifier(Protocol):
    """A channel that carries messages to the user."""

    def publish(self, subject: str, sms: str, email: str) -> None:
        """Send one message; a channel uses the form that suits it.

        Parameters
        ----------
        subject : str
            One line of fewer than 100 ASCII characters.
        sms : str
            One line, a GSM-7 segment.
        email : str
            Plain text of many lines.

        Raises
        ------
        Exception
            Whatever the channel raises: the run fails, and its failure is reported.
        """
