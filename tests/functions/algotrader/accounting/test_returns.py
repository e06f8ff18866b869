from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.performance import advance_track
from algotrader.accounting.returns import (
    BenchmarkPrices,
    advance_periods,
    measure_returns,
    sessions_needed,
)
from tests.support.performance_looks import BELL, FRIDAY, MONDAY, TUESDAY, look, next_day, prices

NOTHING = BenchmarkPrices("", {}, None)
THURSDAY_BEFORE = date(2024, 2, 29)


def spy(latest=None, **closes):
    """Return SPY's prices: ``march_1="100"`` is a close."""
    days = {"feb_29": THURSDAY_BEFORE, "march_1": FRIDAY, "march_4": MONDAY}
    found = {days[name]: Decimal(price) for name, price in closes.items()}
    return BenchmarkPrices("SPY", found, None if latest is None else Decimal(latest))


def step(known, seen, quotes=NOTHING):
    return advance_periods(advance_track(known, seen), known, seen.previous_session, quotes)


def returns(track, quotes=NOTHING):
    return measure_returns(track, quotes)


def first_day(price="100", **changes):
    return look(prices=prices(AAPL=price), **changes)


def test_a_new_desk_has_a_return_of_zero_and_says_since_when_it_counts():
    found = returns(step(None, first_day()))
    assert found.first_session == MONDAY
    assert (found.total.desk, found.day.desk, found.last) == (0, 0, None)


def test_returns_of_day_and_total_compound_and_the_last_session_is_the_day_before():
    opened = step(None, first_day())
    closed = step(opened, first_day("110", at=BELL + timedelta(hours=7)))
    assert returns(closed).day.desk == Decimal("0.01")  # 10 shares x 10 of 10,000
    bell = step(closed, next_day("120", closes=prices(AAPL="110"), worth=Decimal(10100)))
    found = returns(bell)
    assert found.last is not None
    assert found.last.desk == Decimal("0.01")
    assert found.day.desk == Decimal("0.01")
    assert found.total.desk == Decimal("0.0201")


def test_a_price_change_after_the_last_run_of_a_session_belongs_to_that_session():
    """The desk looked at 100; the session closed at 105, and the next one opened at 108."""
    opened = step(None, first_day())
    found = returns(step(opened, next_day("108", closes=prices(AAPL="105"))))
    assert found.last is not None
    assert found.last.desk == Decimal("0.005")
    assert found.day.desk == pytest.approx(Decimal("0.003"), abs=Decimal("0.0001"))


def test_a_deposit_is_not_a_return():
    opened = step(None, first_day())
    richer = step(opened, first_day(at=BELL + timedelta(hours=7), worth=Decimal(20000)))
    assert returns(richer).day.desk == 0
    later = step(richer, first_day("110", at=BELL + timedelta(hours=8), worth=Decimal(20100)))
    assert returns(later).day.desk == Decimal("0.005")  # 100 of 20,000


def test_the_month_and_the_week_start_at_the_close_before_them():
    thursday = look(session=THURSDAY_BEFORE, previous_session=date(2024, 2, 28))
    feb = step(None, thursday)
    march = step(feb, look(session=FRIDAY, previous_session=THURSDAY_BEFORE, at=BELL))
    assert march.periods is not None
    assert march.periods.month.after == THURSDAY_BEFORE
    assert march.periods.week.after == date(2024, 2, 28)
    monday = step(march, look(prices=prices(AAPL="110")))
    assert monday.periods is not None
    assert monday.periods.month.after == THURSDAY_BEFORE
    assert monday.periods.week.after == FRIDAY
    assert returns(monday).month.desk == Decimal("0.01")


def test_a_month_whose_first_sessions_no_run_saw_starts_with_the_last_run_before_it():
    feb = step(None, look(session=THURSDAY_BEFORE, previous_session=date(2024, 2, 28)))
    found = step(feb, look(prices=prices(AAPL="110")))  # Monday, after an unseen Friday
    assert found.periods is not None
    assert found.periods.month == replace(found.periods.month, after=THURSDAY_BEFORE, index=1)
    assert found.periods.last is None


def test_a_repeated_run_changes_no_return():
    opened = step(None, first_day(), spy(latest="101", march_1="100"))
    bell = step(opened, next_day("120"), spy(latest="103", march_1="100", march_4="102"))
    again = step(bell, next_day("120"), spy(latest="103", march_1="100", march_4="102"))
    assert again.periods == bell.periods


def test_the_benchmark_counts_from_the_first_run_of_the_desk():
    quotes = spy(latest="110", march_1="100")
    opened = step(None, first_day(), quotes)
    assert returns(opened, quotes).total.benchmark == 0
    assert returns(opened, quotes).day.benchmark == Decimal("0.1")
    later = spy(latest="121", march_1="100")
    assert returns(step(opened, first_day(), later), later).total.benchmark == Decimal("0.1")


def test_the_benchmarks_return_includes_dividends_because_its_index_chains_adjusted_closes():
    """SPY pays 2 on Tuesday: the adjusted closes of both earlier days fall by 2 %."""
    opened = step(None, first_day(), spy(latest="100", march_1="100"))
    adjusted = spy(latest="98", march_1="98", march_4="98")
    found = returns(step(opened, next_day("100"), adjusted), adjusted)
    assert (found.day.benchmark, found.total.benchmark) == (0, 0)


def test_a_benchmark_without_a_price_is_unknown_and_known_again_later():
    opened = step(None, first_day(), spy(latest="100", march_1="100"))
    nothing = step(opened, next_day("100"), spy())
    assert returns(nothing, spy()).total.benchmark is None
    quotes = spy(latest="104", march_1="100", march_4="102")
    found = returns(step(nothing, next_day("100"), quotes), quotes)
    assert found.total.benchmark == Decimal("0.04")
    assert found.day.benchmark == pytest.approx(Decimal("0.019608"))


def test_another_benchmark_starts_again():
    opened = step(None, first_day(), spy(latest="100", march_1="100"))
    other = replace(spy(latest="51", march_4="50"), symbol="IEF")
    found = returns(step(opened, next_day("100"), other), other)
    assert found.day.benchmark == Decimal("0.02")
    assert sessions_needed(opened, "IEF", MONDAY) == MONDAY
    assert sessions_needed(opened, "SPY", MONDAY) == FRIDAY


def test_a_track_of_an_earlier_version_counts_from_now_on():
    old = replace(advance_track(None, first_day()), index=Decimal("1.5"), peak=Decimal("1.5"))
    found = step(old, next_day("110"))
    assert found.periods is not None
    assert found.periods.first_session == TUESDAY
    assert returns(found).total.desk == Decimal("0.01")
