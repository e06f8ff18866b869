"""An order that hangs stops only its own symbol and the buys that need its cash."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.execution import PostResult, first_plan, orders_to_post
from algotrader.execution.cutoff import LAST_ALLOCATION
from algotrader.execution.entries import ACCOUNT_LAG
from algotrader.execution.posting import STUCK_AFTER_SECONDS
from algotrader.model import DesiredStop, Leg, Order, OrderRejected, Side, TradingState
from algotrader.model.units import Price, Shares
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.support.execution_fixtures import (
    BELL,
    BUY_IBM,
    BUY_MSFT,
    DEADLINE,
    EXIT,
    RUN,
    call,
    codes,
    decision,
    intent,
    known,
    order,
)

HANGING = ("pending_cancel", "done_for_day", "held", "a_new_status")
LAST = DEADLINE - LAST_ALLOCATION
YESTERDAY = RUN.session - timedelta(days=1)


def older(symbol: str, leg: Leg, status: str) -> Order:
    """Return an order from yesterday's run."""
    place = OrderPlace(RUN.desk, YESTERDAY, "day", symbol, leg, 0)
    side = Side.BUY if leg is Leg.ENTRY else Side.SELL
    plain = order(intent(symbol, leg, 10), status)
    return replace(plain, client_order_id=client_order_id(place), side=side, filled_at=None)


@pytest.mark.parametrize("status", HANGING)
def test_a_buy_of_yesterday_that_hangs_stops_no_other_buy_and_does_not_keep_the_run(
    status: str,
) -> None:
    hangs = older("AAPL", Leg.ENTRY, status)
    made = decision(exits=(), cancels=(hangs.client_order_id,), spendable=2500)
    step = call(first_plan(RUN, made), known(hangs), made)
    assert step.plan.orders == (BUY_IBM, BUY_MSFT)
    view = known(hangs, order(BUY_IBM), order(BUY_MSFT))
    while not step.complete:
        step = call(step.plan, view, made)
        assert step.plan.waited_seconds < 2 * STUCK_AFTER_SECONDS
    assert step.plan.waited_seconds >= STUCK_AFTER_SECONDS
    assert (codes(step), step.submission.unsettled) == ({}, (hangs.client_order_id,))
    assert step.submission.orders[0].status == status


def test_a_cancel_that_the_broker_does_not_show_is_not_stuck() -> None:
    hangs = older("AAPL", Leg.ENTRY, "held")
    made = decision(exits=(), entries=(), cancels=(hangs.client_order_id,))
    plan = replace(first_plan(RUN, made), waited_seconds=STUCK_AFTER_SECONDS)
    assert call(plan, known(hangs), made).complete
    assert not call(plan, known(), made).complete


@pytest.mark.parametrize("status", HANGING)
def test_a_stop_that_hangs_keeps_only_its_own_symbol_waiting_until_the_deadline(
    status: str,
) -> None:
    hangs, other = older("AAPL", Leg.STOP, status), intent("GOOG", Leg.EXIT, 3)
    made = decision(exits=(EXIT, other), cancels=(hangs.client_order_id,), spendable=2500)
    plan = first_plan(RUN, made)
    assert plan.orders == (other,)
    step = call(plan, known(hangs, order(other)), made)
    assert (step.complete, step.plan.orders) == (False, (other, BUY_IBM, BUY_MSFT))
    view = known(hangs, order(other), order(BUY_IBM), order(BUY_MSFT))
    late = replace(step.plan, waited_seconds=2 * STUCK_AFTER_SECONDS)
    assert not call(late, view, made).complete  # the sale of AAPL may still follow the stop
    end = call(late, replace(view, now=DEADLINE), made)
    assert codes(end) == {"AAPL": "DEADLINE_PASSED"}
    assert end.submission.denied[0].detail.endswith(f"{hangs.client_order_id} is {status}")


def test_an_entry_whose_own_stop_hangs_keeps_its_promise_until_the_deadline() -> None:
    hangs = older("IBM", Leg.STOP, "held")
    made = decision(exits=(), cancels=(hangs.client_order_id,), spendable=2499)
    step = call(first_plan(RUN, made), known(hangs), made)
    # IBM keeps 500 of 2499. That leaves 1999 for MSFT, which costs 2000, and no exit brings more.
    cut = replace(BUY_MSFT, qty=Decimal(19))
    assert (step.complete, step.plan.orders) == (False, (cut,))
    ended = known(replace(hangs, status="canceled"), order(cut))
    assert call(step.plan, ended, made).plan.orders == (cut, BUY_IBM)
    end = call(step.plan, known(hangs, order(cut), now=DEADLINE), made)
    assert codes(end) == {"IBM": "DEADLINE_PASSED"}
    assert "is held" in end.submission.denied[0].detail


def test_a_stop_that_must_follow_a_stuck_one_keeps_the_run_until_the_deadline() -> None:
    hangs = older("AAPL", Leg.STOP, "pending_cancel")
    place = OrderPlace(RUN.desk, RUN.session, "day", "AAPL", Leg.STOP, 0)
    wish = DesiredStop(
        client_order_id(place),
        "AAPL",
        Price(Decimal(90)),
        Price(Decimal(100)),
        Shares(Decimal(10)),
        "",
    )
    made = replace(decision(exits=(), entries=(), cancels=(hangs.client_order_id,)), stops=(wish,))
    plan = replace(first_plan(RUN, made), waited_seconds=STUCK_AFTER_SECONDS)
    step = call(plan, known(hangs), made)
    assert (step.complete, step.submission.unprotected) == (
        False,
        {"AAPL": "its stop is pending_cancel"},
    )
    following = call(plan, known(replace(hangs, status="canceled")), made)
    assert [each.leg for each in following.plan.orders] == [Leg.STOP]


@pytest.mark.parametrize("exits", [(), (order(EXIT, "held"),)], ids=["unknown", "held"])
def test_an_exit_that_hangs_brings_no_cash_and_its_buyer_is_cut_in_time(
    exits: tuple[Order, ...],
) -> None:
    made = decision(spendable=2000)
    plan = replace(first_plan(RUN, made), polls=1)
    waiting = call(plan, known(*exits), made)
    assert waiting.plan.orders == (EXIT, BUY_IBM)
    before = call(waiting.plan, known(*exits, order(BUY_IBM), now=LAST - ACCOUNT_LAG), made)
    assert before.plan.orders == (EXIT, BUY_IBM)
    assert before.wait_seconds <= ACCOUNT_LAG.total_seconds()
    cut = call(before.plan, known(*exits, order(BUY_IBM), now=LAST), made)
    assert cut.plan.orders == (EXIT, BUY_IBM, replace(BUY_MSFT, qty=Decimal(15)))
    assert not cut.complete


@pytest.mark.parametrize("end", [LAST, DEADLINE - LAST_ALLOCATION / 2])
def test_no_wait_passes_an_instant_at_which_waiting_entries_are_cut(end: datetime) -> None:
    made = decision(spendable=0)
    plan = replace(first_plan(RUN, made), polls=9)
    view = known(order(EXIT, "held"), now=end - timedelta(seconds=3), cash=0)
    entries = (BUY_IBM, BUY_MSFT) if end == LAST else ()
    made = replace(made, entries=entries)
    assert call(plan, view, made).wait_seconds == 3


def test_an_entry_that_no_cash_is_left_for_is_denied_with_what_kept_the_cash_away() -> None:
    made = decision(entries=(BUY_MSFT,), spendable=0)
    view = known(order(EXIT, "held"), cash=0, now=LAST)
    end = call(first_plan(RUN, made), view, made)
    assert codes(end) == {"MSFT": "INSUFFICIENT_CASH"}
    assert end.submission.denied[0].detail.endswith("; the sale of AAPL is held")


def test_no_later_entry_overtakes_one_that_waits_for_cash() -> None:
    made = decision(entries=(BUY_MSFT, BUY_IBM), spendable=1500)
    step = call(first_plan(RUN, made), known(order(EXIT, "new")), made)
    assert step.plan.orders == (EXIT,)  # IBM costs 500, but MSFT comes first and wants 2000
    step = call(first_plan(RUN, made), known(order(EXIT)), made)
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("MSFT", 20), ("IBM", 4)]


def test_every_exit_is_posted_before_the_first_entry() -> None:
    made = decision()
    plan = replace(first_plan(RUN, made), orders=(BUY_IBM, EXIT))
    assert orders_to_post(plan, known()) == (EXIT, BUY_IBM)


def test_cash_that_an_entry_took_is_not_spent_again_before_the_account_shows_it() -> None:
    made = decision(spendable=10_000)
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM))
    sent = replace(order(BUY_IBM, "new"), submitted_at=BELL)
    # The account shows 2040.82, of which 2000 may be spent: either before or after IBM's 500.
    for shown in ((), (sent,)):
        step = call(plan, known(order(EXIT, "canceled"), *shown, cash="2040.82"), made)
        assert (step.complete, step.plan.orders) == (False, (EXIT, BUY_IBM))
    now = BELL + ACCOUNT_LAG
    view = known(
        order(EXIT, "canceled"),
        replace(sent, status="filled", filled_qty=Decimal(5)),
        cash="2040.82",
        now=now,
    )
    assert call(plan, view, made).plan.orders == (EXIT, BUY_IBM, BUY_MSFT)


def test_an_order_that_the_account_reserves_cash_for_is_not_counted_twice() -> None:
    made = decision(spendable=10_000)
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM))
    view = known(order(EXIT, "canceled"), order(BUY_IBM, "new"), now=BELL + ACCOUNT_LAG)
    seen = replace(view.account, cash=Decimal("2551.03"))  # 2500 are left after the reserve
    reserved = replace(seen, non_marginable_buying_power=Decimal("2051.03"))
    step = call(plan, replace(view, account=reserved), made)
    assert step.plan.orders == (EXIT, BUY_IBM, BUY_MSFT)


def test_what_an_ended_entry_did_not_buy_is_left_for_the_next() -> None:
    made = decision(entries=(BUY_IBM, BUY_MSFT), spendable=2100)
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM))
    open_exit = order(EXIT, "new")
    now = BELL + ACCOUNT_LAG
    partly = known(open_exit, order(BUY_IBM, "partially_filled", 1), now=now)
    assert call(plan, partly, made).plan.orders == (EXIT, BUY_IBM)
    ended = known(open_exit, order(BUY_IBM, "canceled", 1), now=now)
    assert call(plan, ended, made).plan.orders == (EXIT, BUY_IBM, BUY_MSFT)


def test_a_rejected_entry_leaves_its_cash_to_the_next() -> None:
    made = decision(spendable=2000)
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM))
    refusal = OrderRejected(BUY_IBM.client_order_id, "IBM", "403", "no")
    view = known(order(EXIT, "new"))
    step = call(plan, view, made, PostResult((), (refusal,), {}))
    assert step.plan.orders == (EXIT, BUY_MSFT)


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_a_halt_denies_the_waiting_entries_at_once(state: TradingState) -> None:
    made = decision(spendable=0)
    step = call(first_plan(RUN, made), known(order(EXIT, "new"), state=state), made)
    assert set(codes(step)) == {"IBM", "MSFT"}
