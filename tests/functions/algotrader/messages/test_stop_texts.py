"""Texts report protective stops and lead with NO STOP."""

from dataclasses import replace
from decimal import Decimal

from algotrader.messages import make_texts, read_failure
from algotrader.messages.gsm7 import septets
from algotrader.model import Decision, DesiredStop, Leg, Order, Side
from tests.support.finished_runs import (
    SNAPSHOT,
    decision,
    failed,
    intent,
    order,
    order_id,
    run_report,
    submission,
)


def wish(symbol: str) -> DesiredStop:
    place = order_id(symbol, Leg.STOP)
    return DesiredStop(place, symbol, Decimal(90), Decimal(100), Decimal(5), "no stop rests")


def rests(symbol: str, status: str = "new"):
    return order(
        symbol,
        "0",
        "5",
        side=Side.SELL,
        client_order_id=order_id(symbol, Leg.STOP),
        order_type="stop",
        limit_price=None,
        stop_price=Decimal(90),
        status=status,
    )


PROTECTED = replace(decision(intent("AAPL", "5")), stops=(wish("AAPL"),))


def test_a_resting_stop_counts_as_neither_trouble_nor_fill():
    reported = make_texts(
        run_report(decision=PROTECTED, submission=submission(order("AAPL", "5"), rests("AAPL")))
    )
    assert ": bought 5 AAPL. Last session" in reported.sms
    assert "NO STOP" not in reported.email
    assert "PROTECTIVE STOPS\n  sell 5 AAPL at $90.00, new, " in reported.email


def test_a_stop_that_was_canceled_to_make_room_is_not_called_unfilled():
    reported = make_texts(
        run_report(
            decision=PROTECTED, submission=submission(order("AAPL", "5"), rests("AAPL", "canceled"))
        )
    )
    assert "unfilled" not in reported.sms


def test_what_a_canceled_stop_sold_is_reported_as_sold():
    sold = replace(rests("AAPL", "canceled"), filled_qty=Decimal(3))
    assert ": sold 3 of 5 AAPL. " in make_texts(run_report(submission=submission(sold))).sms


def canceled(stop: Order, before: str) -> Decision:
    ids = (stop.client_order_id,)
    return replace(decision(), cancels=ids, filled_before={ids[0]: Decimal(before)})


def test_what_an_order_had_filled_before_the_decision_is_not_reported_again():
    stop = replace(rests("AAPL", "canceled"), filled_qty=Decimal(3))
    old = make_texts(run_report(decision=canceled(stop, "3"), submission=submission(stop)))
    assert ": no orders: " in old.sms
    assert "sold 3" not in old.sms + old.subject + old.email
    more = make_texts(run_report(decision=canceled(stop, "1"), submission=submission(stop)))
    assert ": sold 2 of 4 AAPL. " in more.sms
    whole = replace(stop, filled_qty=Decimal(5), status="filled")
    rest = make_texts(run_report(decision=canceled(whole, "3"), submission=submission(whole)))
    assert ": sold 2 AAPL. " in rest.sms


def test_an_entry_of_an_earlier_run_that_filled_in_part_is_not_unfilled_when_canceled():
    entry = order("AAPL", "3", "5")
    reported = make_texts(run_report(decision=canceled(entry, "3"), submission=submission(entry)))
    assert "unfilled" not in reported.sms + reported.email
    assert "bought" not in reported.sms
    assert "buy 0 of 2 AAPL, limit order canceled" in reported.email


def test_a_failure_counts_no_order_that_the_run_only_canceled():
    stop = rests("AAPL", "canceled")
    for mine, said in (((), "Orders may be out"), ((order("IBM", "5"),), "At least 1 order sent")):
        placed = submission(stop, *mine)
        reported = failed("Submit Orders", "X", "", decision=canceled(stop, "0"), submission=placed)
        assert said in make_texts(reported).sms


def test_a_holding_without_its_stop_is_named_right_after_the_orders():
    reported = make_texts(
        run_report(
            decision=replace(PROTECTED, unprotected={"IBM": "trading is halted"}),
            submission=submission(order("AAPL", "5"), unprotected={"AAPL": "40310000: wash trade"}),
        )
    )
    assert ": bought 5 AAPL. NO STOP AAPL IBM. Last session" in reported.sms
    assert "NO STOP for 2" in reported.subject
    assert "NO STOP for AAPL: 40310000: wash trade\n" in reported.email
    assert "NO STOP for IBM: trading is halted\n" in reported.email


def test_a_run_that_only_placed_stops_says_that_it_traded_nothing():
    reported = make_texts(
        run_report(
            decision=replace(decision(), stops=(wish("AAPL"),)),
            submission=submission(rests("AAPL")),
        )
    )
    assert "no fills" not in reported.sms
    assert "no orders" in reported.sms


def test_a_run_that_broke_before_its_stops_were_placed_says_no_stop():
    broke = read_failure("Submit Orders", "Sandbox.Timedout", "the function timed out")
    reported = make_texts(run_report(decision=PROTECTED, failure=broke))
    assert "NO STOP for 1" in reported.sms
    assert "NO STOP for AAPL: the run failed before it could place the stop" in reported.email
    known = submission(order("AAPL", "5"), unprotected={})
    assert (
        "NO STOP"
        not in make_texts(run_report(decision=PROTECTED, submission=known, failure=broke)).sms
    )


def test_many_holdings_without_a_stop_still_fit_one_segment_and_are_counted():
    symbols = {f"SYM{number}": "halted" for number in range(60)}
    reported = make_texts(run_report(decision=replace(decision(), unprotected=symbols)))
    assert septets(reported.sms) <= 160
    assert "NO STOP for 60" in reported.sms


def test_what_a_stop_sold_since_the_run_before_is_reported():
    sold = replace(
        rests("AAPL", "filled"), filled_qty=Decimal(5), filled_avg_price=Decimal("89.50")
    )
    reported = make_texts(run_report(snapshot=replace(SNAPSHOT, stopped=(sold,))))
    assert ". Stop sold 5 AAPL. " in reported.sms
    assert "sold 5 AAPL at $89.50" in reported.email
    many = make_texts(run_report(snapshot=replace(SNAPSHOT, stopped=(sold,) * 40)))
    assert "40 stops sold" in many.sms
    assert septets(many.sms) <= 160
