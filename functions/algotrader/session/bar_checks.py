"""Owns the checks of each symbol's bars: present, fresh, finite, without gaps, and enough."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from math import inf, isfinite

from msgspec import Struct

from algotrader.model import Bars, Session, Unfit

BARS_ABSENT, BARS_STALE = "BARS_ABSENT", "BARS_STALE"
BARS_NOT_NUMBERS = "BARS_NOT_NUMBERS"
BARS_MISSING, BARS_TOO_FEW = "BARS_MISSING", "BARS_TOO_FEW"

_DAYS_NAMED = 3
_SPARE_SESSIONS = 5


class BarRequirements(Struct, frozen=True):
    """A run's requirements for every symbol's bars.

    Attributes
    ----------
    bars : int
        Bars that the strategy needs.
    max_age_sessions : int
        Largest age of the newest bar, in sessions; 1 is the session before the traded one.
    max_missing : int
        Most sessions without a bar between the first and the newest bar used.
    """

    bars: int
    max_age_sessions: int
    max_missing: int

    @property
    def sessions(self) -> int:
        """Sessions to look back, plus a few to distinguish a gap from the data's start."""
        return self.bars + self.max_missing + self.max_age_sessions + _SPARE_SESSIONS


class CheckedBars(Struct, frozen=True):
    """The bars of the fit symbols, and the symbols whose bars the run cannot use.

    Attributes
    ----------
    fit : dict of str to Bars
        By symbol, in alphabetical order: exactly the bars that the strategy needs, without NaN.
    unfit : dict of str to Unfit
        By symbol, in alphabetical order: ``BARS_ABSENT``, ``BARS_STALE``, ``BARS_NOT_NUMBERS``,
        ``BARS_MISSING`` or ``BARS_TOO_FEW``.
    """

    fit: dict[str, Bars]
    unfit: dict[str, Unfit]


def check_bars(
    bars: Mapping[str, Bars],
    symbols: Iterable[str],
    completed: Sequence[Session],
    demand: BarRequirements,
) -> CheckedBars:
    """Check each symbol's bars by themselves.

    Parameters
    ----------
    bars : Mapping of str to Bars
        As the broker returned them: each bar begins at the open of a ``completed`` session.
    symbols : iterable of str
        Every symbol to check.
    completed : sequence of Session
        The exchange's sessions before the traded one, ascending.
    """
    fit: dict[str, Bars] = {}
    unfit: dict[str, Unfit] = {}
    for name in sorted(set(symbols)):
        found = bars.get(name)
        if not found:
            unfit[name] = Unfit(BARS_ABSENT, "the feed has no daily bars")
            continue
        used = found.newest(demand.bars)
        flaw = (
            _stale(used, completed, demand)
            or _not_numbers(used, completed)
            # A gap also leaves too few bars. The reason must name the gap, so it comes first.
            or _missing(used, completed, demand)
            or _too_few(used, completed, demand)
        )
        if flaw is None:
            fit[name] = used
        else:
            unfit[name] = flaw
    return CheckedBars(fit, unfit)


def gaps(bars: Bars, completed: Sequence[Session]) -> list[date]:
    """Return the sessions without a bar between the first and the newest bar."""
    first = bisect_right(completed, bars.at[0], key=_open)
    last = bisect_left(completed, bars.at[-1], key=_open)
    starts_inside = first > 0
    if starts_inside and last - first == len(bars) - 2:
        return []
    there = set(bars.at)
    return [each.date for each in completed[first:last] if each.open not in there]


def _open(session: Session) -> datetime:
    return session.open


def _stale(used: Bars, completed: Sequence[Session], demand: BarRequirements) -> Unfit | None:
    age = len(completed) - bisect_left(completed, used.at[-1], key=_open)
    if age <= demand.max_age_sessions:
        return None
    newest = _day(used, -1, completed)
    return Unfit(BARS_STALE, f"newest bar {newest}, {age} sessions old")


def _not_numbers(used: Bars, completed: Sequence[Session]) -> Unfit | None:
    days = [_day(used, row, completed) for row in _unsound_rows(used)]
    if not days:
        return None
    return Unfit(BARS_NOT_NUMBERS, f"prices that are not numbers above 0 on {listed_days(days)}")


def _unsound_rows(bars: Bars) -> list[int]:
    """Return the rows that contain an impossible price or volume."""
    prices = (bars.open, bars.high, bars.low, bars.close)
    if (
        all(isfinite(sum(each)) for each in (*prices, bars.volume))
        and min(map(min, prices)) > 0
        and min(bars.volume) >= 0
    ):
        return []  # a NaN or an infinity would show in the sum
    rows = zip(bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    return [
        row
        for row, (first, high, low, last, volume) in enumerate(rows)
        if not (
            0 < first < inf
            and 0 < high < inf
            and 0 < low < inf
            and 0 < last < inf
            and 0 <= volume < inf
        )
    ]


def _missing(used: Bars, completed: Sequence[Session], demand: BarRequirements) -> Unfit | None:
    if not used:
        return None
    days = gaps(used, completed)
    if len(days) <= demand.max_missing:
        return None
    return Unfit(
        BARS_MISSING, f"no bar on {listed_days(days)}, {demand.max_missing} may be missing"
    )


def _too_few(used: Bars, completed: Sequence[Session], demand: BarRequirements) -> Unfit | None:
    if len(used) >= demand.bars:
        return None
    first = _day(used, 0, completed)
    return Unfit(BARS_TOO_FEW, f"{len(used)} of {demand.bars} bars, the first of {first}")


def _day(bars: Bars, row: int, completed: Sequence[Session]) -> date:
    return next(each.date for each in completed if each.open == bars.at[row])


def listed_days(days: Sequence[date]) -> str:
    """List at most three days, and count the rest."""
    more = len(days) - _DAYS_NAMED
    shown = ", ".join(map(str, days[:_DAYS_NAMED]))
    return f"{shown} and {more} more" if more > 0 else shown
