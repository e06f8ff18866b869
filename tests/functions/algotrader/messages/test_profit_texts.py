from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import Return
from tests.support.finished_runs import (
    PERFORMANCE,
    REPORT,
    RETURNS,
    SNAPSHOT,
    SYMBOL_PROFIT,
    run_report,
)

MADE = Decimal("979.90")


def report(since_close_pnl=MADE, **changes):
    measured = replace(PERFORMANCE, **changes)
    snapshot = replace(SNAPSHOT, performance=measured, since_close_pnl=since_close_pnl)
    return make_texts(run_report(run=REPORT, decision=None, snapshot=snapshot))


def test_a_report_gives_the_days_profit_of_desk_account_and_benchmark():
    reported = report()
    assert reported.sms == (
        "algo-trader PAPER 2013-02-28 report: day -$184 (-0.4%), SPY -0.3%, holds nothing, "
        "best AAPL -$184. Week +1.2%, since Feb 15 +4.2% (SPY +3.9%). Equity $100,000"
    )
    assert reported.subject == "algo-trader PAPER 2013-02-28 report: the day's profit or loss"
    assert "the account: +$979.90 (+0.98%), without deposits and withdrawals" in reported.email
    assert (
        "the desk: -$184.00 (-0.37% of its capital): "
        "realized +$12.50, unrealized -$200.25, dividends +$3.75" in reported.email
    )
    for line in (
        "today: -0.37%, SPY -0.31%",
        "this week, since the close of 2013-02-22: +1.25%, SPY +1.01%",
        "this month, since 2013-02-15: +4.2%, SPY +3.89%",
        "since the first session, 2013-02-15: +4.2%, SPY +3.89%",
        "best holding today: AAPL -$184",
    ):
        assert f"\n  {line}\n" in reported.email
    assert (
        "the desk is 1.23% below its peak; at 20%, or after a daily loss of 5%, it only sells"
        in reported.email
    )


def test_a_report_has_a_table_of_the_desks_positions():
    sold = replace(SYMBOL_PROFIT, symbol="IBM", qty=Decimal(0), price=None, value=Decimal(0))
    lines = report(symbols=(SYMBOL_PROFIT, sold)).email.splitlines()
    at = lines.index("THE DESK'S POSITIONS AND THE DAY'S PROFIT")
    assert lines[at + 1 : at + 4] == [
        "  symbol  shares    price       value       day  realized  unrealized  dividends",
        "  AAPL        56  $441.50  $24,724.00  -$184.00   +$12.50    -$200.25     +$3.75",
        "  IBM          0                $0.00  -$184.00   +$12.50    -$200.25     +$3.75",
    ]


UNKNOWN = Return(SNAPSHOT.previous_session, Decimal(0), None)


def test_a_day_that_is_not_known_is_unknown_and_a_benchmark_without_a_price_says_so():
    reported = report(
        since_close_pnl=None, deposits=None, returns=replace(RETURNS, day=UNKNOWN, total=UNKNOWN)
    )
    assert "report: day -$184 (+0.0%), SPY unknown, " in reported.sms
    assert "since Feb 15 +0.0%" in reported.sms
    assert "the account: unknown" in reported.email
    assert "deposits less withdrawals since the previous close: unknown" in reported.email
    reason = "the run found no recent price or no close of SPY"
    assert f"the return of SPY is unknown, because {reason}" in reported.email


@pytest.mark.parametrize(("known", "shown"), [(Decimal(99000), "$99,000.00"), (None, "unknown")])
def test_the_equity_of_a_later_close_is_not_shown_as_that_of_the_previous_close(
    known: Decimal | None, shown: str
):
    later = replace(SNAPSHOT.account, last_equity_on=SNAPSHOT.session.date)
    snapshot = replace(SNAPSHOT, account=later, close_equity=known)
    reported = make_texts(run_report(run=REPORT, decision=None, snapshot=snapshot))
    assert f"  equity $100,000.00, at the previous close {shown}\n" in reported.email


def test_the_broker_s_own_figure_is_not_called_deposits_because_it_may_contain_dividends():
    """A flatten does not measure the desk, so it computes no deposits."""
    account = replace(SNAPSHOT.account, adjustments=Decimal(20))
    snapshot = replace(SNAPSHOT, account=account, performance=None)
    email = make_texts(run_report(snapshot=snapshot)).email
    assert "  cash that came in without a trade since the previous close: +$20.00\n" in email
    assert "less withdrawals" not in email


def test_without_a_benchmark_the_messages_mention_none():
    reported = report(benchmark="")
    assert "SPY" not in reported.sms + reported.email


def test_the_best_and_the_worst_holding_are_named_by_their_profit():
    loser = replace(SYMBOL_PROFIT, symbol="IBM", unrealized=Decimal(-500))
    winner = replace(SYMBOL_PROFIT, symbol="MSFT", unrealized=Decimal(50))
    sold = replace(SYMBOL_PROFIT, symbol="GOOG", qty=Decimal(0), unrealized=Decimal(-9999))
    reported = report(symbols=(SYMBOL_PROFIT, loser, winner, sold))
    assert "best holding today: MSFT +$66" in reported.email
    assert "worst holding today: IBM -$484" in reported.email
    assert "best" not in report(symbols=(sold,)).email


def test_a_trading_email_reports_the_profit_of_the_desk_next_to_that_of_account_and_benchmark():
    snapshot = replace(SNAPSHOT, performance=PERFORMANCE, since_close_pnl=MADE)
    reported = make_texts(run_report(snapshot=snapshot)).email
    assert "last full session (2013-02-27): +$123.45" in reported
    assert "since its close: +$979.90, without deposits and withdrawals" in reported
    assert (
        "the desk, from that close to this run's start: -$184.00 (-0.37% of its capital): "
        in reported
    )
