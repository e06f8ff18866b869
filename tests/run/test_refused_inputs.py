"""An input can narrow a run but never widen it; the run refuses anything else by name."""

from __future__ import annotations

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import Bench

WIDENING = {
    "mode": {"mode": "live"},
    "trading mode": {"TradingMode": "live"},
    "limits": {"max_order_notional": 1_000_000},
    "account": {"account_number": "123456789"},
    "strategy": {"strategy": "sma_cross"},
    "symbol outside the deployed list": {"symbols": ["AAPL", "FB"]},
    "symbols that are no list": {"symbols": "AAPL"},
    "no symbol at all": {"symbols": []},
    "future scheduled time": {"scheduled_time": "2099-01-04T14:35:00Z"},
    "scheduled time that is a path": {"scheduled_time": "../../2012-06-20T13:35:00Z"},
    "scheduled time without an offset": {"scheduled_time": "2012-06-20T09:35:00"},
    "dry run that is a word": {"dry_run": "no"},
    "slot that is not deployed": {"slot": "0945"},
    "slot that is a path": {"slot": "../day"},
    "comment that is not Unicode": {"Comment": "x\ud800"},
    "scheduled time beyond all time": {"scheduled_time": "9999-12-31T23:59:59-14:00"},
    "a list": [1, 2],
    "a word": "abc",
    "a number": 5,
    "null": None,
}


@pytest.mark.parametrize("name", WIDENING)
def test_an_input_that_a_run_may_not_have_is_refused(
    bench: Bench, deployed: Stack, paper: PaperBrokerProcess, name: str
) -> None:
    value = WIDENING[name]
    held = paper.orders()  # earlier tests may have traded with this broker
    reported = bench.ring(deployed, value)
    assert (reported.status, reported.error) == ("FAILED", "InvalidInputError"), reported.cause
    assert "FAILED" in reported.sms
    assert reported.orders_sent == 0
    assert paper.orders() == held
    if isinstance(value, dict):
        (field_name,) = value
        assert field_name in reported.email
