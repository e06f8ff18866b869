"""The synthetic minutes of a day have exactly its open, high, low, close and volume."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.paper_broker.data import DailyBar, MinuteBar, load, synthetic_minutes

DAY = date(2012, 8, 8)
FULL, SHORT = 390, 210
cents = st.integers(1, 100_000).map(lambda number: Decimal(number) / 100)


def check(day: DailyBar, minutes: tuple[MinuteBar, ...], count: int) -> None:
    assert minutes[0].open == day.open
    assert max(minute.high for minute in minutes) == day.high
    assert min(minute.low for minute in minutes) == day.low
    assert minutes[-1].close == day.close
    assert sum(minute.volume for minute in minutes) == day.volume
    for minute in minutes:
        assert minute.low <= min(minute.open, minute.close)
        assert minute.high >= max(minute.open, minute.close)
    for earlier, later in pairwise(minutes):
        assert earlier.close == later.open
        assert 0 <= earlier.minute < later.minute < count


@given(
    st.lists(cents, min_size=4, max_size=4),
    st.one_of(st.integers(0, 2000), st.integers(0, 10**9)),
    st.sampled_from((1, 2, 3, SHORT, FULL)),
)
def test_any_day_follows_from_its_minutes(prices: list[Decimal], volume: int, count: int) -> None:
    opened, closed = prices[:2]
    day = DailyBar(DAY, opened, max(prices), min(prices), closed, volume)
    check(day, synthetic_minutes("ANY", day, count), count)


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT"])
def test_real_days_follow_from_their_minutes(symbol: str) -> None:
    for day in load().bars[symbol][::200]:
        check(day, synthetic_minutes(symbol, day, FULL), FULL)


def test_every_machine_computes_the_same_minutes() -> None:
    day = next(day for day in load().bars["AAPL"] if day.session == DAY)
    minutes = synthetic_minutes("AAPL", day, FULL)
    assert len(minutes) == FULL
    shown = [[str(figure) for figure in minutes[place][1:]] for place in (0, 200, 389)]
    assert shown == [
        ["619.39", "619.49", "619.37", "619.45", "41764"],
        ["622.83", "623.01", "622.51", "622.61", "22148"],
        ["619.56", "619.9", "619.49", "619.86", "28832"],
    ]


def test_symbols_and_days_have_paths_of_their_own() -> None:
    day = DailyBar(DAY, Decimal(100), Decimal(105), Decimal(95), Decimal(101), 10**6)
    other = day._replace(session=date(2012, 8, 9))
    paths = [synthetic_minutes("A", day, FULL), synthetic_minutes("B", day, FULL)]
    paths.append(synthetic_minutes("A", other, FULL))
    assert len({tuple(minute.close for minute in path) for path in paths}) == 3


def test_a_minute_without_a_trade_has_no_bar() -> None:
    day = DailyBar(DAY, Decimal(100), Decimal(105), Decimal(95), Decimal(101), 400)
    minutes = synthetic_minutes("A", day, FULL)
    assert 50 < len(minutes) <= 100
    assert min(minute.volume for minute in minutes) >= 4


def test_a_day_without_volume_has_a_bar_for_every_minute() -> None:
    day = DailyBar(DAY, Decimal(100), Decimal(105), Decimal(95), Decimal(101), 0)
    assert len(synthetic_minutes("A", day, FULL)) == FULL
