"""Whole runs with an unfit symbol: the run names it, leaves it alone and trades the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import Bench, change_bars
from tests.support.checkout import CHECKOUT

Bars = list[dict[str, Any]]
FUNCTIONS = CHECKOUT / "functions"
SYMBOLS = "AAPL,FB,GOOG,IBM,MSFT"

STRATEGY = """
from decimal import Decimal

from algotrader.strategy import Strategy


class SellApple(Strategy):
    look_back = 2

    def target_weights(self, market, portfolio):
        kept = [each for each in market.symbols if each != "AAPL" or not portfolio.weights]
        return dict.fromkeys(kept, Decimal("0.19"))

    def stop_prices(self, market, portfolio):
        return {symbol: view.price * Decimal("0.8") for symbol, view in market.items()}
"""


def with_close(bars: Bars, close: object) -> Bars:
    """Change one close in the middle of the strategy's bars."""
    return [*bars[:-20], {**bars[-20], "c": close}, *bars[-19:]]


FAULTS: dict[str, tuple[str, Callable[[Bars], Iterable[dict[str, Any]]]]] = {
    "close that is null": ("BARS_NOT_NUMBERS", lambda bars: with_close(bars, None)),
    "close that is NaN": ("BARS_NOT_NUMBERS", lambda bars: with_close(bars, float("nan"))),
    "close of zero": ("BARS_NOT_NUMBERS", lambda bars: with_close(bars, 0)),
    "three missing bars": ("BARS_MISSING", lambda bars: [*bars[:-20], *bars[-17:]]),
    "fewer bars than the warm-up": ("BARS_TOO_FEW", lambda bars: bars[-30:]),
    "stale bars": ("BARS_STALE", lambda bars: bars[:-3]),
    "a symbol without bars": ("BARS_ABSENT", lambda _bars: []),
}


@pytest.mark.parametrize("name", FAULTS)
def test_bars_that_a_run_cannot_use_concern_their_symbol_alone(
    bench: Bench, deployed: Stack, name: str
) -> None:
    code, change = FAULTS[name]
    dry = {"scheduled_time": bench.bell, "dry_run": True}
    reported = bench.ring(deployed, dry, change_bars("IBM", change))
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 0)
    assert "would buy" in reported.sms
    assert "1 unfit" in reported.sms
    assert f"({code})" in reported.email


def test_a_list_with_symbols_that_the_broker_does_not_know_trades_the_others(bench: Bench) -> None:
    stack = bench.deploy({"Symbols": "@liquid"})
    reported = bench.ring(stack, {"scheduled_time": bench.bell, "dry_run": True})
    assert (reported.status, reported.error) == ("SUCCEEDED", None)
    assert "would buy" in reported.sms
    assert "NVDA: the broker does not list it (SYMBOL_UNKNOWN)" in reported.email


def test_a_symbol_that_was_halted_yesterday_keeps_its_holding_and_stop_and_stops_no_other(
    bench: Bench, fresh: PaperBrokerProcess, tmp_path: Path
) -> None:
    functions = tmp_path / "functions"
    shutil.copytree(FUNCTIONS, functions)
    (functions / "strategies" / "sell_apple.py").write_text(STRATEGY, encoding="utf-8")
    parameters = {"Symbols": SYMBOLS, "Strategy": "sell_apple", "Adjustment": "split"}
    stack = bench.deploy(parameters, functions=functions)

    first = bench.ring(stack, {"scheduled_time": bench.bell})
    assert first.status == "SUCCEEDED", first.cause
    assert resting(fresh) == set(SYMBOLS.split(","))
    cancel_stop_of(fresh, "GOOG")

    bell = fresh.open_session(date(2012, 6, 21))
    second = bench.ring(stack, {"scheduled_time": bell}, change_bars("IBM", lambda bars: bars[:-1]))

    assert second.status == "SUCCEEDED", second.cause
    today = [each for each in fresh.orders() if "-2012-06-21-" in each["client_order_id"]]
    exits = [each["symbol"] for each in today if "-exit-" in each["client_order_id"]]
    assert exits == ["AAPL"]
    assert "IBM" not in {each["symbol"] for each in today}
    # IBM keeps yesterday's stop, and GOOG has a new one for the one that was canceled.
    assert resting(fresh) == {"FB", "GOOG", "IBM", "MSFT"}
    assert "sold" in second.sms
    assert "1 unfit" in second.sms
    assert "NO STOP" not in second.sms
    assert "IBM: newest bar 2012-06-19, 2 sessions old (BARS_STALE)" in second.email


def resting(paper: PaperBrokerProcess) -> set[str]:
    """Return the symbols whose protective stop rests."""
    return {
        each["symbol"]
        for each in paper.orders()
        if each["type"] == "stop" and each["status"] in {"new", "accepted", "held"}
    }


def cancel_stop_of(paper: PaperBrokerProcess, symbol: str) -> None:
    (stop,) = [
        each for each in paper.orders() if each["type"] == "stop" and each["symbol"] == symbol
    ]
    paper.request("DELETE", f"/v2/orders/{stop['id']}")
