"""PATCH /v2/orders/<id> replaces an order as Alpaca documents it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import TestResponse

from local.paper_broker.exchange import Exchange
from local.paper_broker.values import Behaviour, Order
from tests.local.paper_broker.conftest import MakeWire, Wire
from tests.local.paper_broker.world import World


def patch(wire: Wire, order: dict[str, Any], **changes: Any) -> TestResponse:
    return wire.send("PATCH", f"/v2/orders/{order['id']}", changes)


def resting(wire: Wire, **terms: str) -> Any:
    """Place a buy limit far below the market, which is `new` from the next request on."""
    order = wire.order(**{"type": "limit", "limit_price": "400", **terms})
    return wire.get(f"/v2/orders/{order['id']}")


def test_a_replacement_is_a_new_order_that_names_the_old_one(wire: Wire) -> None:
    old = resting(wire, client_order_id="mine")
    answer = patch(wire, old, limit_price="410", qty="8", time_in_force="gtc")

    new = answer.json or {}
    assert answer.status_code == 200
    assert (new["replaces"], new["replaced_by"], new["status"]) == (old["id"], None, "pending_new")
    assert [new[key] for key in ("qty", "limit_price", "time_in_force")] == ["8", "410", "gtc"]
    assert new["client_order_id"] != "mine"
    replaced = wire.get(f"/v2/orders/{old['id']}")
    assert (replaced["status"], replaced["replaced_by"]) == ("replaced", new["id"])
    assert replaced["replaced_at"] is not None
    assert [order["id"] for order in wire.get("/v2/orders")] == [new["id"]]
    assert [order["id"] for order in wire.get("/v2/orders", status="closed")] == [old["id"]]


def test_a_replacement_keeps_what_the_request_does_not_name(wire: Wire) -> None:
    old = resting(wire, time_in_force="gtc")
    new = patch(wire, old, limit_price="401.5").json or {}
    kept = ("symbol", "qty", "side", "type", "time_in_force", "stop_price")
    assert [new[key] for key in kept] == [old[key] for key in kept]


def test_a_replacement_can_have_a_client_order_id_that_nobody_used(wire: Wire) -> None:
    old = resting(wire, client_order_id="mine")
    taken = patch(wire, old, limit_price="410", client_order_id="mine")
    assert (taken.status_code, (taken.json or {})["message"]) == (
        422,
        "client_order_id must be unique",
    )
    assert wire.get(f"/v2/orders/{old['id']}")["status"] == "new"

    new = patch(wire, old, limit_price="410", client_order_id="mine-2").json or {}
    assert wire.get("/v2/orders:by_client_order_id", client_order_id="mine-2")["id"] == new["id"]


def test_a_replacement_needs_only_the_power_and_the_shares_beyond_the_old_order(
    wire: Wire,
) -> None:
    old = resting(wire, qty="400")  # reserves 160,000 of 200,000 dollars
    assert patch(wire, old, limit_price="450").status_code == 200
    wire.order("buy", "10", symbol="MSFT")
    wire.get("/v2/orders")
    held = wire.order("sell", "10", symbol="MSFT", type="limit", limit_price="90")
    wire.get("/v2/orders")
    assert patch(wire, held, limit_price="91").status_code == 200
    assert wire.get("/v2/positions/MSFT")["qty_available"] == "0"


def test_a_replacement_beyond_the_buying_power_leaves_the_old_order(wire: Wire) -> None:
    old = resting(wire)
    answer = patch(wire, old, qty="1000")
    assert (answer.status_code, (answer.json or {})["message"]) == (
        403,
        "insufficient buying power",
    )
    assert wire.get(f"/v2/orders/{old['id']}")["status"] == "new"


@pytest.mark.parametrize(
    ("terms", "changes", "message"),
    [
        ({}, {}, "order parameters are not changed"),
        ({}, {"limit_price": "400.0", "qty": "10"}, "order parameters are not changed"),
        ({}, {"client_order_id": "only"}, "order parameters are not changed"),
        ({}, {"stop_price": "5"}, "limit orders must not have stop price"),
        ({}, {"trail": "5"}, "limit orders must not have trail"),
        ({}, {"limit_price": "0"}, "limit_price must be > 0"),
        ({}, {"qty": "0"}, "qty must be > 0"),
        ({}, {"time_in_force": "opg"}, "invalid time_in_force"),
        ({}, {"notional": "5"}, "notional orders cannot be replaced"),
        ({}, {"qty": "1.5"}, "only whole shares can be replaced"),
        ({"qty": "1.5"}, {"qty": "2"}, "only whole shares can be replaced"),
        ({"qty": "1.5"}, {"time_in_force": "gtc"}, "fractional orders must be DAY orders"),
        (
            {"type": "stop", "limit_price": "", "stop_price": "700"},
            {"limit_price": "5"},
            "stop orders must not have limit price",
        ),
    ],
)
def test_a_wrong_replacement_is_422_and_leaves_the_order(
    wire: Wire, terms: dict[str, str], changes: dict[str, str], message: str
) -> None:
    body = {"type": "limit", "limit_price": "400", **terms}
    placed = wire.order(**{key: value for key, value in body.items() if value})
    wire.get("/v2/orders")
    answer = patch(wire, placed, **changes)
    assert (answer.status_code, (answer.json or {})["message"]) == (422, message)
    assert wire.get(f"/v2/orders/{placed['id']}")["status"] == "new"


def test_an_order_that_is_not_at_the_exchange_cannot_be_replaced(wire: Wire) -> None:
    wire.open_session("2012-08-08", "17:00")
    waiting = wire.order(type="limit", limit_price="400")
    answer = patch(wire, waiting, limit_price="401")
    message = "cannot replace order in accepted status"
    assert (answer.status_code, answer.json) == (422, {"code": 42210000, "message": message})


def test_ended_and_unknown_orders_cannot_be_replaced(wire: Wire) -> None:
    filled, old = wire.order(), resting(wire)
    patch(wire, old, limit_price="401")
    unknown = {"id": "00000000-0000-4000-8000-000000000000"}
    answers = [patch(wire, each, limit_price="402") for each in (filled, old, unknown)]
    assert [(it.status_code, (it.json or {})["message"]) for it in answers] == [
        (422, "cannot replace order in filled status"),
        (422, "order already replaced"),
        (404, f"order not found for {unknown['id']}"),
    ]


def test_the_new_trail_keeps_its_kind_and_starts_a_new_mark(wire: Wire) -> None:
    wire.order("buy", "10")
    order = wire.order("sell", "10", type="trailing_stop", time_in_force="gtc", trail_percent="20")
    wire.open_session("2012-08-09")
    assert wire.get(f"/v2/orders/{order['id']}")["hwm"] == "623.88"

    new = patch(wire, order, trail="10").json or {}

    assert (new["trail_percent"], new["trail_price"]) == ("10", None)
    assert (new["hwm"], new["stop_price"]) == ("617.85", "556.07")  # the open of 2012-08-09
    assert new["expires_at"] > order["expires_at"]


def test_a_notional_order_cannot_be_replaced(make_wire: MakeWire) -> None:
    wire = make_wire(behaviour=Behaviour(never_fill=("AAPL",)))
    body = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
    order = wire.send("POST", "/v2/orders", {**body, "notional": "500"}).json
    wire.get("/v2/orders")
    answer = patch(wire, order or {}, qty="1")
    assert (answer.json or {})["message"] == "notional orders cannot be replaced"


def half_filled() -> tuple[Exchange, Order]:
    world = World(fill_fraction=Decimal("0.5"))
    order = world.limit("buy", "10", "100", time_in_force="gtc")
    world.look()
    assert (order.status, order.filled_qty) == ("partially_filled", 5)
    return world.exchange, order


def test_a_replacement_trades_only_what_the_old_order_has_not() -> None:
    exchange, old = half_filled()
    new = exchange.replace(old.id, {"limit_price": "99"})
    assert (new.qty, new.filled_qty) == (5, 0)
    assert (old.status, old.filled_qty) == ("replaced", 5)

    exchange, old = half_filled()
    assert exchange.replace(old.id, {"qty": "8"}).qty == 3


def test_the_new_quantity_must_exceed_what_has_filled() -> None:
    exchange, old = half_filled()
    with pytest.raises(Exception, match="qty must be > filled_qty"):
        exchange.replace(old.id, {"qty": "5"})
