"""DELETE /v2/positions closes positions as Alpaca documents it."""

from __future__ import annotations

from typing import Any

import pytest

from local.paper_broker.values import Behaviour
from tests.local.paper_broker.conftest import MakeWire, Wire

POSITIONS = "/v2/positions"


def hold(wire: Wire, **shares: str) -> None:
    for symbol, qty in shares.items():
        wire.order("buy", qty, symbol)
    wire.get(POSITIONS)


@pytest.mark.parametrize("by_id", [False, True])
def test_a_position_is_closed_by_a_market_order(wire: Wire, *, by_id: bool) -> None:
    hold(wire, AAPL="10")
    name = wire.get("/v2/assets/AAPL")["id"] if by_id else "AAPL"
    answer = wire.send("DELETE", f"{POSITIONS}/{name}")

    order: dict[str, Any] = answer.json or {}
    assert answer.status_code == 200
    shown = ("side", "type", "time_in_force", "qty", "symbol")
    assert [order[key] for key in shown] == ["sell", "market", "day", "10", "AAPL"]
    assert wire.get(POSITIONS) == []
    assert wire.get(f"/v2/orders/{order['id']}")["status"] == "filled"


def test_a_short_position_is_bought_back(make_wire: MakeWire) -> None:
    wire = make_wire(behaviour=Behaviour(shorting=True))
    wire.order("sell", "10")
    wire.get(POSITIONS)
    assert (wire.send("DELETE", f"{POSITIONS}/AAPL").json or {})["side"] == "buy"
    assert wire.get(POSITIONS) == []


@pytest.mark.parametrize(
    ("held", "part", "sold"),
    [
        ("10", {"qty": "3"}, "3"),
        ("10", {"qty": "2.5"}, "2.5"),
        ("10", {"percentage": "50"}, "5"),
        ("10", {"percentage": "33"}, "3"),  # whole shares, because the position has whole shares
        ("10.5", {"percentage": "33.333"}, "3.499965"),
        ("10", {"percentage": "100"}, "10"),
    ],
)
def test_a_part_of_a_position_can_be_closed(
    wire: Wire, held: str, part: dict[str, str], sold: str
) -> None:
    hold(wire, AAPL=held)
    answer = wire.send("DELETE", f"{POSITIONS}/AAPL", **part)
    assert (answer.status_code, (answer.json or {})["qty"]) == (200, sold)


@pytest.mark.parametrize(
    ("part", "status", "message"),
    [
        ({"qty": "1", "percentage": "1"}, 422, "only one of qty or percentage is accepted"),
        ({"qty": "0"}, 422, "qty must be > 0"),
        ({"qty": "x"}, 422, "qty must be a number"),
        ({"percentage": "101"}, 422, "percentage must be between 0 and 100"),
        ({"percentage": "0"}, 422, "percentage must be between 0 and 100"),
        ({"percentage": "1"}, 422, "qty must be > 0"),
        (
            {"qty": "11"},
            403,
            "insufficient qty available for order (requested: 11, available: 10)",
        ),
    ],
)
def test_a_wrong_part_is_refused(
    wire: Wire, part: dict[str, str], status: int, message: str
) -> None:
    hold(wire, AAPL="10")
    answer = wire.send("DELETE", f"{POSITIONS}/AAPL", **part)
    wire.contract.breaches.clear()  # some of these break the documents on purpose
    assert (answer.status_code, (answer.json or {})["message"]) == (status, message)


def test_a_position_that_is_not_there_is_404(wire: Wire) -> None:
    answer = wire.send("DELETE", f"{POSITIONS}/AAPL")
    assert (answer.status_code, answer.json) == (
        404,
        {"code": 40410000, "message": "position does not exist"},
    )


def test_shares_of_an_open_order_cannot_be_closed(wire: Wire) -> None:
    hold(wire, AAPL="10")
    stop = wire.order("sell", "10", type="stop", stop_price="500")
    answer = wire.send("DELETE", f"{POSITIONS}/AAPL")
    assert answer.status_code == 403
    assert (answer.json or {})["related_orders"] == [stop["id"]]


def test_all_positions_are_closed_with_a_status_for_each(wire: Wire) -> None:
    hold(wire, AAPL="10", IBM="5")
    wire.order("sell", "5", "IBM", type="stop", stop_price="150")

    answer = wire.send("DELETE", POSITIONS)

    rows: Any = answer.json
    assert answer.status_code == 207
    assert [(row["symbol"], row["status"]) for row in rows] == [("AAPL", 200), ("IBM", 403)]
    assert rows[0]["body"]["qty"] == "10"
    assert rows[1]["body"]["message"].startswith("insufficient qty available for order")
    assert [row["symbol"] for row in wire.get(POSITIONS)] == ["IBM"]


def test_open_orders_can_be_canceled_first(wire: Wire) -> None:
    hold(wire, AAPL="10", IBM="5")
    stop = wire.order("sell", "5", "IBM", type="stop", stop_price="150")
    elsewhere = wire.order("buy", "1", "MSFT", type="limit", limit_price="1")

    answer = wire.send("DELETE", POSITIONS, cancel_orders="true")

    rows: Any = answer.json
    assert [(row["symbol"], row["status"]) for row in rows] == [("AAPL", 200), ("IBM", 200)]
    assert wire.get(POSITIONS) == []
    for order in (stop, elsewhere):
        assert wire.get(f"/v2/orders/{order['id']}")["status"] == "canceled"


def test_no_position_gives_an_empty_list(wire: Wire) -> None:
    answer = wire.send("DELETE", POSITIONS)
    assert (answer.status_code, answer.json) == (207, [])
