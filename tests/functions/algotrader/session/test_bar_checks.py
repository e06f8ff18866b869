"""The desk trades only on complete, recent and consistent bars."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.errors import InsufficientHistoryError, StaleBarsError
from algotrader.model import Bars, Session
from algotrader.session.bar_checks import BarRequirements, usable_bars

DAYS = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(10))
DEMAND = BarRequirements(bars=5, max_age_sessions=1, max_missing=0)


def opened(day: date) -> datetime:
    """Return a session's open, which is an hour late on even days."""
    return datetime(day.year, day.month, day.day, 15 - day.day % 2, 30, tzinfo=UTC)


COMPLETED = tuple(Session(day, opened(day), opened(day) + timedelta(hours=6)) for day in DAYS)


def bars(*days: date, **columns: tuple[float, ...]) -> Bars:
    """Build bars for the given days, with the given columns as the newest values."""
    count = len(days)
    flat = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1000.0}
    made = {name: (value,) * count for name, value in flat.items()}
    made |= {name: made[name][: count - len(new)] + new for name, new in columns.items()}
    return Bars("1Day", tuple(map(opened, days)), **made)


def test_exactly_the_bars_that_are_needed_are_given_newest_last() -> None:
    used = usable_bars({"B": bars(*DAYS), "A": bars(*DAYS)}, ["B", "A"], COMPLETED, DEMAND)

    assert list(used) == ["A", "B"]
    assert used["A"] == bars(*DAYS[-5:])


def test_symbols_that_were_not_asked_for_are_left_out() -> None:
    assert list(usable_bars({"A": bars(*DAYS), "X": bars()}, ["A"], COMPLETED, DEMAND)) == ["A"]


def test_symbols_without_bars_are_named() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"BARS_ABSENT: symbols=B \(none\), C"):
        usable_bars({"A": bars(*DAYS), "B": bars()}, ["A", "B", "C"], COMPLETED, DEMAND)


def test_a_newest_bar_that_is_too_old_is_stale() -> None:
    with pytest.raises(StaleBarsError, match=r"BARS_STALE.*A \(newest 2026-01-09\)"):
        usable_bars({"A": bars(*DAYS[:-1])}, ["A"], COMPLETED, DEMAND)


def test_an_older_newest_bar_may_be_allowed() -> None:
    used = usable_bars(
        {"A": bars(*DAYS[:-1])}, ["A"], COMPLETED, replace(DEMAND, max_age_sessions=2)
    )

    assert used["A"] == bars(*DAYS[-6:-1])


@pytest.mark.parametrize(
    "change",
    [
        {"close": math.nan},
        {"open": math.inf},
        {"low": 0.0},
        {"high": -1.0},
        {"volume": math.nan},
        {"volume": -1.0},
    ],
)
def test_a_bar_that_is_not_a_number_is_named_with_its_day(change: dict[str, float]) -> None:
    broken = bars(*DAYS, **{name: (value,) for name, value in change.items()})

    with pytest.raises(InsufficientHistoryError, match=r"BARS_NOT_NUMBERS.*A \(2026-01-10\)"):
        usable_bars({"A": broken, "B": bars(*DAYS)}, ["A", "B"], COMPLETED, DEMAND)


def test_a_bar_without_trades_is_fit() -> None:
    idle = bars(*DAYS, volume=(0.0,))

    assert usable_bars({"A": idle}, ["A"], COMPLETED, DEMAND)["A"].volume[-1] == 0


def test_a_broken_bar_before_those_that_are_used_does_no_harm() -> None:
    broken = bars(*DAYS, close=(math.nan, *(100.0 for _ in DAYS[1:])))

    assert len(usable_bars({"A": broken}, ["A"], COMPLETED, DEMAND)["A"]) == 5


def test_a_history_shorter_than_the_warm_up_is_reported_with_both_figures() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"BARS_TOO_FEW.*A \(has 4\) needs=5"):
        usable_bars({"A": bars(*DAYS[-4:])}, ["A"], COMPLETED, DEMAND)


def test_a_missing_session_is_reported_with_its_day() -> None:
    gap = bars(*DAYS[:7], *DAYS[8:])

    with pytest.raises(InsufficientHistoryError, match=r"BARS_MISSING.*A \(2026-01-08\) allowed=0"):
        usable_bars({"A": gap}, ["A"], COMPLETED, DEMAND)


def test_as_many_missing_sessions_as_allowed_are_tolerated() -> None:
    gap = bars(*DAYS[:7], *DAYS[8:])

    used = usable_bars({"A": gap}, ["A"], COMPLETED, replace(DEMAND, max_missing=1))

    assert used["A"] == bars(*DAYS[4:7], *DAYS[8:])


def test_a_gap_before_the_bars_that_are_used_does_no_harm() -> None:
    assert usable_bars({"A": bars(DAYS[0], *DAYS[3:])}, ["A"], COMPLETED, DEMAND)


def test_at_most_ten_symbols_are_named() -> None:
    names = [f"S{n:02}" for n in range(13)]

    with pytest.raises(InsufficientHistoryError, match=r"S09 \(none\) and 3 more"):
        usable_bars({}, names, COMPLETED, DEMAND)


@given(
    there=st.sets(st.sampled_from(DAYS)),
    demand=st.builds(
        BarRequirements,
        bars=st.integers(1, 12),
        max_age_sessions=st.integers(1, 4),
        max_missing=st.integers(0, 3),
    ),
)
def test_what_is_given_always_meets_the_demand(there: set[date], demand: BarRequirements) -> None:
    completed = COMPLETED[-demand.sessions :]
    days = [each.date for each in completed if each.date in there]
    try:
        (used,) = usable_bars({"A": bars(*days)}, ["A"], completed, demand).values()
    except (InsufficientHistoryError, StaleBarsError):
        return
    opens = [each.open for each in completed]
    assert len(used) == demand.bars
    assert used.at[-1] in opens[-demand.max_age_sessions :]
    assert list(used.at) == sorted(set(used.at))
    spanned = opens[opens.index(used.at[0]) : opens.index(used.at[-1]) + 1]
    assert len(spanned) - len(used) <= demand.max_missing
