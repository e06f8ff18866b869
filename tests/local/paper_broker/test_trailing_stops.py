"""A trailing stop follows the price, as Alpaca documents it.

`FLAT` opens and closes at 100 and ranges from 95 to 105 in each session.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from local.paper_broker.values import ApiError, Order
from tests.local.paper_broker.conftest import Wire
from tests.local.paper_broker.world import World


def trail(world: World, side: str = "sell", qty: str | None = "10", **terms: str) -> Order:
    return world.place(side, qty, **{"type": "trailing_stop", "time_in_force": "gtc", **terms})


def test_the_mark_starts_at_the_latest_price_and_sets_the_stop() -> None:
    world = World(holdings={"FLAT": "20"})

    dollars = trail(world, trail_price="7")
    percent = trail(world, trail_percent="8.5")

    assert (dollars.mark, dollars.stop_price) == (Decimal(100), Decimal(93))
    assert (percent.mark, percent.stop_price) == (Decimal(100), Decimal("91.5"))


def test_the_mark_of_a_waiting_order_starts_at_the_open() -> None:
    world = World(holdings={"FLAT": "10"})
    world.go(0, "17:00")
    order = trail(world, trail_price="20")
    assert (order.status, order.mark, order.stop_price) == ("accepted", None, None)

    world.go(1)

    assert (order.status, order.mark, order.stop_price) == ("new", Decimal(100), Decimal(80))


def test_the_mark_rises_to_the_high_of_each_session_and_never_falls() -> None:
    world = World(holdings={"FLAT": "10"})
    order = trail(world, trail_price="20")

    world.go(0, "17:00")
    assert (order.mark, order.stop_price) == (Decimal(105), Decimal(85))
    world.go(3)
    assert (order.mark, order.stop_price) == (Decimal(105), Decimal(85))


def test_the_low_of_a_session_counts_after_its_high() -> None:
    world = World(holdings={"FLAT": "10"})
    order = trail(world, trail_price="9")  # 100 - 9 is below the low of 95, 105 - 9 is above

    world.go(0, "17:00")

    assert (order.status, order.filled_at is not None) == ("filled", True)
    assert order.filled_value / 10 == Decimal(96)


def test_the_high_of_a_session_counts_after_its_low_for_a_buy() -> None:
    world = World(shorting=True)
    world.place("sell", "10")
    world.look()
    order = trail(world, "buy", trail_percent="8")  # 95 + 8 % is 102.6, below the high of 105

    world.go(0, "17:00")

    assert (order.status, order.filled_value / 10) == ("filled", Decimal("102.6"))
    assert world.qty() == 0


def test_a_gap_below_the_stop_fills_at_the_open() -> None:
    world = World(holdings={"SPLT": "10"}, session=2)
    order = trail(world, symbol="SPLT", trail_price="20")

    world.go(3)  # the split halves the price; the mark and the stop stay, as a plain stop's price

    assert (order.status, order.filled_value / order.filled_qty) == ("filled", Decimal(50))


def test_a_day_order_expires_and_a_gtc_order_lives_90_days() -> None:
    world = World(holdings={"FLAT": "20"})
    day = trail(world, trail_price="20", time_in_force="day")
    gtc = trail(world, trail_price="20")

    world.go(0, "17:00")

    assert (day.status, gtc.status) == ("expired", "new")
    assert (gtc.expires_at - day.expires_at).days == 90


def test_a_symbol_whose_orders_never_fill_still_moves_its_mark() -> None:
    world = World(holdings={"FLAT": "10"}, never_fill=("FLAT",))
    order = trail(world, trail_price="9")

    world.go(0, "17:00")

    assert (order.status, order.mark) == ("new", Decimal(105))


def test_a_trailing_stop_is_exempt_from_the_ban_on_wash_trades() -> None:
    world = World(holdings={"FLAT": "10"})
    trail(world, trail_price="20")
    bought = world.place("buy", "1")
    world.look()
    assert bought.status == "filled"

    world.limit("buy", "1", "50", time_in_force="gtc")
    trail(world, qty="1", trail_price="30")


def test_a_trailing_stop_holds_its_shares() -> None:
    world = World(holdings={"FLAT": "10"})
    trail(world, trail_price="20")
    with pytest.raises(ApiError, match="insufficient qty available"):
        world.place("sell", "1")


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "trailing stop orders must specify one of trail_price or trail_percent"),
        (
            {"trail_price": "1", "trail_percent": "1"},
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        ({"trail_price": "0"}, "trail_price must be > 0"),
        ({"trail_percent": "-1"}, "trail_percent must be > 0"),
        ({"trail_percent": "100"}, "trail_percent must be < 100"),
        ({"trail_price": "1", "stop_price": "5"}, "trailing stop orders must not have stop price"),
        ({"trail_price": "1", "time_in_force": "ioc"}, "invalid time_in_force"),
        ({"type": "market", "trail_price": "1"}, "market orders must not have trail_price"),
        (
            {"trail_price": "1", "qty": "1.5", "time_in_force": "day"},
            "fractional orders must be market, limit, stop or stop_limit orders",
        ),
    ],
)
def test_a_wrong_trail_is_refused(terms: dict[str, str], message: str) -> None:
    world = World(holdings={"FLAT": "10"})
    with pytest.raises(ApiError) as refused:
        trail(world, **{"qty": "1", **terms})
    assert (refused.value.status, refused.value.message) == (422, message)


def test_the_order_reports_its_mark_and_its_trail(wire: Wire) -> None:
    wire.order("buy", "10")
    order: dict[str, Any] = wire.order(
        "sell", "10", type="trailing_stop", time_in_force="gtc", trail_percent="1.5"
    )
    shown = ("type", "hwm", "trail_percent", "trail_price", "stop_price", "limit_price")
    assert [order[key] for key in shown] == [
        *("trailing_stop", "619.39", "1.5", None, "610.1", None)
    ]
    wire.open_session("2012-08-08", "17:00")
    later = wire.get(f"/v2/orders/{order['id']}")
    assert (later["status"], later["hwm"], later["stop_price"]) == ("new", "623.88", "614.52")
