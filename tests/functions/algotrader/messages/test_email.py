from msgspec.structs import replace

from algotrader.messages import make_texts
from tests.support.finished_runs import (
    RUN,
    SNAPSHOT,
    decision,
    denied,
    intent,
    order,
    run_report,
    submission,
)


def test_an_email_contains_orders_denials_reasons_profit_account_warnings_and_the_record():
    reported = make_texts(
        run_report(
            snapshot=replace(SNAPSHOT, warnings=("No corporate actions from this broker.",)),
            decision=decision(intent("AAPL", "56"), denied=(denied("MSFT"),)),
            submission=submission(order("AAPL", "56")),
        )
    ).email
    for line in (
        "algo-trader PAPER 2013-02-28: bought 56 AAPL, holds 1.",
        "  stack desk, strategy fixed_weights",
        "  trading state ACTIVE",
        "ORDERS\n  buy 56 of 56 AAPL at $100.00, $5,600.00, limit order filled, at1-",
        "DENIED BY THE DESK\n  buy 900 MSFT: MAX_ORDER_NOTIONAL 90000 > 50000",
        "WHY\n  AAPL: Target weight 25%.",
        "  last full session (2013-02-27): +$123.45",
        "  since its close: -$20.10",
        "  equity $100,000.00, at the previous close $100,020.10",
        "  target weights: AAPL 25%",
        "WARNINGS\n  1 denied (MSFT)\n  No corporate actions from this broker.",
        "RECORD\n  s3://bucket/runs/2013-02-28/2013-02-28-day/record.json",
        f"  execution {RUN.execution_arn}",
    ):
        assert line in reported
    assert "UNSETTLED" not in reported


def test_an_email_of_a_huge_universe_is_cut_between_lines_and_says_so():
    why = {f"SYM{n}": "x" * 200 for n in range(1000)}
    reported = make_texts(run_report(decision=decision(why=why))).email
    assert len(reported) < 61_000
    assert reported.endswith("x\n\nThis e-mail omits the rest, which is in the run's record.\n")
