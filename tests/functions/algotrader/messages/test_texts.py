from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import (
    OrderRejected,
    TradingState,
)
from tests.support.finished_runs import (
    PERFORMANCE,
    RUN,
    SNAPSHOT,
    decision,
    denied,
    order,
    run_report,
    sell,
    sms,
    submission,
)


def test_a_text_leads_with_the_orders_then_names_both_returns_and_the_equity():
    assert sms(
        submission=submission(order("AAPL", "56"), order("GOOG", "31"), order("IBM", "124"))
    ) == (
        "algo-trader PAPER 2013-02-28: bought 56 AAPL, 31 GOOG, 124 IBM, holds 3. "
        "Last session +0.1%, since Feb 15 +4.2%. Equity $100,000"
    )


def test_a_deposit_during_a_run_is_not_profit():
    later = replace(SNAPSHOT.account, equity=SNAPSHOT.account.equity + 500)
    placed = submission(order("AAPL", "5"), account=later)
    plain = replace(SNAPSHOT, performance=None)
    reported = make_texts(run_report(snapshot=plain, submission=placed))
    assert "Account -$20 since close. Equity $100,500" in reported.sms
    assert "since its close: -$20.10, without deposits" in reported.email


def returns_of(**changes):
    measured = replace(PERFORMANCE, returns=replace(PERFORMANCE.returns, **changes))
    return replace(SNAPSHOT, performance=measured)


def test_a_last_session_that_no_run_measured_is_unknown():
    reported = sms(snapshot=returns_of(last=None))
    assert ". Last session unknown, since Feb 15 +4.2%. Equity" in reported


def test_a_desk_in_its_first_session_has_no_last_one_and_says_since_when_it_counts():
    first = returns_of(last=None, first_session=RUN.session)
    assert ", holds nothing. Since Feb 28 +4.2%. Equity $100,000" in sms(snapshot=first)


def test_a_first_session_of_another_year_has_its_year():
    reported = sms(snapshot=returns_of(first_session=date(2011, 2, 15)))
    assert "since Feb 15 2011 +4.2%" in reported


def test_a_text_that_is_too_long_loses_the_equity_first_and_then_the_names_of_problems():
    many = [f"SYM{n}" for n in range(8)]
    some = sms(
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(order("SYM0", "7000")),
    )
    assert some == (
        f"algo-trader PAPER 2013-02-28: bought 7000 SYM0, holds 1. 8 denied ({' '.join(many)}). "
        "Last session +0.1%, since Feb 15 +4.2%"
    )
    reported = sms(
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(*(order(symbol, "7000") for symbol in many[:4])),
    )
    assert reported == (
        "algo-trader PAPER 2013-02-28: bought 7000 SYM0, 7000 SYM1, 7000 SYM2, 7000 SYM3. "
        "8 denied. Last session +0.1%, since Feb 15 +4.2%"
    )


def test_a_text_with_many_problems_still_names_both_returns():
    many = [f"SYM{n}" for n in range(100)]
    snapshot = replace(
        SNAPSHOT,
        trading_state=TradingState.REDUCING,
        last_session_pnl=Decimal(-123456789012),
        since_close_pnl=Decimal("-1E+15"),
    )
    reported = sms(
        run=replace(RUN, slot="1030"),
        snapshot=snapshot,
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(
            *(order(symbol, "0", "5") for symbol in many),
            *(sell(symbol, "5", "6", status="new") for symbol in many),
            rejected=tuple(OrderRejected(symbol, symbol, "1", "no") for symbol in many),
        ),
    )
    assert reported == (
        "algo-trader PAPER 2013-02-28 1030: sold 100. REDUCING. "
        "100 unsettled, 100 rejected, 100 unfilled, 100 denied. "
        "Last session +0.1%, since Feb 15 +4.2%"
    )


def test_a_subject_counts_fills_and_trouble():
    reported = make_texts(
        run_report(
            decision=decision(denied=(denied("MSFT"),)),
            submission=submission(order("AAPL", "5"), order("IBM", "5")),
        )
    )
    assert reported.subject == "algo-trader PAPER 2013-02-28: 2 orders filled, 1 denied"
