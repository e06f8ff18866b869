from __future__ import annotations

from datetime import datetime

import pytest

from local.paper_broker.market import NEW_YORK
from tests.local.paper_broker.conftest import Wire

PATH = "/v2/account/portfolio/history"


def dates(timestamps: list[int]) -> list[str]:
    """Return the sessions of timestamps, which Alpaca sets to 20:00 in New York."""
    points = [datetime.fromtimestamp(at, NEW_YORK) for at in timestamps]
    assert {each.hour for each in points} <= {20}
    return [each.date().isoformat() for each in points]


def test_each_passed_close_is_a_point_and_the_running_session_is_the_last(wire: Wire) -> None:
    wire.order()
    wire.open_session("2012-08-10")
    history = wire.get(PATH, period="1M", timeframe="1D")
    account = wire.get("/v2/account")
    assert dates(history["timestamp"])[2:] == ["2012-08-08", "2012-08-09", "2012-08-10"]
    assert history["equity"][-1] == float(account["equity"])
    assert history["equity"][-2] == float(account["last_equity"])
    assert history["base_value"] == 100_000
    assert history["profit_loss"] == [round(e - 100_000, 2) for e in history["equity"]]


def test_a_shorter_period_starts_from_the_close_before_it(wire: Wire) -> None:
    wire.order()
    wire.open_session("2012-08-13", "17:00")
    whole = wire.get(PATH, period="1A", timeframe="1D")
    last = wire.get(PATH, period="1D", timeframe="1D")
    assert last["equity"] == whole["equity"][-1:]
    assert last["base_value"] == whole["equity"][-2]
    assert last["base_value_asof"] == "2012-08-10"
    assert last["profit_loss"] == [round(whole["equity"][-1] - whole["equity"][-2], 2)]


def test_an_account_was_idle_for_two_sessions_before_it_begins(wire: Wire) -> None:
    wire.open_session("2012-08-08")
    history = wire.get(PATH)
    assert dates(history["timestamp"]) == ["2012-08-06", "2012-08-07", "2012-08-08"]
    assert history["equity"][:2] == [100_000, 100_000]
    assert history["profit_loss"][:2] == [0, 0]


def test_profit_loss_contains_deposits_and_cashflow_lists_them_by_session(wire: Wire) -> None:
    def move(amount: str, **given: str) -> None:
        wire.send("POST", "/_paper/deposit", {"amount": amount, **given})

    move("1000")
    wire.open_session("2012-08-09")
    move("-300")
    move("20", type="INT")
    history = wire.get(PATH, cashflow_types="ALL")
    assert history["equity"] == [100_000, 100_000, 101_000, 100_720]
    assert history["profit_loss"] == [0, 0, 1000, 720]
    assert history["cashflow"] == {
        "CSD": [0, 0, 1000, 0],
        "CSW": [0, 0, 0, -300],
        "INT": [0, 0, 0, 20],
    }
    named = wire.get(PATH, cashflow_types="JNLC,CSW")
    assert named["cashflow"] == {"JNLC": [0, 0, 0, 0], "CSW": [0, 0, 0, -300]}
    assert "cashflow" not in wire.get(PATH)


def test_cash_after_a_close_or_on_a_weekend_is_the_next_sessions(wire: Wire) -> None:
    wire.open_session("2012-08-10", "17:00")  # a Friday
    wire.send("POST", "/_paper/deposit", {"amount": "5"})
    wire.open_session("2012-08-11", "12:00")
    wire.send("POST", "/_paper/deposit", {"amount": "70", "type": "JNLC"})
    wire.open_session("2012-08-13")
    last = wire.get(PATH, period="2D", cashflow_types="ALL")
    assert dates(last["timestamp"]) == ["2012-08-10", "2012-08-13"]
    assert last["equity"] == [100_000, 100_075]
    assert last["cashflow"] == {"CSD": [0, 5], "JNLC": [0, 70]}


def test_start_and_end_are_both_included(wire: Wire) -> None:
    wire.open_session("2012-08-15")
    history = wire.get(PATH, start="2012-08-09", end="2012-08-13")
    assert dates(history["timestamp"]) == ["2012-08-09", "2012-08-10", "2012-08-13"]


@pytest.mark.parametrize(
    "query",
    [
        {"timeframe": "5Min"},
        {"period": "1Y"},
        {"period": "0D"},
        {"cashflow_types": "CSD,XYZ"},
        {"period": "1D", "start": "2012-08-08", "end": "2012-08-09"},
    ],
)
def test_a_query_that_it_cannot_answer_is_422(wire: Wire, query: dict[str, str]) -> None:
    assert wire.send("GET", PATH, **query).status_code == 422
