"""Owns the broker's rate limits: what an answer's headers say, and how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from msgspec import Struct

TOO_MANY_REQUESTS = 429
#: Alpaca counts requests per minute, so no wait is longer than a minute.
LONGEST_WAIT_SECONDS = 60.0
#: A reset in the current second is still up to a second away.
LEAST_WAIT_SECONDS = 1.0
#: The wait after a 429 whose headers do not give a credible reset.
UNKNOWN_WAIT_SECONDS = 2.0
#: A reset this far from the answer's own date is not credible.
_ABSURD_SECONDS = 3600


class RateLimit(Struct, frozen=True):
    """What one answer says about the limit of its API.

    Attributes
    ----------
    remaining : int or None
        Requests left until the reset; None if the answer does not say.
    reset_seconds : float or None
        Seconds from the answer's own date to the reset, at most a minute; None if unknown.
    """

    remaining: int | None = None
    reset_seconds: float | None = None

    @property
    def is_exhausted(self) -> bool:
        """Whether the broker would answer another request before the reset with 429."""
        return self.remaining == 0 and bool(self.reset_seconds)

    @property
    def wait_seconds(self) -> float:
        """How long to wait after a 429."""
        if self.reset_seconds is None:
            return UNKNOWN_WAIT_SECONDS
        return max(self.reset_seconds, LEAST_WAIT_SECONDS)


NO_LIMIT = RateLimit()


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit:
    """Read an answer's limit from its headers.

    The wait is the reset less the answer's own ``Date``, so this machine's clock does not matter.
    """
    return RateLimit(
        _whole_number(headers.get("X-RateLimit-Remaining", "")),
        _reset_seconds(headers.get("X-RateLimit-Reset", ""), headers.get("Date", "")),
    )


def _reset_seconds(reset: str, date: str) -> float | None:
    at = _whole_number(reset)
    try:
        seconds = None if at is None else at - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
    if seconds is None or abs(seconds) > _ABSURD_SECONDS:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _whole_number(text: str) -> int | None:
    """Return a header's number; None if it is not a whole number of a sensible length."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len("1767706500")
    return int(text) if is_number else None
