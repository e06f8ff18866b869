"""A stop does not sell by mistake over a real split and a real special dividend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import Bench, RunReport

EVE, SPLIT = date(2005, 2, 25), date(2005, 2, 28)  # AAPL splits 2:1
DIVIDEND_EVE, DIVIDEND = date(2004, 11, 12), date(2004, 11, 15)  # MSFT pays 3 dollars a share
PARAMETERS = {
    "Symbols": "AAPL,IBM,MSFT",
    "Strategy": "rsi_mean_reversion",
    # An RSI below 99 is always low enough to buy, and none is high enough to sell.
    "StrategyParameters": '{"enter_below": 99, "exit_above": 99.5, "stop_loss": 0.08}',
}


@dataclass
class Days:
    """A desk that buys and places stops on the eve of an action."""

    bench: Bench
    broker: PaperBrokerProcess
    stack: Stack

    def ring(self, day: date, time: str = "09:35", **given: Any) -> RunReport:
        bell = self.broker.open_session(day, time)
        report = self.bench.ring(self.stack, {"scheduled_time": bell, **given})
        assert report.status == "SUCCEEDED", report.cause
        return report

    def stops(self, symbol: str) -> list[tuple[str, Decimal, Decimal]]:
        return [
            (each["status"], Decimal(each["qty"]), Decimal(each["stop_price"]))
            for each in self.broker.orders()
            if f"-{symbol}-stop-" in each["client_order_id"]
        ]

    def held(self, symbol: str) -> Decimal:
        (found,) = (each for each in self.broker.positions() if each["symbol"] == symbol)
        return Decimal(found["qty"])


@pytest.fixture
def days(bench: Bench) -> Iterator[Days]:
    with bench.own_broker(clock_scale=20) as broker:
        yield Days(bench, broker, bench.deploy(PARAMETERS))


@pytest.mark.parametrize(
    ("symbol", "eve", "ex_date", "price", "left"),
    [("AAPL", EVE, SPLIT, "80", "20"), ("MSFT", DIVIDEND_EVE, DIVIDEND, "27.60", "10")],
)
def test_a_stop_that_rests_over_the_action_sells_everything_at_the_open(
    symbol: str, eve: date, ex_date: date, price: str, left: str
) -> None:
    """Show the harm without the desk: the stop was below the market until the close."""
    with PaperBrokerProcess(session=eve, holdings={symbol: "10"}) as broker:
        terms = {"type": "stop", "stop_price": price, "time_in_force": "gtc"}
        body = {"symbol": symbol, "side": "sell", "qty": "10", **terms}
        broker.request("POST", "/v2/orders", body)
        broker.open_session(eve, "16:15")
        assert [each["status"] for each in broker.orders()] == ["new"]

        broker.open_session(ex_date, "09:30")

        ((status, sold),) = ((each["status"], each["filled_qty"]) for each in broker.orders())
        assert (status, Decimal(sold)) == ("filled", Decimal(left))
        assert broker.positions() == []


def test_the_report_cancels_it_and_the_ex_dates_first_run_places_a_new_one(days: Days) -> None:
    days.ring(EVE)
    ((_, qty, price),) = days.stops("AAPL")

    report = days.ring(EVE, "16:15", report_only=True)

    assert "algo-trader PAPER 2005-02-25 report: NO STOP over the split AAPL. day " in report.sms
    assert report.orders_sent == 0
    assert [each for each, *_ in days.stops("AAPL")] == ["canceled"]
    assert [each for each, *_ in days.stops("IBM")] == ["new"]

    monday = days.ring(SPLIT)

    assert days.held("AAPL") == 2 * qty
    (_, (status, new_qty, new_price)) = days.stops("AAPL")
    assert (status, new_qty) == ("new", 2 * qty)
    assert abs(new_price - price / 2) <= Decimal("0.01")
    assert "NO STOP" not in monday.sms


def test_a_special_dividend_does_not_reach_the_stop_and_the_text_says_that_there_is_none(
    days: Days,
) -> None:
    days.ring(DIVIDEND_EVE)
    qty = days.held("MSFT")

    report = days.ring(DIVIDEND_EVE, "16:15", report_only=True)
    assert "NO STOP over the dividend MSFT" in report.sms

    monday = days.ring(DIVIDEND)
    assert days.held("MSFT") >= qty
    assert "NO STOP MSFT" in monday.sms  # the price is below the stop that the strategy asks for
    assert "NO STOP for MSFT: STOP_ABOVE_PRICE" in monday.email
