"""Owns the checks that a run's bars are complete, fresh, finite and enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from algotrader.errors import DeskError, InsufficientHistoryError, StaleBarsError
from algotrader.model import Bars, Session

_NAMED_AT_MOST = 10
_SPARE_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class BarRequirements:
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


def usable_bars(
    bars: Mapping[str, Bars],
    symbols: Iterable[str],
    completed: Sequence[Session],
    demand: BarRequirements,
) -> dict[str, Bars]:
    """Return the bars that the strategy sees; the error names the symbols with unusable bars.

    Parameters
    ----------
    bars : Mapping of str to Bars
        As the broker returned them: each bar begins at the open of a ``completed`` session.
    symbols : iterable of str
        Every symbol that must have usable bars.
    completed : sequence of Session
        The exchange's sessions before the traded one, ascending.

    Returns
    -------
    dict of str to Bars
        By symbol, in alphabetical order: exactly ``demand.bars`` bars each, without NaN.

    Raises
    ------
    InsufficientHistoryError
        ``BARS_ABSENT``, ``BARS_NOT_NUMBERS``, ``BARS_TOO_FEW`` or ``BARS_MISSING``.
    StaleBarsError
        ``BARS_STALE``.
    """
    names = sorted(set(symbols))
    _raise_absent(bars, names)
    used = {name: bars[name].newest(demand.bars) for name in names}
    _raise_stale(used, completed, demand)
    _raise_not_numbers(used, completed)
    # A gap also leaves too few bars. The error must name the gap, so this check comes first.
    _raise_missing(used, completed, demand)
    _raise_too_few(used, demand)
    return used


def _raise_absent(bars: Mapping[str, Bars], names: Sequence[str]) -> None:
    _raise_unfit(
        InsufficientHistoryError,
        "BARS_ABSENT",
        "The feed has no daily bars for these symbols. Remove them from the template's "
        "Symbols, or choose another BarsFeed.",
        {name: "none" for name in names if not bars.get(name)},
    )


def _raise_stale(
    used: Mapping[str, Bars], completed: Sequence[Session], demand: BarRequirements
) -> None:
    fresh = {each.open for each in completed[-demand.max_age_sessions :]}
    day = {each.open: each.date for each in completed}
    stale = {
        name: f"newest {day[each.at[-1]]}"
        for name, each in used.items()
        if each.at[-1] not in fresh
    }
    _raise_unfit(
        StaleBarsError,
        "BARS_STALE",
        "The feed lags, or the symbol no longer trades. Start the run again later, remove the "
        "symbol from Symbols, or allow older bars with MaxBarAgeSessions.",
        stale,
        expected=completed[-1].date,
    )


def _raise_not_numbers(used: Mapping[str, Bars], completed: Sequence[Session]) -> None:
    day = {each.open: each.date for each in completed}
    broken = {}
    for name, each in used.items():
        days = [str(day[each.at[row]]) for row in _unsound_rows(each)]
        if days:
            broken[name] = "/".join(days[:3])
    _raise_unfit(
        InsufficientHistoryError,
        "BARS_NOT_NUMBERS",
        "The feed sent prices that are not numbers above 0. Start the run again later, or "
        "choose another BarsFeed.",
        broken,
    )


def _unsound_rows(bars: Bars) -> list[int]:
    """Return the rows that contain an impossible price or volume."""
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


def _raise_too_few(used: Mapping[str, Bars], demand: BarRequirements) -> None:
    short = {name: f"has {len(each)}" for name, each in used.items() if len(each) < demand.bars}
    _raise_unfit(
        InsufficientHistoryError,
        "BARS_TOO_FEW",
        "The strategy needs more bars. Remove the symbol from Symbols until it is older, or "
        "use shorter windows in StrategyParameters.",
        short,
        needs=demand.bars,
    )


def _raise_missing(
    used: Mapping[str, Bars], completed: Sequence[Session], demand: BarRequirements
) -> None:
    place = {each.open: n for n, each in enumerate(completed)}
    gaps = {}
    for name, each in used.items():
        spanned = completed[place[each.at[0]] : place[each.at[-1]] + 1]
        if len(spanned) - len(each) > demand.max_missing:
            there = set(each.at)
            missing = [str(session.date) for session in spanned if session.open not in there]
            more = f"/{len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004
            gaps[name] = "/".join(missing[:3]) + more
    _raise_unfit(
        InsufficientHistoryError,
        "BARS_MISSING",
        "The feed has gaps. Start the run again later, remove the symbol from Symbols, or "
        "tolerate gaps with MaxMissingBars.",
        gaps,
        allowed=demand.max_missing,
    )


def _raise_unfit(
    kind: type[DeskError], code: str, advice: str, details: Mapping[str, str], **facts: object
) -> None:
    """Raise an error that names the symbols in ``details``, at most ten of them, if any."""
    if not details:
        return
    named = [f"{name} ({case})" for name, case in sorted(details.items())]
    text = ", ".join(named[:_NAMED_AT_MOST])
    if len(named) > _NAMED_AT_MOST:
        text += f" and {len(named) - _NAMED_AT_MOST} more"
    raise kind(code, advice, symbols=text, **facts)
