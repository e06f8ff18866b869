"""Owns the checks of bars before a run trades on them: complete, fresh, finite, and enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from algotrader.errors import DeskError, InsufficientHistoryError, StaleBarsError
from algotrader.model import Bar

_NAMED_AT_MOST = 10
_SPARE_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class BarRequirements:
    """What a run requires of every symbol's bars.

    Attributes
    ----------
    bars : int
        Bars that the strategy needs.
    max_age_sessions : int
        Largest age of the newest bar, in sessions; 1 is the session before the traded one.
    max_missing : int
        Most sessions without a bar between the first bar used and the newest.
    """

    bars: int
    max_age_sessions: int
    max_missing: int

    @property
    def sessions(self) -> int:
        """Sessions to look back, a few more included to distinguish a gap from the data's start."""
        return self.bars + self.max_missing + self.max_age_sessions + _SPARE_SESSIONS


def usable_bars(
    bars: Mapping[str, Sequence[Bar]],
    symbols: Iterable[str],
    completed: Sequence[date],
    demand: BarRequirements,
) -> dict[str, tuple[Bar, ...]]:
    """Return the bars that the strategy sees; raise an error that names the symbols if unusable.

    Parameters
    ----------
    bars : Mapping of str to sequence of Bar
        Oldest first, as the broker returned them.
    symbols : iterable of str
        Every symbol that must have usable bars.
    completed : sequence of date
        The exchange's sessions before the traded one, ascending.
    demand : BarRequirements
        What the bars must fulfil.

    Returns
    -------
    dict of str to tuple of Bar
        By symbol, in alphabetical order: exactly ``demand.bars`` bars each, oldest first, without
        NaN.

    Raises
    ------
    InsufficientHistoryError
        ``BARS_ABSENT``, ``BARS_NOT_NUMBERS``, ``BARS_TOO_FEW`` or ``BARS_MISSING``.
    StaleBarsError
        ``BARS_STALE``.
    """
    known = set(completed)
    names = sorted(set(symbols))
    found = {name: [bar for bar in bars.get(name, ()) if bar.session in known] for name in names}
    _raise_absent(found)
    _raise_stale(found, completed, demand)
    used = {name: tuple(each[-demand.bars :]) for name, each in found.items()}
    _raise_not_numbers(used)
    # A gap also leaves too few bars. The error must name the gap, so this check comes first.
    _raise_missing(used, completed, demand)
    _raise_too_few(used, demand)
    return used


def _raise_absent(found: Mapping[str, Sequence[Bar]]) -> None:
    absent = [name for name, each in found.items() if not each]
    if absent:
        raise _unfit(
            InsufficientHistoryError,
            "BARS_ABSENT",
            "The feed has no daily bars of these symbols. Remove them from the template's Symbols, "
            "or choose another BarsFeed.",
            dict.fromkeys(absent, "none"),
        )


def _raise_stale(
    found: Mapping[str, Sequence[Bar]], completed: Sequence[date], demand: BarRequirements
) -> None:
    fresh = set(completed[-demand.max_age_sessions :])
    stale = {
        name: f"newest {each[-1].session}"
        for name, each in found.items()
        if each[-1].session not in fresh
    }
    if stale:
        raise _unfit(
            StaleBarsError,
            "BARS_STALE",
            "The feed lags, or the symbol no longer trades. Start the run again later, remove the "
            "symbol from Symbols, or allow older bars with MaxBarAgeSessions.",
            stale,
            expected=completed[-1],
        )


def _raise_not_numbers(used: Mapping[str, Sequence[Bar]]) -> None:
    broken = {}
    for name, each in used.items():
        days = [str(bar.session) for bar in each if not _is_sound(bar)]
        if days:
            broken[name] = "/".join(days[:3])
    if broken:
        raise _unfit(
            InsufficientHistoryError,
            "BARS_NOT_NUMBERS",
            "The feed sent prices that are not numbers above 0. Start the run again later, or "
            "choose another BarsFeed.",
            broken,
        )


def _raise_too_few(used: Mapping[str, Sequence[Bar]], demand: BarRequirements) -> None:
    short = {name: f"has {len(each)}" for name, each in used.items() if len(each) < demand.bars}
    if short:
        raise _unfit(
            InsufficientHistoryError,
            "BARS_TOO_FEW",
            "The strategy needs more bars. Remove the symbol from Symbols until it is older, or "
            "use shorter windows in StrategyParameters.",
            short,
            needs=demand.bars,
        )


def _raise_missing(
    used: Mapping[str, Sequence[Bar]], completed: Sequence[date], demand: BarRequirements
) -> None:
    gaps = {}
    for name, each in used.items():
        there = {bar.session for bar in each}
        missing = [
            str(day)
            for day in completed
            if each[0].session < day < each[-1].session and day not in there
        ]
        if len(missing) > demand.max_missing:
            more = f"/{len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004
            gaps[name] = "/".join(missing[:3]) + more
    if gaps:
        raise _unfit(
            InsufficientHistoryError,
            "BARS_MISSING",
            "The feed has gaps. Start the run again later, remove the symbol from Symbols, or "
            "tolerate gaps with MaxMissingBars.",
            gaps,
            allowed=demand.max_missing,
        )


def _is_sound(bar: Bar) -> bool:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (
        all(math.isfinite(each) and each > 0 for each in prices)
        and math.isfinite(bar.volume)
        and bar.volume >= 0
    )


def _unfit(
    kind: type[DeskError], code: str, advice: str, details: Mapping[str, str], **facts: object
) -> DeskError:
    """Build an error that names the symbols concerned, at most ten of them."""
    named = [f"{name} ({case})" for name, case in sorted(details.items())]
    text = ", ".join(named[:_NAMED_AT_MOST])
    if len(named) > _NAMED_AT_MOST:
        text += f" and {len(named) - _NAMED_AT_MOST} more"
    return kind(code, advice, symbols=text, **facts)
