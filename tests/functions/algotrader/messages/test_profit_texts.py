from dataclasses import replace
from decimal import Decimal

from algotrader.messages import make_texts
from tests.support.finished_runs import (
    PERFORMANCE,
    REPORT,
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
        "algo-trader PAPER 2013-02-28 report: day +$979.90 (+0.98%). Desk -$184.00 (-0.37%). "
        "SPY -0.31%. Equity $100,000.00"
    )
    assert reported.subject == "algo-trader PAPER 2013-02-28 report: the day's profit or loss"
    assert "the account: +$979.90 (+0.98%), without deposits and withdrawals" in reported.email
    assert (
        "the desk: -$184.00 (-0.37% of its capital): "
        "realized +$12.50, unrealized -$200.25, dividends +$3.75" in reported.email
    )
    assert "SPY: -0.31%" in reported.email
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


def test_a_day_that_is_not_known_is_unknown_and_a_benchmark_without_a_price_says_so():
    reported = report(since_close_pnl=None, deposits=None, benchmark_change=None)
    assert "report: day unknown. Desk -$184.00 (-0.37%). SPY unknown." in reported.sms
    assert "the account: unknown" in reported.email
    assert "deposits less withdrawals since the previous close: unknown" in reported.email
    assert "SPY: the broker has no price for it" in reported.email


def test_without_a_benchmark_or_capital_nothing_is_said_of_them():
    reported = report(benchmark="", benchmark_change=None, worth=Decimal(0))
    assert reported.sms == (
        "algo-trader PAPER 2013-02-28 report: day +$979.90 (+0.98%). Desk -$184.00. "
        "Equity $100,000.00"
    )


def test_a_trading_email_reports_the_desks_profit_next_to_both_others():
    snapshot = replace(SNAPSHOT, performance=PERFORMANCE, since_close_pnl=MADE)
    reported = make_texts(run_report(snapshot=snapshot)).email
    assert "last full session (2013-02-27): +$123.45" in reported
    assert "since its close: +$979.90, without deposits and withdrawals" in reported
    assert (
        "the desk, from that close to this run's start: -$184.00 (-0.37% of its capital): "
        in reported
    )
