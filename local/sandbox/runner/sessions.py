"""Owns the choice of the sessions that a command runs on the sample data."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

from local.problems import UsageProblem

DEFAULT_SESSION = date(2012, 2, 15)


def session_after(known: Sequence[date], day: date) -> date:
    """Return the first session after a day, or the last known session if there is none."""
    return known[min(bisect_right(known, day), len(known) - 1)]


def choose_sessions(known: Sequence[date], start: date | None, count: int) -> list[date]:
    """Choose the dates to run.

    Parameters
    ----------
    known : sequence of date
        The sessions for which the broker has bars, ascending.
    start : date or None
        The first date; a single date can be a weekend or a holiday. None means the default session,
        or an earlier session if fewer than ``count`` follow the default.
    count : int
        Number of consecutive sessions, at least 1.

    Raises
    ------
    UsageProblem
        If the data do not contain the sessions.
    """
    span = f"{known[0]} to {known[-1]}"
    if start is None:
        first = min(bisect_left(known, DEFAULT_SESSION), len(known) - count)
        if first < 0:
            raise UsageProblem(f"--sessions {count}: the data have {len(known)} sessions, {span}")
        return list(known[first : first + count])
    if not known[0] <= start <= known[-1]:
        raise UsageProblem(f"--session {start}: the data run from {span}")
    if count == 1:
        return [start]
    first = bisect_left(known, start)
    chosen = list(known[first : first + count])
    if len(chosen) < count:
        raise UsageProblem(
            f"--sessions {count}: from {start} on, the data have {len(chosen)} sessions, "
            f"the last on {known[-1]}"
        )
    return chosen
