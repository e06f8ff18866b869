from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from local.paper_broker.broker import Options
from local.paper_broker.server import application
from local.paper_broker.values import Behaviour
from tests.docs.markdown import tables
from tests.local.paper_broker.conftest import HEADERS, KEYS, PAGE, MakeWire, Wire

SUB_PENNY = (
    "invalid limit_price 600.001. sub-penny increment does not fulfill minimum pricing criteria"
)
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def test_the_clock_reports_the_bell_in_new_york_time(wire: Wire) -> None:
    assert wire.get("/v2/clock") == {
        "timestamp": "2012-08-08T09:35:00-04:00",
        "is_open": True,
        "next_open": "2012-08-09T09:30:00-04:00",
        "next_close": "2012-08-08T16:00:00-04:00",
    }


def test_the_calendar_leaves_holidays_out_and_reports_early_closes(wire: Wire) -> None:
    days = wire.get("/v2/calendar", start="2012-11-21T00:00:00Z", end="2012-11-27T00:00:00Z")
    assert [(day["date"], day["close"]) for day in days] == [
        ("2012-11-20", "16:00"),  # midnight in UTC is the evening before in New York
        ("2012-11-21", "16:00"),
        ("2012-11-23", "13:00"),
        ("2012-11-26", "16:00"),
    ]
    assert days[0]["settlement_date"] == "2012-11-23"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"APCA-API-KEY-ID": KEYS[0]}, 401),
        ({**HEADERS, "APCA-API-SECRET-KEY": "wrong"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/v2/account", "/v2/stocks/bars"])
def test_missing_keys_are_401_and_wrong_ones_403(
    make_wire: MakeWire, headers: dict[str, str], status: int, path: str
) -> None:
    wire = make_wire()
    answer = wire.send("GET", path, headers=headers)
    wire.contract.breaches.clear()  # a request without keys breaks the documents on purpose
    assert answer.status_code == status
    assert set(answer.json or {}) == ({"message"} if status == 403 else {"code", "message"})


def test_without_configured_keys_any_keys_are_accepted(make_wire: MakeWire) -> None:
    assert make_wire(keys=None).get("/v2/account")["status"] == "ACTIVE"


def test_the_account_starts_with_its_cash_as_strings(wire: Wire) -> None:
    account = wire.get("/v2/account")
    assert {key: account[key] for key in ("cash", "equity", "last_equity", "buying_power")} == {
        "cash": "100000",
        "equity": "100000",
        "last_equity": "100000",
        "buying_power": "200000",
    }
    assert account["non_marginable_buying_power"] == "100000"
    assert "pattern_day_trader" not in account


def test_an_order_is_posted_pending_and_found_filled_under_both_ids(wire: Wire) -> None:
    posted = wire.order(client_order_id="at1-x")
    assert (posted["status"], posted["filled_qty"]) == ("pending_new", "0")
    found = wire.get(f"/v2/orders/{posted['id']}")
    assert (found["status"], found["filled_qty"], found["filled_avg_price"]) == (
        "filled",
        "10",
        "619.52",  # AAPL opened at 619.39 on 2012-08-08
    )
    assert wire.get("/v2/orders:by_client_order_id", client_order_id="at1-x") == found


def test_a_position_is_valued_at_the_open(wire: Wire) -> None:
    wire.order()
    assert wire.get("/v2/positions") == [wire.get("/v2/positions/AAPL")]
    position = wire.get("/v2/positions/AAPL")
    shown = ("qty", "qty_available", "avg_entry_price", "market_value", "unrealized_pl", "side")
    assert [position[key] for key in shown] == ["10", "10", "619.52", "6193.9", "-1.3", "long"]
    assert wire.get(f"/v2/positions/{position['asset_id']}") == position


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v2/positions/AAPL", 404, "position does not exist"),
        ("GET", f"/v2/orders/{UNKNOWN_ID}", 404, f"order not found for {UNKNOWN_ID}"),
        ("DELETE", f"/v2/orders/{UNKNOWN_ID}", 404, f"order not found for {UNKNOWN_ID}"),
        ("GET", "/v2/assets/NOPE", 404, "asset not found for NOPE"),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=x", 404, "order not found for x"),
    ],
)
def test_a_missing_object_is_404(
    wire: Wire, method: str, path: str, status: int, message: str
) -> None:
    answer = wire.send(method, path)
    assert (answer.status_code, answer.json) == (status, {"code": 40410000, "message": message})


@pytest.mark.parametrize("path", ["/v2/nothing", "/", "/v3/clock"])
def test_an_unknown_path_is_404_in_json(wire: Wire, path: str) -> None:
    answer = wire.send("GET", path)
    wire.contract.breaches.clear()  # the documents do not contain this path
    assert (answer.status_code, (answer.json or {})["message"]) == (404, "endpoint not found.")


def test_the_wrong_method_is_405_in_json(wire: Wire) -> None:
    answer = wire.send("POST", "/v2/clock")
    wire.contract.breaches.clear()
    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbol": ""}, "symbol is required"),
        ({"symbol": "NOPE"}, 'asset "NOPE" not found'),
        ({"side": "hold"}, "side must be buy or sell"),
        ({"type": "iceberg"}, "invalid order type"),
        ({"time_in_force": "opg"}, "invalid time_in_force"),
        ({"qty": None}, "qty or notional is required"),
        ({"notional": "5"}, "only one of qty or notional is accepted"),
        ({"qty": "0"}, "qty must be > 0"),
        ({"qty": "NaN"}, "qty must be a number"),
        ({"qty": "1e999999999"}, "qty must be a number"),
        ({"qty": "many"}, "qty must be a number"),
        ({"qty": True}, "qty must be a number"),
        ({"type": "limit"}, "limit orders require a limit price"),
        ({"limit_price": "5"}, "market orders require no stop or limit price"),
        ({"type": "stop"}, "stop orders require a stop price"),
        (
            {"type": "stop_limit", "limit_price": "5"},
            "stop limit orders require both stop and limit price",
        ),
        (
            {"type": "limit", "limit_price": "600.001"},
            SUB_PENNY,
        ),
        ({"client_order_id": "x" * 129}, "client_order_id must be no more than 128 characters"),
        ({"order_class": "bracket"}, "order_class bracket is not supported by the paper broker"),
        ({"extended_hours": True}, "extended hours order must be DAY limit orders"),
    ],
)
def test_a_wrong_order_is_422_and_names_its_fault(
    wire: Wire, change: dict[str, Any], message: str
) -> None:
    body = {"symbol": "AAPL", "side": "buy", "qty": "1", "type": "market", "time_in_force": "day"}
    wanted = {key: value for key, value in {**body, **change}.items() if value is not None}
    answer = wire.send("POST", "/v2/orders", wanted)
    wire.contract.breaches.clear()  # some of these break the documents on purpose
    assert (answer.status_code, (answer.json or {})["message"]) == (422, message)
    assert wire.get("/v2/orders", status="all") == []


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[1]", b'"x"', b"null", b""])
def test_a_body_that_is_not_an_order_is_refused(raw: bytes) -> None:
    answer = Client(application(Options())).post("/v2/orders", data=raw, headers=HEADERS)
    assert answer.status_code in (400, 422)
    assert (answer.json or {})["message"] == "request body format is invalid"


def test_the_broker_refusal_carries_its_figures(wire: Wire) -> None:
    body = {"symbol": "AAPL", "side": "buy", "qty": "1000", "type": "market"}
    answer = wire.send("POST", "/v2/orders", {**body, "time_in_force": "day"})
    assert answer.status_code == 403
    assert answer.json == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "200000.00",
        "cost_basis": "637971.70",
    }


def test_a_cancel_is_204_then_422(wire: Wire) -> None:
    order = wire.order(type="limit", limit_price="1")
    assert wire.send("DELETE", f"/v2/orders/{order['id']}").status_code == 204
    assert wire.get(f"/v2/orders/{order['id']}")["status"] == "canceled"
    answer = wire.send("DELETE", f"/v2/orders/{order['id']}")
    assert (answer.status_code, (answer.json or {})["code"]) == (422, 42210000)


def test_all_open_orders_can_be_canceled_at_once(wire: Wire) -> None:
    ids = [wire.order(type="limit", limit_price="1")["id"] for _ in range(3)]
    answer = wire.send("DELETE", "/v2/orders")
    assert answer.status_code == 207
    assert [(it["id"], it["status"]) for it in answer.json or []] == [(id_, 200) for id_ in ids]
    assert wire.get("/v2/orders") == []


def test_orders_are_listed_by_status_newest_first(wire: Wire) -> None:
    filled = wire.order()["id"]
    resting = wire.order(type="limit", limit_price="1")["id"]
    assert [order["id"] for order in wire.get("/v2/orders")] == [resting]
    assert [order["id"] for order in wire.get("/v2/orders", status="closed")] == [filled]
    assert [o["id"] for o in wire.get("/v2/orders", status="all")] == [resting, filled]
    assert wire.get("/v2/orders", status="all", symbols="MSFT,IBM") == []
    assert wire.get("/v2/orders", status="all", side="sell") == []


def test_orders_are_listed_before_or_after_an_order(wire: Wire) -> None:
    ids = [wire.order(type="limit", limit_price="1", qty="1")["id"] for _ in range(3)]
    listed = {
        name: [order["id"] for order in wire.get("/v2/orders", direction="asc", **{name: ids[1]})]
        for name in ("before_order_id", "after_order_id")
    }
    assert listed == {"before_order_id": ids[:1], "after_order_id": ids[2:]}
    both = wire.send("GET", "/v2/orders", before_order_id=ids[0], after_order_id=ids[1])
    assert both.status_code == 422


def test_orders_of_other_asset_classes_are_an_empty_list(wire: Wire) -> None:
    wire.order(type="limit", limit_price="1")
    assert wire.get("/v2/orders", asset_class="us_option") == []
    assert len(wire.get("/v2/orders", asset_class="us_equity")) == 1


ORDER = {"symbol": "AAPL", "side": "buy", "qty": "1", "type": "market", "time_in_force": "day"}
# What a row of the page's table asks for: a body for /v2/orders, or a path.
NOT_SIMULATED: dict[str, dict[str, str] | str] = {
    "an order for an option": {"symbol": "AAPL120818C00600000"},
    "an order with several legs (`mleg`)": {"order_class": "mleg"},
    "an order for crypto": {"symbol": "BTC/USD"},
    "a bracket, OCO or OTO order": {"order_class": "bracket"},
    "an order for an auction (`opg`, `cls`)": {"time_in_force": "opg"},
    "equity within the day (`timeframe=15Min`)": "/v2/account/portfolio/history?timeframe=15Min",
    "watchlists": "/v2/watchlists",
    "option contracts": "/v2/options/contracts",
    "market data of options, crypto and auctions": "/v2/stocks/auctions?symbols=AAPL",
}


def test_the_page_names_what_the_broker_does_not_simulate(wire: Wire) -> None:
    (table,) = [each for each in tables(PAGE) if each.header == ("Request", "Answer")][:1]
    answers = {}
    for row, wanted in NOT_SIMULATED.items():
        sent = (
            wire.send("GET", wanted)
            if isinstance(wanted, str)
            else wire.send("POST", "/v2/orders", {**ORDER, **wanted})
        )
        answers[row] = f"{sent.status_code} `{(sent.json or {})['message']}`"
    assert answers == {row[0]: row[1] for row in table.rows}


def test_orders_page_by_the_last_stamp_without_a_gap_or_a_double(wire: Wire) -> None:
    ids = [wire.order(type="limit", limit_price="1", qty="1")["id"] for _ in range(7)]
    found: list[str] = []
    after = "2000-01-01T00:00:00Z"
    while page := wire.get("/v2/orders", status="all", limit=3, direction="asc", after=after):
        found += [order["id"] for order in page]
        after = page[-1]["submitted_at"]
    assert found == ids


@pytest.mark.parametrize("limit", ["0", "501", "x", "-1"])
def test_a_limit_beyond_the_page_is_refused(wire: Wire, limit: str) -> None:
    answer = wire.send("GET", "/v2/orders", limit=limit)
    wire.contract.breaches.clear()
    assert answer.status_code == 422


@pytest.mark.parametrize("after", ["yesterday", "2012-08-08T09:00:00", "2012-13-01"])
def test_an_invalid_instant_is_refused(wire: Wire, after: str) -> None:
    assert wire.send("GET", "/v2/orders", after=after).status_code == 422


def test_assets_are_those_listed_by_now(wire: Wire, make_wire: MakeWire) -> None:
    assert [it["symbol"] for it in wire.get("/v2/assets")] == [
        *("AAPL", "EQWT", "FB", "GOOG", "IBM", "MSFT")
    ]
    on_nyse = wire.get("/v2/assets", exchange="NYSE")
    assert [it["symbol"] for it in on_nyse] == ["EQWT", "IBM"]
    before = make_wire()
    before.open_session("2012-05-17")
    assert before.send("GET", "/v2/assets/FB").status_code == 404
    before.open_session("2012-05-18")
    assert before.get("/v2/assets/FB")["tradable"] is True


def test_an_untradable_symbol_is_reported_by_the_asset_and_by_the_order(
    make_wire: MakeWire,
) -> None:
    wire = make_wire(behaviour=Behaviour(untradable=("AAPL",), unfractionable=("MSFT",)))
    assert wire.get("/v2/assets/AAPL")["tradable"] is False
    assert wire.get("/v2/assets/MSFT")["fractionable"] is False
    body = {"symbol": "AAPL", "side": "buy", "qty": "1", "type": "market", "time_in_force": "day"}
    assert wire.send("POST", "/v2/orders", body).status_code == 422


def test_the_statement_reports_fills_dividends_and_deposits(wire: Wire) -> None:
    wire.order()
    wire.open_session("2012-08-22")
    assert [it["activity_type"] for it in wire.get("/v2/account/activities")] == ["FILL"]
    wire.open_session("2012-08-23")
    wire.send("POST", "/_paper/deposit", {"amount": "250"})
    entries = wire.get("/v2/account/activities")
    assert [it["activity_type"] for it in entries] == ["CSD", "DIV", "FILL"]
    assert (entries[1]["net_amount"], entries[1]["per_share_amount"]) == ("26.5", "2.65")
    assert wire.get("/v2/account/activities/DIV") == [entries[1]]
    assert wire.get("/v2/account/activities", activity_types="FILL", direction="asc") == [
        entries[2]
    ]
    fills = "/v2/account/activities/FILL"
    assert wire.get(fills, order_id=entries[2]["order_id"]) == [entries[2]]
    assert wire.get(fills, order_id=UNKNOWN_ID) == []
    pages = wire.get("/v2/account/activities", page_size=1)
    while page := wire.get("/v2/account/activities", page_size=1, page_token=pages[-1]["id"]):
        pages += page
    assert pages == entries


def test_the_ban_on_short_sales_is_read_and_set_as_at_alpaca(wire: Wire) -> None:
    path = "/v2/account/configurations"
    assert wire.get(path)["no_shorting"] is True
    wire.order("buy", "5")
    wire.get("/v2/positions")

    answer = wire.send("PATCH", path, {"no_shorting": False, "trade_confirm_email": "all"})
    assert (answer.status_code, answer.json["no_shorting"]) == (200, False)
    assert wire.get("/v2/account")["shorting_enabled"] is True
    assert wire.send("PATCH", path, {"suspend_trade": True}).json["no_shorting"] is False
    assert wire.get("/v2/account")["trade_suspended_by_user"] is True
    assert wire.get("/_paper/behaviour")["shorting"] is True


@pytest.mark.parametrize(
    "body", [{"odd": 1}, {"fractional_trading": False}, {"max_margin_multiplier": "4"}]
)
def test_a_setting_that_cannot_be_changed_is_refused(wire: Wire, body: object) -> None:
    answer = wire.send("PATCH", "/v2/account/configurations", body)
    assert (answer.status_code, answer.json["code"]) == (422, 40010001)
    assert wire.get("/v2/account/configurations")["no_shorting"] is True
