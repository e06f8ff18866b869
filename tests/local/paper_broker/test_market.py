"""The market shows only what an exchange knows at an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.paper_broker.data import load
from local.paper_broker.market import ANNOUNCED, HistoricalMarket, SessionEdge
from tests.local.paper_broker.world import ACTION_DAY, HISTORY, SESSIONS, D, at
from tests.support.examples import tried

MARKET = HistoricalMarket(HISTORY)
FRIDAY, MONDAY = 4, 5


@pytest.mark.parametrize(
    ("session", "clock", "expected"),
    [
        (0, "09:29:59", False),
        (0, "09:30", True),
        (0, "15:59:59", True),
        (0, "16:00", False),
        (1, "12:59:59", True),
        (1, "13:00", False),
    ],
)
def test_the_exchange_is_open_from_its_opening_to_before_its_close(
    session: int, clock: str, expected: bool
) -> None:
    assert MARKET.is_open(at(session, clock)) is expected


def test_a_weekend_is_closed_and_the_next_open_is_mondays() -> None:
    saturday = at(FRIDAY) + timedelta(days=1)
    assert not MARKET.is_open(saturday)
    assert MARKET.next_open(saturday) == at(MONDAY, "09:30")
    assert MARKET.next_close(saturday) == at(MONDAY, "16:00")


def test_next_open_of_an_open_session_is_the_following_sessions() -> None:
    assert MARKET.next_open(at(0)) == at(1, "09:30")
    assert MARKET.next_close(at(0)) == at(0, "16:00")


def test_beyond_the_last_bar_the_next_weekday_counts_as_a_session() -> None:
    assert SESSIONS[-1] == date(2024, 3, 15)
    assert MARKET.next_open(at(-1)) == datetime(2024, 3, 18, 13, 30, tzinfo=UTC)


def test_daylight_saving_moves_the_opening_in_utc() -> None:
    assert at(FRIDAY, "09:30").hour == 14
    assert at(MONDAY, "09:30").hour == 13


def test_the_latest_price_is_the_open_while_a_session_lasts_and_its_close_afterwards() -> None:
    market = HistoricalMarket(load())
    day = market.sessions[100]
    bar = market.bar("AAPL", day)
    assert bar is not None
    opens, closes = market.opens(day), market.closes(day)
    age = timedelta(seconds=3)
    during = market.latest("AAPL", opens + timedelta(minutes=5), age)
    assert during is not None
    assert (during.price, during.at) == (bar.open, opens + timedelta(minutes=5) - age)
    first = market.latest("AAPL", opens + timedelta(seconds=1), age)
    assert first is not None
    assert first.at == opens
    after = market.latest("AAPL", closes + timedelta(hours=9), age)
    assert after is not None
    assert (after.price, after.at) == (bar.close, closes)


def test_before_the_first_open_the_market_shows_nothing() -> None:
    early = at(0, "09:00")
    assert MARKET.latest("FLAT", early) is None
    assert MARKET.known_bars("FLAT", early) == ()
    assert MARKET.symbols(early) == []


def test_a_split_is_known_from_its_ex_dates_opening_on() -> None:
    assert MARKET.splits(at(3, "09:29")) == ()
    assert [split.ex_date for split in MARKET.splits(at(3, "09:30"))] == [ACTION_DAY]


def test_a_split_and_a_dividend_are_announced_two_weeks_before_their_ex_date() -> None:
    first = at(3, "00:00") - ANNOUNCED
    early = first - timedelta(minutes=1)
    assert (MARKET.announced_splits(early), MARKET.announced_dividends(early)) == ((), ())
    assert [split.ex_date for split in MARKET.announced_splits(first)] == [ACTION_DAY]
    assert [paid.ex_date for paid in MARKET.announced_dividends(first)] == [ACTION_DAY]


def test_session_edges_come_in_order_and_exactly_once() -> None:
    rings = list(MARKET.edge_moments(at(0, "09:30"), at(2, "09:30")))
    assert [(ring.session, ring.bell) for ring in rings] == [
        (SESSIONS[0], SessionEdge.CLOSE),
        (SESSIONS[1], SessionEdge.OPEN),
        (SESSIONS[1], SessionEdge.CLOSE),
        (SESSIONS[2], SessionEdge.OPEN),
    ]


@tried(100)
@given(st.integers(0, 60 * 24 * 13))
def test_no_bar_shows_what_has_not_happened_yet(minutes: int) -> None:
    now = at(0, "00:00") + timedelta(minutes=minutes)
    for symbol in HISTORY.bars:
        for bar in MARKET.known_bars(symbol, now):
            assert MARKET.opens(bar.session) <= now
            if now < MARKET.closes(bar.session):
                assert bar.high == bar.low == bar.close == bar.open
                assert bar.volume == 0


@tried(100)
@given(st.integers(0, 60 * 24 * 13), st.sampled_from(SESSIONS))
def test_bars_since_a_session_are_the_newest_of_all(minutes: int, since: date) -> None:
    now = at(0, "00:00") + timedelta(minutes=minutes)
    for symbol in (*HISTORY.bars, "NONE"):
        known = MARKET.known_bars(symbol, now)
        newest = tuple(bar for bar in known if bar.session >= since)
        assert MARKET.known_bars(symbol, now, since) == newest


def test_the_bar_of_an_open_session_has_only_its_open() -> None:
    bar = MARKET.known_bars("FLAT", at(0))[-1]
    assert (bar.session, bar.open, bar.high, bar.volume) == (SESSIONS[0], D(100), D(100), 0)
