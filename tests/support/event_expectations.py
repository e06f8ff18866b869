"""Owns the expected result of every sample event, whether its function runs here or in an image."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest

from local.sandbox.runner.desk import LocalDesk
from tests.support.checkout import CHECKOUT

EVENTS = CHECKOUT / "events"
STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def opened_for_trading(result: Any, desk: LocalDesk) -> None:
    assert (result["outcome"], result["run"]["run_id"]) == ("OPEN", "2012-02-15-day")
    assert result["run"]["sends_orders"] is True
    assert len(desk.read_artifact(result["bars"])["AAPL"]["close"]) == 128


def opened_without_orders(result: Any, _desk: LocalDesk) -> None:
    assert (result["outcome"], result["run"]["sends_orders"]) == ("OPEN", False)


def reported(result: Any, _desk: LocalDesk) -> None:
    assert (result["outcome"], result["bars"]) == ("REPORT", None)


def refused(error: str, *words: str) -> Callable[[Any, LocalDesk], None]:
    def check(result: Any, _desk: LocalDesk) -> None:
        assert result["errorType"] == error
        for word in words:
            assert word in result["errorMessage"]

    return check


def computed_what_was_decided_on(result: Any, _desk: LocalDesk) -> None:
    assert result["features"] == event("decide_orders/first-day")["features"]


def computed_two_averages(result: Any, _desk: LocalDesk) -> None:
    bars = event("compute_indicators/sma-cross")["bars"]["inline"]
    for symbol, values in result["features"]["inline"]["values"].items():
        closes = bars[symbol]["close"]
        assert values["fast"]["last"] == pytest.approx(fmean(closes[-10:]), rel=1e-9)
        assert values["slow"]["previous"] == pytest.approx(fmean(closes[-51:-1]), rel=1e-9)


def decided_what_was_submitted(result: Any, _desk: LocalDesk) -> None:
    submitted = event("submit_orders/first-day")
    assert result["outcome"] == "SUBMIT"
    assert result["decision"] == submitted["decision"]
    assert result["plan"] == submitted["plan"]


def decided_an_exit_and_entries(result: Any, _desk: LocalDesk) -> None:
    decision = result["decision"]["inline"]
    assert decision == event("notify/trading-day")["decision"]["inline"]
    assert [each["symbol"] for each in decision["exits"]] == ["IBM"]
    # the first plan contains only exits
    assert [each["symbol"] for each in result["plan"]["inline"]["orders"]] == ["IBM"]


def denied_all(result: Any, _desk: LocalDesk) -> None:
    decision = result["decision"]["inline"]
    assert result["outcome"] == "NOTHING_TO_SUBMIT"
    assert {each["code"] for each in decision["denied"]} == {"TRADING_HALTED"}
    assert (decision["exits"], decision["entries"]) == ([], [])


def decided_but_submits_nothing(result: Any, _desk: LocalDesk) -> None:
    assert result["outcome"] == "NOTHING_TO_SUBMIT"
    assert len(result["decision"]["inline"]["entries"]) == 3


def decided_to_sell_all(result: Any, _desk: LocalDesk) -> None:
    held = event("decide_orders/flatten")["snapshot"]["inline"]["ledger"]["holdings"]
    decision = result["decision"]["inline"]
    assert {each["symbol"]: each["qty"] for each in decision["exits"]} == {
        symbol: each["qty"] for symbol, each in held.items()
    }
    assert {each["leg"] for each in decision["exits"]} == {"flatten"}
    assert decision["entries"] == []


def sent_nothing(result: Any, desk: LocalDesk) -> None:
    assert desk.paper_broker is not None
    assert result["submission"]["inline"]["orders"] == []
    assert desk.paper_broker.orders() == []


def placed_three_orders(result: Any, desk: LocalDesk) -> None:
    assert desk.paper_broker is not None
    wanted = {
        each["client_order_id"]: each["qty"]
        for each in event("submit_orders/first-day")["plan"]["inline"]["orders"]
    }
    placed = {each["client_order_id"]: each["qty"] for each in desk.paper_broker.orders()}
    assert placed == wanted
    assert len(result["submission"]["inline"]["orders"]) == 3


def said(*words: str, error: str = "") -> Callable[[Any, LocalDesk], None]:
    def check(result: Any, desk: LocalDesk) -> None:
        text = desk.stack.texts()[-1]
        assert (text.sms, text.subject, text.email) == (
            result["sms"],
            result["subject"],
            result["email"],
        )
        assert len(result["sms"]) <= 160
        assert result["error"] == error
        for word in words:
            assert word in result["sms"]

    return check


EXPECTED: dict[str, Callable[[Any, LocalDesk], None]] = {
    "fetch_bars/by-hand": opened_for_trading,
    "fetch_bars/dry-run": opened_without_orders,
    "fetch_bars/report-only": reported,
    "fetch_bars/refused-input": refused("InvalidInputError", "mode"),
    "compute_indicators/momentum-rotation": computed_what_was_decided_on,
    "compute_indicators/sma-cross": computed_two_averages,
    "compute_indicators/too-few-bars": refused("InsufficientHistoryError", "40", "128"),
    "decide_orders/first-day": decided_what_was_submitted,
    "decide_orders/rebalance": decided_an_exit_and_entries,
    "decide_orders/halted": denied_all,
    "decide_orders/dry-run": decided_but_submits_nothing,
    "decide_orders/flatten": decided_to_sell_all,
    "submit_orders/after-the-deadline": sent_nothing,
    "submit_orders/first-day": placed_three_orders,
    "submit_orders/refused-dry-run": refused("ConfigurationError", "RUN_SENDS_NO_ORDERS"),
    "notify/trading-day": said("sold 169 IBM", "bought"),
    "notify/report": said("2012-02-16"),
    "notify/failure-in-fetch-bars": said(
        "FAILED", "BARS_STALE", "late=2 of 4", "No order sent", error="StaleBarsError"
    ),
    "notify/failure-in-submit-orders": said(
        "FAILED", "ORDER_STATE_UNKNOWN", error="OrderStateUnknownError"
    ),
}
