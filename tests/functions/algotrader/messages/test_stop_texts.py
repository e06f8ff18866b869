"""Texts report protective stops and lead with NO STOP."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.messages import Texts, make_texts, read_failure
from algotrader.messages.gsm7 import septets
from algotrader.model import CorporateAction, Decision, DesiredStop, Holding, Leg, Order, Side
from tests.support.finished_runs import (
    REPORT,
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


def test_a_resting_stop_counts_neither_as_a_problem_nor_as_a_fill():
    reported = make_texts(
        run_report(decision=PROTECTED, submission=submission(order("AAPL", "5"), rests("AAPL")))
    )
    assert ": bought 5 AAPL, holds 1. Last session" in reported.sms
    assert "NO STOP" not in reported.email
    assert "PROTECTIVE STOPS\n  sell 5 AAPL at $90.00, new, " in reported.email


def test_a_stop_that_was_canceled_to_make_room_is_not_called_unfilled():
    reported = make_texts(
        run_report(
            decision=PROTECTED, submission=submission(order("AAPL", "5"), rests("AAPL", "canceled"))
        )
    )
    assert "unfilled" not in reported.sms


def test_shares_that_a_canceled_stop_sold_are_reported_as_sold():
    sold = replace(rests("AAPL", "canceled"), filled_qty=Decimal(3))
    assert (
        ": sold 3 of 5 AAPL, holds nothing. "
        in make_texts(run_report(submission=submission(sold))).sms
    )


def canceled(stop: Order, before: str) -> Decision:
    ids = (stop.client_order_id,)
    return replace(decision(), cancels=ids, filled_before={ids[0]: Decimal(before)})


def test_fills_from_before_the_decision_are_not_reported_again():
    stop = replace(rests("AAPL", "canceled"), filled_qty=Decimal(3))
    old = make_texts(run_report(decision=canceled(stop, "3"), submission=submission(stop)))
    assert ": no orders: " in old.sms
    assert "sold 3" not in old.sms + old.subject + old.email
    more = make_texts(run_report(decision=canceled(stop, "1"), submission=submission(stop)))
    assert ": sold 2 of 4 AAPL, holds nothing. " in more.sms
    whole = replace(stop, filled_qty=Decimal(5), status="filled")
    rest = make_texts(run_report(decision=canceled(whole, "3"), submission=submission(whole)))
    assert ": sold 2 AAPL, holds nothing. " in rest.sms


def test_a_partly_filled_entry_of_an_earlier_run_is_not_called_unfilled_when_canceled():
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
    assert ": bought 5 AAPL, holds 1. NO STOP AAPL IBM. Last session" in reported.sms
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


def test_a_run_that_failed_before_it_placed_its_stops_says_no_stop():
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


def test_a_stops_sale_since_the_previous_run_is_reported():
    sold = replace(
        rests("AAPL", "filled"), filled_qty=Decimal(5), filled_avg_price=Decimal("89.50")
    )
    reported = make_texts(run_report(snapshot=replace(SNAPSHOT, stopped=(sold,))))
    assert ". Stop sold 5 AAPL. " in reported.sms
    assert "sold 5 AAPL at $89.50" in reported.email
    many = make_texts(run_report(snapshot=replace(SNAPSHOT, stopped=(sold,) * 40)))
    assert "40 stops sold" in many.sms
    assert septets(many.sms) <= 160


def split_of(symbol: str, kind: str = "forward_split") -> CorporateAction:
    return CorporateAction(symbol, kind, date(2013, 3, 1), None)


def report_over(*symbols: str, gone: tuple[str, ...] = (), **changes: Any) -> Texts:
    """Return the messages of a report that cancels stops; the stops of ``gone`` have ended."""
    snapshot = replace(
        SNAPSHOT,
        clock=replace(SNAPSHOT.clock, now=SNAPSHOT.session.close),
        stops_at_risk={each: split_of(each) for each in symbols},
    )
    stops = {each: rests(each, "canceled" if each in gone else "new") for each in symbols}
    made = replace(decision(), cancels=tuple(each.client_order_id for each in stops.values()))
    asked = {"snapshot": snapshot, "submission": submission(*stops.values()), **changes}
    return make_texts(run_report(run=REPORT, decision=made, **asked))


def test_a_report_leads_with_the_stops_that_it_canceled_and_those_that_rest():
    texts = report_over("AAPL", "IBM", gone=("AAPL",))
    both = "STOP RESTS over the split IBM, NO STOP over the split AAPL. day "
    assert both in texts.sms
    assert "report: STOP RESTS over the split for 1, NO STOP over the split" in texts.subject
    assert "STOP RESTS for IBM over the forward split on 2013-03-01. " in texts.email
    assert "NO STOP for AAPL over the forward split on 2013-03-01. " in texts.email
    assert "target weights" not in texts.email


def test_a_stop_that_sold_before_its_cancel_is_neither_open_nor_missing():
    sold = replace(rests("AAPL", "filled"), filled_qty=Decimal(5))
    texts = report_over("AAPL", submission=submission(sold))
    assert "over the split" not in texts.sms


def test_several_kinds_of_actions_share_one_word():
    actions = {"AAPL": split_of("AAPL", "spin_off"), "IBM": split_of("IBM", "cash_merger")}
    texts = report_over(snapshot=replace(SNAPSHOT, stops_canceled=actions))
    assert ": NO STOP over the corporate actions AAPL IBM. " in texts.sms
    spun = {"AAPL": split_of("AAPL", "spin_off")}
    texts = report_over(snapshot=replace(SNAPSHOT, stops_canceled=spun))
    assert ": NO STOP over the spin-off AAPL. " in texts.sms


def test_many_stops_over_an_action_still_fit_one_segment_and_are_counted():
    texts = report_over(*(f"SYM{number}" for number in range(60)))
    assert septets(texts.sms) <= 160
    assert "STOP RESTS over the split for 60" in texts.sms


HOLDINGS = {name: Holding(Decimal(5), Decimal(500)) for name in ("AAPL", "IBM")}


@pytest.mark.parametrize(
    ("resting", "words"),
    [
        (("AAPL", "IBM"), "Holds 2, all stops rest"),
        (("IBM",), "Holds 2, stops rest for 1"),
        ((), "Holds 2, no stop rests"),
    ],
)
def test_a_failed_run_with_holdings_says_whether_their_stops_rest(resting, words):
    held = replace(
        SNAPSHOT,
        ledger=replace(SNAPSHOT.ledger, holdings=HOLDINGS),
        own_open_orders=tuple(map(rests, resting)),
    )
    reported = make_texts(failed("Compute Indicators", "X", "", snapshot=held))
    assert f". {words}." in reported.sms
    assert f"\n  {words}.\n" in reported.email


def test_a_stop_that_the_failed_run_canceled_does_not_rest_until_it_placed_another():
    held = replace(
        SNAPSHOT,
        ledger=replace(SNAPSHOT.ledger, holdings={"AAPL": HOLDINGS["AAPL"]}),
    )
    old = replace(rests("AAPL"), client_order_id=f"{order_id('AAPL', Leg.STOP)[:-1]}9")
    held = replace(held, own_open_orders=(old,))
    wanted = replace(PROTECTED, cancels=(old.client_order_id,))
    for orders, words in (((), "no stop rests"), ((rests("AAPL"),), "all stops rest")):
        placed = submission(*orders)
        report = failed("Submit Orders", "X", "", snapshot=held, decision=wanted, submission=placed)
        assert f"Holds 1, {words}" in make_texts(report).sms


def test_a_run_that_failed_before_it_read_the_account_touched_no_stop():
    report = failed("Fetch Bars", "X", "", run=None, settings=None, snapshot=None)
    assert "No order sent. Stops untouched." in make_texts(report).sms
