"""A strategy sees only complete, recent and consistent bars, and each symbol is judged alone."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.model import Bars, Session, Unfit
from algotrader.session.bar_checks import BarRequirements, check_bars, gaps

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
    made = {name: array("d", [value] * count) for name, value in flat.items()}
    for name, new in columns.items():
        made[name][count - len(new) :] = array("d", new)
    return Bars("1Day", tuple(map(opened, days)), **made)


def unfit(found: Bars, demand: BarRequirements = DEMAND) -> Unfit | None:
    """Return why these bars are unfit, next to a symbol that is fit."""
    checked = check_bars({"A": found, "B": bars(*DAYS)}, ["A", "B"], COMPLETED, demand)
    assert "B" in checked.fit
    assert checked.unfit.keys() == {"A"} - checked.fit.keys()
    return checked.unfit.get("A")


def test_exactly_the_needed_bars_are_returned_newest_last() -> None:
    checked = check_bars({"B": bars(*DAYS), "A": bars(*DAYS)}, ["B", "A"], COMPLETED, DEMAND)

    assert list(checked.fit) == ["A", "B"]
    assert checked.fit["A"] == bars(*DAYS[-5:])
    assert checked.unfit == {}


def test_symbols_that_were_not_requested_are_left_out() -> None:
    checked = check_bars({"A": bars(*DAYS), "X": bars()}, ["A"], COMPLETED, DEMAND)
    assert (checked.fit.keys(), checked.unfit) == ({"A"}, {})


def test_symbols_without_bars_are_named() -> None:
    checked = check_bars({"A": bars(*DAYS), "C": bars()}, ["A", "B", "C"], COMPLETED, DEMAND)
    absent = Unfit("BARS_ABSENT", "the feed has no daily bars")
    assert checked.unfit == {"B": absent, "C": absent}


@pytest.mark.parametrize(("missing", "age"), [(1, 2), (3, 4)])
def test_a_newest_bar_that_is_too_old_is_stale_and_its_age_is_named(missing: int, age: int) -> None:
    detail = f"newest bar {DAYS[-missing - 1]}, {age} sessions old"
    assert unfit(bars(*DAYS[:-missing])) == Unfit("BARS_STALE", detail)


def test_the_template_may_allow_an_older_newest_bar() -> None:
    demand = replace(DEMAND, max_age_sessions=2)
    assert unfit(bars(*DAYS[:-1]), demand) is None
    assert unfit(bars(*DAYS[:-2]), demand) is not None


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

    assert unfit(broken) == Unfit(
        "BARS_NOT_NUMBERS", "prices that are not numbers above 0 on 2026-01-10"
    )


def test_a_bar_without_trades_is_fit() -> None:
    assert unfit(bars(*DAYS, volume=(0.0,))) is None


def test_a_broken_bar_before_the_used_bars_does_no_harm() -> None:
    assert unfit(bars(*DAYS, close=(math.nan, *(100.0 for _ in DAYS[1:])))) is None


def test_a_history_shorter_than_the_warm_up_is_reported_with_both_figures_and_its_age() -> None:
    assert unfit(bars(*DAYS[-4:])) == Unfit("BARS_TOO_FEW", "4 of 5 bars, the first of 2026-01-07")


def test_a_missing_session_is_reported_with_its_day() -> None:
    assert unfit(bars(*DAYS[:7], *DAYS[8:])) == Unfit(
        "BARS_MISSING", "no bar on 2026-01-08, 0 may be missing"
    )


def test_of_many_missing_sessions_three_are_named() -> None:
    found = unfit(bars(*DAYS[:3], *DAYS[7:]))
    assert found is not None
    assert found.detail.startswith("no bar on 2026-01-04, 2026-01-05, 2026-01-06 and 1 more,")


def test_as_many_missing_sessions_as_allowed_are_tolerated() -> None:
    gap = bars(*DAYS[:7], *DAYS[8:])

    checked = check_bars({"A": gap}, ["A"], COMPLETED, replace(DEMAND, max_missing=1))

    assert checked.fit["A"] == bars(*DAYS[4:7], *DAYS[8:])


@given(st.sets(st.sampled_from(range(len(DAYS))), min_size=1), st.integers(1, len(DAYS)))
@example({3, 4, 6, 7, 8, 9}, 5)  # as many bars as sessions, but not in the same places
def test_gaps_are_the_sessions_between_the_bars_that_have_none(
    places: set[int], newest: int
) -> None:
    found = bars(*(day for place, day in enumerate(DAYS) if place in places))
    between = range(max(min(places), len(DAYS) - newest - 1) + 1, max(places))

    assert gaps(found, COMPLETED[-newest:]) == [DAYS[n] for n in between if n not in places]


def test_a_gap_before_the_used_bars_does_no_harm() -> None:
    assert unfit(bars(DAYS[0], *DAYS[3:])) is None


@given(
    there=st.sets(st.sampled_from(DAYS)),
    demand=st.builds(
        BarRequirements,
        bars=st.integers(1, 12),
        max_age_sessions=st.integers(1, 4),
        max_missing=st.integers(0, 3),
    ),
)
def test_the_returned_bars_always_meet_the_requirements(
    there: set[date], demand: BarRequirements
) -> None:
    completed = COMPLETED[-demand.sessions :]
    days = [each.date for each in completed if each.date in there]
    checked = check_bars({"A": bars(*days)}, ["A"], completed, demand)
    assert {*checked.fit, *checked.unfit} == {"A"}
    if checked.unfit:
        return
    used = checked.fit["A"]
    opens = [each.open for each in completed]
    assert len(used) == demand.bars
    assert used.at[-1] in opens[-demand.max_age_sessions :]
    assert list(used.at) == sorted(set(used.at))
    spanned = opens[opens.index(used.at[0]) : opens.index(used.at[-1]) + 1]
    assert len(spanned) - len(used) <= demand.max_missing
