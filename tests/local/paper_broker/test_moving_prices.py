"""With moving prices the latest price follows the synthetic minutes, and orders fill on them.

`FLAT` opens and closes at 100 and ranges from 95 to 105 in each session.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from local.paper_broker.data import MinuteBar
from local.paper_broker.market import MINUTE
from tests.local.paper_broker.conftest import MakeWire, Wire
from tests.local.paper_broker.world import SESSIONS, World, at

OPEN = at(0, "09:30")


@pytest.fixture
def world() -> World:
    return World(moving_prices=True, holdings={"FLAT": "10"})


def minutes(world: World) -> tuple[MinuteBar, ...]:
    return world.exchange.market.minutes("FLAT", SESSIONS[0])


def over(minute: MinuteBar) -> datetime:
    """Return the instant at which a minute is over."""
    return OPEN + (minute.minute + 1) * MINUTE


def first_after(world: World, clock: str) -> Iterator[MinuteBar]:
    """Return the minutes that begin at a time of day or later."""
    return (it for it in minutes(world) if OPEN + it.minute * MINUTE >= at(0, clock))


def test_the_latest_price_is_the_close_of_the_newest_minute(world: World) -> None:
    market = world.exchange.market
    third = minutes(world)[2]
    before = market.latest("FLAT", over(third) - timedelta(seconds=1))
    assert before is not None
    assert before.price == minutes(world)[1].close
    after = market.latest("FLAT", over(third))
    assert after is not None
    assert after.price == third.close


def test_the_price_starts_at_the_open_and_ends_at_the_close(world: World) -> None:
    prices = [world.exchange.market.latest("FLAT", at(0, clock)) for clock in ("09:30", "16:00")]
    assert [it.price for it in prices if it] == [Decimal(100), Decimal(100)]


def test_todays_daily_bar_grows_with_the_minutes(world: World) -> None:
    market = world.exchange.market
    (bar,) = market.known_bars("FLAT", at(0, "12:00"))
    known = [it for it in minutes(world) if over(it) <= at(0, "12:00")]
    assert 0 < len(known) < len(minutes(world))
    assert bar[1:] == (
        Decimal(100),
        max(it.high for it in known),
        min(it.low for it in known),
        known[-1].close,
        sum(it.volume for it in known),
    )


def test_a_market_order_fills_at_the_latest_price(world: World) -> None:
    world.go(0, "12:00")
    price = world.exchange.latest("FLAT")
    order = world.place("buy", "10")
    world.look()
    assert order.filled_value / 10 == price != Decimal(100)


def test_a_limit_order_fills_in_the_first_minute_that_touches_it(world: World) -> None:
    lowest = min(minutes(world), key=lambda it: it.low)
    world.exchange.advance(over(lowest) - 5 * MINUTE)
    price = lowest.low + Decimal("0.1")
    order = world.limit("buy", "10", str(price))
    touched = next(it for it in minutes(world) if it.minute > lowest.minute - 5 and it.low <= price)
    world.exchange.advance(over(touched) - timedelta(seconds=1))
    assert order.status == "new"
    world.exchange.advance(over(touched))
    assert (order.status, order.filled_value / 10) == ("filled", price)


@pytest.mark.parametrize("seconds", [0, 30])
def test_prices_from_before_an_order_do_not_fill_it(world: World, seconds: int) -> None:
    last = max((it for it in minutes(world) if it.low == 95), key=lambda it: it.minute)
    world.exchange.advance(over(last) - timedelta(seconds=seconds))
    order = world.limit("buy", "10", "95")
    world.go(0, "17:00")
    assert order.status == "expired"


def test_a_stop_sells_in_the_first_minute_that_reaches_it(world: World) -> None:
    touched = next(it for it in first_after(world, "09:35") if it.low <= 97)
    order = world.stop("sell", "10", "97")
    world.go(0, "16:00")
    assert (order.filled_value / 10, order.filled_at) == (Decimal(97), over(touched))


def test_a_trailing_stop_follows_the_minutes(world: World) -> None:
    order = world.place("sell", "10", type="trailing_stop", trail_price="4")
    mark = Decimal(0)
    for minute in first_after(world, "09:35"):
        mark = max(mark, minute.high, world.exchange.latest("FLAT") or mark)
        world.exchange.advance(over(minute))
        if minute.low <= mark - 4:
            break
        assert (order.status, order.mark) == ("new", mark)
    assert (order.status, order.filled_value / 10) == ("filled", mark - 4)


def test_a_canceled_order_does_not_fill_in_a_later_minute(world: World) -> None:
    order = world.limit("buy", "10", "97")
    world.look()
    world.exchange.cancel(order.id)
    world.go(0, "17:00")
    assert order.status == "canceled"


def fates(hops: int) -> list[tuple[str, Decimal, datetime | None]]:
    """Return what becomes of some orders if somebody looks ``hops`` times in two sessions."""
    world = World(moving_prices=True, holdings={"FLAT": "10"})
    orders = [
        world.limit("buy", "3", "96", time_in_force="gtc"),
        world.limit("buy", "3", "94"),
        world.place("sell", "4", type="trailing_stop", trail_percent="6", time_in_force="gtc"),
        world.limit("sell", "3", "104"),
    ]
    start, end = at(0), at(1, "17:00")
    for hop in range(1, hops + 1):
        world.exchange.advance(start + (end - start) * hop / hops)
    return [(order.status, order.filled_value, order.filled_at) for order in orders]


def test_orders_fill_alike_however_often_somebody_looks() -> None:
    once = fates(1)
    assert [status for status, _, _ in once] == ["filled", "expired", "filled", "filled"]
    assert fates(7) == once
    assert fates(400) == once


def test_the_wire_shows_minutes_until_now(make_wire: MakeWire) -> None:
    wire: Wire = make_wire(moving_prices=True)
    wire.open_session("2012-08-08", "10:00")
    bars = wire.get("/v2/stocks/AAPL/bars", timeframe="1Min", start="2012-08-08", feed="iex")
    latest = wire.get("/v2/stocks/AAPL/trades/latest")["trade"]["p"]
    snapshot = wire.get("/v2/stocks/AAPL/snapshot")
    assert [len(bars["bars"]), bars["bars"][-1]["t"][11:16]] == [30, "13:59"]
    assert bars["bars"][-1]["c"] == latest == snapshot["dailyBar"]["c"] != 619.39
    assert snapshot["minuteBar"] == bars["bars"][-1]
