from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import (
    Holding,
    Leg,
    OrderRejected,
    Side,
)
from tests.support.finished_runs import (
    SNAPSHOT,
    decision,
    denied,
    intent,
    order,
    order_id,
    run_report,
    sell,
    sms,
    submission,
)


def test_sells_come_before_buys_and_a_partial_fill_names_the_whole_quantity():
    reported = sms(submission=submission(order("AAPL", "5", "56"), sell("MSFT", "10")))
    assert ": sold 10 MSFT, bought 5 of 56 AAPL, holds 1. " in reported


def test_an_order_that_was_cut_after_the_decision_names_the_decided_quantity():
    """Shares or cash were missing when the order was due."""
    cut = submission(order("AAPL", "5"))
    assert ": bought 5 of 56 AAPL, cash short, holds 1. " in sms(
        decision=decision(intent("AAPL", "56")), submission=cut
    )


HOLDS_MSFT = replace(
    SNAPSHOT, ledger=replace(SNAPSHOT.ledger, holdings={"MSFT": Holding(Decimal(97), Decimal(1))})
)


def test_a_holding_that_finds_no_cash_for_more_is_kept_and_not_denied():
    poor = replace(denied("MSFT", "INSUFFICIENT_CASH"), qty=Decimal(22))
    reported = make_texts(run_report(snapshot=HOLDS_MSFT, decision=decision(denied=(poor,))))
    assert ": no orders, kept 97 of 119 MSFT, no cash, holds 1. Last session" in reported.sms
    assert "denied" not in reported.sms + reported.subject
    assert "DENIED BY THE DESK\n  buy 22 MSFT: INSUFFICIENT_CASH" in reported.email
    other = replace(poor, symbol="IBM")
    assert "1 denied (IBM)" in sms(snapshot=HOLDS_MSFT, decision=decision(denied=(other,)))


def test_a_buy_that_was_cut_after_the_decision_says_why():
    """The sells' cash counts at the decision, and the run waits for it only so long."""
    exits = (intent("AAPL", "10", Side.SELL),)
    wanted = decision(intent("MSFT", "119"), exits=exits)
    cut = order("MSFT", "97")
    settled = sms(decision=wanted, submission=submission(sell("AAPL", "10"), cut))
    assert ": sold 10 AAPL, bought 97 of 119 MSFT, cash unsettled, holds 1. " in settled
    unsold = sms(decision=wanted, submission=submission(sell("AAPL", "4", "10"), cut))
    assert ": sold 4 of 10 AAPL, bought 97 of 119 MSFT, sells unfilled, holds 1. " in unsold
    whole = sms(decision=wanted, submission=submission(sell("AAPL", "10"), order("MSFT", "119")))
    assert "cash" not in whole


@pytest.mark.parametrize(("free", "why"), [("500", "cash unsettled"), ("1000", "cash short")])
def test_a_buy_that_the_decision_cut_to_the_cash_says_why(free, why):
    account = replace(SNAPSHOT.account, non_marginable_buying_power=Decimal(free))
    reported = sms(
        snapshot=replace(SNAPSHOT, account=account),
        decision=decision(intent("MSFT", "97"), cut_to_cash={"MSFT": Decimal(119)}),
        submission=submission(order("MSFT", "97")),
    )
    assert f": bought 97 of 119 MSFT, {why}, holds 1. " in reported


def test_cash_that_an_open_buy_reserves_is_short_and_not_unsettled():
    account = replace(SNAPSHOT.account, non_marginable_buying_power=Decimal(500))
    users = replace(order("GOOG", "0", "5", status="new"), client_order_id="by-hand")
    reported = sms(
        snapshot=replace(SNAPSHOT, account=account, foreign_open_orders=(users,)),
        decision=decision(intent("MSFT", "97"), cut_to_cash={"MSFT": Decimal(119)}),
        submission=submission(order("MSFT", "97")),
    )
    assert ": bought 97 of 119 MSFT, cash short, holds 1. " in reported


def test_problems_are_counted_and_named():
    reported = sms(
        decision=decision(denied=(denied("MSFT"),)),
        submission=submission(
            order("AAPL", "0", "5"),
            order("GOOG", "0", "5", status="new"),
            rejected=(OrderRejected(order_id("IBM"), "IBM", "40310000", "insufficient"),),
            unsettled=(order_id("GOOG"),),
        ),
    )
    found = "no fills. 1 unsettled (GOOG new), 1 rejected (IBM), 1 unfilled (AAPL), 1 denied"
    assert f"{found} (MSFT)." in reported


def test_an_order_that_hangs_is_named_with_its_status():
    stop = replace(
        order("IBM", "0", "5", status="held"),
        client_order_id=order_id("IBM", Leg.STOP),
        side=Side.SELL,
    )
    placed = submission(
        order("AAPL", "0", "5", status="pending_cancel"),
        stop,
        unsettled=(order_id("AAPL"), stop.client_order_id, order_id("GOOG")),
    )
    assert "3 unsettled (AAPL pending_cancel, IBM stop held, GOOG not shown)" in sms(
        submission=placed
    )
    seen = make_texts(run_report(submission=placed)).email
    assert f"UNSETTLED\n  AAPL pending_cancel, {order_id('AAPL')}\n  IBM stop held, " in seen


def test_an_order_that_somebody_changed_is_called_replaced_and_its_fills_count():
    reported = sms(submission=submission(order("AAPL", "5", "56", status="replaced")))
    assert ": bought 5 of 56 AAPL, holds 1. 1 replaced (AAPL). " in reported
    untouched = sms(submission=submission(order("AAPL", "0", "56", status="replaced")))
    assert "no fills, holds nothing. 1 replaced (AAPL). " in untouched
    assert "unfilled" not in untouched


def test_an_order_rejected_at_once_and_shown_as_rejected_counts_once():
    reported = sms(
        submission=submission(
            order("IBM", "0", "5", status="rejected"),
            rejected=(OrderRejected(order_id("IBM"), "IBM", "40310000", "insufficient"),),
        )
    )
    assert "1 rejected (IBM)" in reported
    assert "unfilled" not in reported


def test_a_denial_before_and_after_the_decision_is_reported_once():
    reported = sms(
        decision=decision(denied=(denied("MSFT"),)),
        submission=submission(order("AAPL", "5"), denied=(denied("MSFT"), denied("IBM"))),
    )
    assert "2 denied (MSFT IBM)" in reported


def test_as_many_orders_as_fit_are_named_and_the_rest_counted():
    reported = sms(submission=submission(*(order(f"SYMBOL{n}", "1234") for n in range(20))))
    assert reported == (
        "algo-trader PAPER 2013-02-28: bought 1234 SYMBOL0, 1234 SYMBOL1, 1234 SYMBOL2, "
        "1234 SYMBOL3, 1234 SYMBOL4 and 15 more. Last session +0.1%, since Feb 15 +4.2%"
    )
