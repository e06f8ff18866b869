"""Owns the simulated clock: it stands where it was put and runs on with real time, scaled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta


class SimulatedClock:
    """A clock that can be put forward.

    Parameters
    ----------
    start : datetime
        What it shows now.
    scale : float
        Simulated seconds in a real one; 0 stops it.
    monotonic : callable
        Real seconds from any origin, never going back.
    """

    def __init__(self, start: datetime, scale: float, monotonic: Callable[[], float]) -> None:
        self._shown = start
        self._scale = scale
        self._monotonic = monotonic
        self._put_at = monotonic()

    def now(self) -> datetime:
        """Return the simulated instant."""
        return self._shown + timedelta(seconds=(self._monotonic() - self._put_at) * self._scale)

    def put(self, instant: datetime) -> None:
        """Put it to an instant."""
        self._shown = instant
        self._put_at = self._monotonic()
