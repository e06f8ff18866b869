"""The day's P&L is right to the cent through a deposit, a dividend, a split and a manual holding.

The expected figures come only from the bars and tables of the sample data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from algotrader.adapters.store import Store
from algotrader.contracts import FetchBarsEvent
from algotrader.messages import RunReport, make_texts
from algotrader.model import Leg, Performance, Settings, Snapshot, TradingState
from algotrader.orders.ids import OrderPlace, client_order_id, desk_id
from fetch_bars.fetch import fetch
from local.paper_broker import PaperBrokerProcess
from local.paper_broker.data import load
from tests.functions.fetch_bars.conftest import ARN, PARAMETERS, new_store

HISTORY = load()
MONDAY, TUESDAY = date(2005, 2, 14), date(2005, 2, 15)  # MSFT pays 0.08 a share on Tuesday
FRIDAY, SPLIT = date(2005, 2, 25), date(2005, 2, 28)  # AAPL splits 2:1 on the 28th
OWN = {"AAPL": Decimal(20), "MSFT": Decimal(30)}
MANUAL = Decimal(50)  # shares of MSFT
DIVIDEND = Decimal("0.08")


def close(symbol: str, day: date) -> Decimal:
    (bar,) = (each for each in HISTORY.bars[symbol] if each.session == day)
    return Decimal(bar.close)


def change(symbol: str, before: date, after: date) -> Decimal:
    return close(symbol, after) - close(symbol, before)


@dataclass
class Days:
    """A desk on the paper broker that calls Fetch Bars as the state machine would."""

    broker: PaperBrokerProcess
    store: Store
    environ: dict[str, str]
    calls: int = 0

    def fetch(self, day: date, time: str, **given: object) -> tuple[Snapshot, Performance, str]:
        """Open a session, call the step, and return its snapshot, performance and text."""
        bell = self.broker.open_session(day, time)
        self.calls += 1
        event = FetchBarsEvent(
            execution_arn=f"{ARN}-{self.calls}", input={"scheduled_time": bell, **given}
        )
        result = fetch(event, self.environ, self.store)
        assert result.snapshot is not None, result.message
        snapshot = self.store.get(result.snapshot, Snapshot)
        assert snapshot.performance is not None
        assert result.settings is not None
        settings = self.store.get(result.settings, Settings)
        outcome = RunReport(event.execution_arn, result.run, settings, snapshot)
        return snapshot, snapshot.performance, make_texts(outcome).sms

    def report(self, day: date) -> tuple[Snapshot, Performance, str]:
        return self.fetch(day, "16:15", report_only=True)

    def buy(self, day: date) -> None:
        """Buy the desk's shares with its own order ids."""
        desk = desk_id(self.broker.account()["account_number"], "desk")
        for symbol, qty in OWN.items():
            place = OrderPlace(desk, day, "day", symbol, Leg.ENTRY, 0)
            self.broker.order_by_hand(
                symbol, "buy", str(qty), client_order_id=client_order_id(place)
            )


@pytest.fixture(scope="module")
def days(aws: None) -> Iterator[Days]:
    del aws
    with PaperBrokerProcess(
        session=MONDAY, holdings={"MSFT": str(MANUAL)}, clock_scale=0
    ) as broker:
        urls = {"APCA_API_BASE_URL": broker.url, "APCA_API_DATA_URL": broker.url}
        names = {"SYMBOLS": "AAPL,MSFT", "BENCHMARK": "IBM", "TRADING_STATE_PARAMETER": "/none"}
        made = Days(broker, new_store(), {**PARAMETERS, **urls, **names})
        made.fetch(MONDAY, "09:35")
        made.buy(MONDAY)
        yield made


def test_each_day_adds_up_to_the_cent(days: Days) -> None:
    # On Monday the desk buys at the open, and the rest of the day's profit is unrealized.
    _, monday, text = days.report(MONDAY)
    paid = {each["symbol"]: Decimal(each["filled_avg_price"]) for each in days.broker.orders()}
    bought = sum(qty * (close(s, MONDAY) - paid[s]) for s, qty in OWN.items())
    assert (monday.realized, monday.unrealized, monday.dividends) == (0, bought, 0)
    assert monday.returns.day.benchmark is not None
    assert text.startswith("algo-trader PAPER 2005-02-14 report: day ")

    # Tuesday is the ex-date of a dividend that is paid on March 1. A deposit arrives at noon.
    bell, at_bell, _ = days.fetch(TUESDAY, "09:35")
    assert at_bell.dividends == 30 * DIVIDEND
    assert bell.trading_state is TradingState.ACTIVE
    days.broker.open_session(TUESDAY, "12:00")
    days.broker.deposit("5000")
    snapshot, tuesday, text = days.report(TUESDAY)
    moved = {s: change(s, MONDAY, TUESDAY) for s in OWN}
    desk = 20 * moved["AAPL"] + 30 * moved["MSFT"] + 30 * DIVIDEND
    account = desk - 30 * DIVIDEND + MANUAL * moved["MSFT"]
    assert (tuesday.desk_profit, snapshot.since_close_pnl) == (desk, account)
    assert (tuesday.dividends, tuesday.deposits) == (Decimal("2.40"), 5000)
    assert snapshot.account.equity - snapshot.account.last_equity == account + 5000
    assert f"day {'-' if desk < 0 else '+'}${abs(desk):.0f} (" in text
    assert tuesday.returns.day.desk == round(desk / tuesday.worth, 6)

    # The next day's profit does not contain the deposit either, and cash matches the statement.
    bell, _, _ = days.fetch(date(2005, 2, 16), "09:35")
    assert bell.last_session_pnl == account
    assert bell.warnings == ()

    # No run looks at the last day before the split, but the figures still include it.
    bell, at_bell, _ = days.fetch(SPLIT, "09:35")
    assert bell.ledger.holdings["AAPL"].qty == 40
    assert bell.trading_state is TradingState.ACTIVE
    _, split, _ = days.report(SPLIT)
    aapl = 40 * close("AAPL", SPLIT) - 20 * close("AAPL", FRIDAY)
    assert split.desk_profit == aapl + 30 * change("MSFT", FRIDAY, SPLIT)
    assert {each.symbol: each.profit for each in split.symbols}["AAPL"] == aapl

    # The user sells by hand, and the desk's shares stay in the desk's figures.
    days.broker.order_by_hand("MSFT", "sell", "50")
    _, _, _ = days.fetch(date(2005, 3, 1), "09:35")
    _, after, _ = days.report(date(2005, 3, 1))
    assert {each.symbol: each.qty for each in after.symbols} == {"AAPL": 40, "MSFT": 30}
    assert (after.realized, after.dividends) == (0, 0)  # it counted on its ex-date


def test_an_early_close_is_reported_at_its_first_bell_and_once(days: Days) -> None:
    early = date(2005, 11, 25)

    _, _, text = days.fetch(early, "13:15", report_only=True)

    assert "2005-11-25 report: day " in text
    bell = days.broker.open_session(early, "16:15")
    event = FetchBarsEvent(f"{ARN}-late", {"scheduled_time": bell, "report_only": True})
    assert fetch(event, days.environ, days.store).outcome == "DUPLICATE"


@pytest.mark.runs
def test_the_special_dividend_of_2004_trips_no_limit_and_counts_once(aws: None) -> None:
    """MSFT paid 3 dollars and 8 cents a share, 10 % of its price, and more than the limit."""
    del aws
    friday, ex_date, payable = date(2004, 11, 12), date(2004, 11, 15), date(2004, 11, 29)
    with PaperBrokerProcess(session=friday, clock_scale=0) as broker:
        urls = {"APCA_API_BASE_URL": broker.url, "APCA_API_DATA_URL": broker.url}
        names = {"SYMBOLS": "AAPL,MSFT", "BENCHMARK": "IBM", "TRADING_STATE_PARAMETER": "/none"}
        limits = {"CAPITAL": "2000", "MAX_DAILY_LOSS": "0.05", "MAX_DRAWDOWN": "0.05"}
        days = Days(broker, new_store(), {**PARAMETERS, **urls, **names, **limits})
        days.fetch(friday, "09:35")
        days.buy(friday)
        days.report(friday)

        bell, at_bell, _ = days.fetch(ex_date, "09:35")
        snapshot, made, _ = days.report(ex_date)
        moved = {s: change(s, friday, ex_date) for s in OWN}

        assert moved["MSFT"] < -2
        assert at_bell.dividends == made.dividends == 30 * Decimal("3.08")
        assert made.desk_profit == 20 * moved["AAPL"] + 30 * moved["MSFT"] + 30 * Decimal("3.08")
        assert {bell.trading_state, snapshot.trading_state} == {TradingState.ACTIVE}

        before = max(each for each in HISTORY.sessions if each < payable)
        days.report(before)
        cash = Decimal(broker.account()["cash"])
        _, paid, _ = days.report(payable)
        assert Decimal(broker.account()["cash"]) - cash == 30 * Decimal("3.08")
        assert paid.dividends == 0
        assert paid.desk_profit == sum(OWN[s] * change(s, before, payable) for s in OWN)
