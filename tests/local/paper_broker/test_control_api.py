from __future__ import annotations

from typing import Any

import pytest

from local.paper_broker.values import AccountSetup
from tests.local.paper_broker.conftest import MakeWire, Wire
from tests.local.paper_broker.world import D


def test_the_sessions_are_the_dates_of_the_bars(wire: Wire) -> None:
    sessions = wire.get("/_paper/sessions")
    assert (len(sessions), sessions[0], sessions[-1]) == (3270, "2000-03-01", "2013-03-01")


def test_a_move_returns_the_bell_in_utc_and_sets_the_clock(wire: Wire) -> None:
    assert wire.open_session("2012-11-23") == {
        "session": "2012-11-23",
        "is_session": True,
        "scheduled_time": "2012-11-23T14:35:00Z",
    }
    assert wire.get("/v2/clock")["timestamp"] == "2012-11-23T09:35:00-05:00"


def test_a_day_without_a_session_can_be_opened_and_is_closed(wire: Wire) -> None:
    assert wire.open_session("2012-12-25")["is_session"] is False
    assert wire.get("/v2/clock")["is_open"] is False


def test_an_untouched_account_may_begin_on_any_day_even_in_the_past(wire: Wire) -> None:
    wire.open_session("2011-01-03")
    wire.open_session("2010-01-04")
    assert wire.get("/v2/clock")["timestamp"].startswith("2010-01-04")
    assert len(wire.get("/v2/account/portfolio/history")["equity"]) == 3


def test_an_account_that_traded_never_goes_back(wire: Wire) -> None:
    wire.order()
    answer = wire.send("POST", "/_paper/session", {"date": "2012-08-07"})
    assert answer.status_code == 409
    assert wire.get("/v2/orders", status="all")[0]["status"] == "filled"


def dividends_paid(wire: Wire) -> list[str]:
    """Return what each dividend paid, the newest first."""
    rows = wire.get("/v2/account/activities", activity_types="DIV")
    return [each["net_amount"] for each in rows]


def test_a_move_passes_through_each_session_in_between(wire: Wire) -> None:
    wire.order()
    resting = wire.order(type="limit", limit_price="600", time_in_force="gtc")
    wire.open_session("2012-11-08")
    order = wire.get(f"/v2/orders/{resting['id']}")
    assert (order["status"], order["filled_avg_price"]) == ("filled", "600")
    assert len(wire.get("/v2/account/portfolio/history", period="1A")["equity"]) == 66
    assert dividends_paid(wire) == ["26.5"]
    wire.open_session("2012-11-21")  # two weeks after the second ex-date
    assert dividends_paid(wire) == ["53", "26.5"]


def test_holdings_are_split_and_paid_like_bought_shares(make_wire: MakeWire) -> None:
    wire = make_wire(opening=AccountSetup(cash=D(1000), holdings={"AAPL": D(10)}))
    wire.open_session("2005-02-25")
    wire.open_session("2005-02-28")
    (position,) = wire.get("/v2/positions")
    assert (position["qty"], wire.get("/v2/account")["cash"]) == ("20", "1000")
    assert wire.get("/v2/account/activities")[0]["activity_type"] == "SPLIT"


def test_a_trade_by_hand_is_an_order_with_an_id_that_no_desk_writes(wire: Wire) -> None:
    answer = wire.send("POST", "/_paper/order", {"symbol": "IBM", "side": "buy", "qty": "3"})
    assert answer.status_code == 200
    (order,) = wire.get("/v2/orders", status="all")
    assert (order["symbol"], order["status"], order["filled_qty"]) == ("IBM", "filled", "3")
    assert not order["client_order_id"].startswith("at1-")


def test_a_deposit_moves_cash_and_buying_power_and_is_not_profit(wire: Wire) -> None:
    wire.send("POST", "/_paper/deposit", {"amount": "500.50"})
    wire.send("POST", "/_paper/deposit", {"amount": -100})
    account = wire.get("/v2/account")
    assert (account["cash"], account["intraday_adjustments"]) == ("100400.5", "400.5")
    assert account["last_equity"] == "100000"


def test_cash_of_any_kind_is_booked_in_the_statement(wire: Wire) -> None:
    kinds = ("JNL", "JNLC", "ACATC", "INT", "FEE", "CFEE", "PTC", "PTR", "OCT")
    for kind in kinds:
        wire.send("POST", "/_paper/deposit", {"amount": "-1.25", "type": kind})
    rows = wire.get("/v2/account/activities", category="non_trade_activity", direction="asc")
    assert [each["activity_type"] for each in rows] == list(kinds)
    assert {each["net_amount"] for each in rows} == {"-1.25"}
    assert all(each["created_at"].startswith(each["date"]) for each in rows)
    account = wire.get("/v2/account")
    assert (account["cash"], account["intraday_adjustments"]) == ("99988.75", "-3.75")


@pytest.mark.parametrize("kind", ["FILL", "DIV", "SPLIT", "XYZ"])
def test_cash_of_trades_and_corporate_actions_is_not_booked_by_hand(wire: Wire, kind: str) -> None:
    answer = wire.send("POST", "/_paper/deposit", {"amount": "1", "type": kind})
    assert (answer.status_code, wire.get("/v2/account")["cash"]) == (422, "100000")


def test_behaviour_changes_field_by_field(wire: Wire) -> None:
    wire.send("POST", "/_paper/behaviour", {"never_fill": ["AAPL"]})
    answer = wire.send("POST", "/_paper/behaviour", {"slippage_bps": 10})
    assert (answer.json or {})["never_fill"] == ["AAPL"]
    assert wire.get("/_paper/behaviour")["slippage_bps"] == "10"
    wire.order()
    assert wire.get("/v2/orders")[0]["status"] == "new"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("session", {"date": "2012-8-8"}),
        ("session", {"date": "2012-08-09", "time": "half past nine"}),
        ("session", {"date": "2013-03-02"}),
        ("session", {"date": "1999-01-01"}),
        ("session", {}),
        ("session", None),
        ("deposit", {"amount": "much"}),
        ("deposit", {"amount": "NaN"}),
        ("deposit", {}),
        ("order", {"symbol": "IBM"}),
        ("behaviour", {"unknown": 1}),
        ("behaviour", {"fill_parts": "two"}),
        ("behaviour", []),
    ],
)
def test_a_wrong_request_is_422_and_changes_nothing(wire: Wire, path: str, body: Any) -> None:
    before = wire.get("/v2/account")
    assert wire.send("POST", f"/_paper/{path}", body).status_code == 422
    assert wire.get("/v2/account") == before
