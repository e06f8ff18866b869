from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.local.paper_broker.conftest import Wire

PATH = "/v2/account/portfolio/history"


def dates(timestamps: list[int]) -> list[str]:
    return [datetime.fromtimestamp(at, UTC).date().isoformat() for at in timestamps]


def test_each_close_lived_through_is_a_point_and_the_running_session_the_last(wire: Wire) -> None:
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


def test_an_account_has_stood_idle_for_two_sessions_before_it_begins(wire: Wire) -> None:
    wire.open_session("2012-08-08")
    history = wire.get(PATH)
    assert dates(history["timestamp"]) == ["2012-08-06", "2012-08-07", "2012-08-08"]
    assert history["equity"][:2] == [100_000, 100_000]
    assert history["profit_loss"][:2] == [0, 0]


def test_deposits_are_not_profit(wire: Wire) -> None:
    wire.send("POST", "/_paper/deposit", {"amount": 1000})
    wire.open_session("2012-08-09")
    wire.send("POST", "/_paper/deposit", {"amount": "-300"})
    history = wire.get(PATH)
    assert history["equity"] == [100_000, 100_000, 101_000, 100_700]
    assert history["profit_loss"] == [0, 0, 0, 0]


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
        {"period": "1D", "start": "2012-08-08", "end": "2012-08-09"},
    ],
)
def test_what_it_cannot_answer_is_422(wire: Wire, query: dict[str, str]) -> None:
    assert wire.send("GET", PATH, **query).status_code == 422
