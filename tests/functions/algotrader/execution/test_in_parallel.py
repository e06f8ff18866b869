"""Two executions of one run continue each other's plans and report the orders that exist."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.execution import (
    PostResult,
    Step,
    adopt,
    check_terms,
    cut_off_if_due,
    first_plan,
    matches_decided,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.execution.entries import ACCOUNT_LAG
from algotrader.execution.late_orders import LOOK_BACK_SECONDS
from algotrader.model import Decision, Leg, OrderDenied, OrderRejected, Side, TradingState
from algotrader.session.timing import SETTLE
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
    looked_back,
    order,
)


def test_a_plan_that_another_call_made_is_adopted_and_not_sent_yet() -> None:
    mine = replace(first_plan(RUN, decision()), waited_seconds=40)
    theirs = call(first_plan(RUN, decision()), known(order(EXIT)), decision()).plan
    step = adopt(replace(theirs, polls=3), decision(), mine, known(order(EXIT)))
    assert (step.complete, step.wait_seconds, step.plan.polls) == (False, 1, 0)
    assert (step.plan.sequence, step.plan.orders) == (1, (EXIT, BUY_IBM, BUY_MSFT))
    assert step.plan.waited_seconds == 41


def test_what_had_ended_posting_stays_ended_in_a_plan_that_is_adopted() -> None:
    made = decision()
    closed = cut_off_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.HALTED))
    open_ = first_plan(RUN, made)
    for theirs, mine in ((open_, closed), (closed, open_)):
        plan = adopt(theirs, made, mine, known()).plan
        assert (plan.exits_closed, plan.entries_closed, plan.stops_closed) == (
            closed.exits_closed,
            closed.entries_closed,
            closed.stops_closed,
        )


def test_an_adopted_plan_keeps_the_longer_waiting_of_both() -> None:
    mine, theirs = (replace(first_plan(RUN, decision()), waited_seconds=each) for each in (5, 40))
    assert adopt(theirs, decision(), mine, known()).plan.waited_seconds == 41


def test_a_plan_that_is_adopted_gives_its_orders_time_to_show_whenever_posting_ended() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    early = cut_off_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.REDUCING))
    late = BELL + 2 * SETTLE  # the call that made the plan may be sending its orders now
    adopted = adopt(first_plan(RUN, made), made, early, known(now=late)).plan
    step = call(adopted, known(now=late + SETTLE - timedelta(seconds=1)), made)
    assert (step.complete, step.plan.orders) == (False, (BUY_IBM,))
    assert codes(call(adopted, known(now=late + SETTLE), made)) == {"IBM": "TRADING_REDUCING"}


def given_up(made: Decision) -> Step:
    """Close a plan whose orders never appeared, a while after posting ended."""
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.REDUCING))
    step = call(plan, known(now=BELL + SETTLE), made)
    assert step.plan.orders == ()
    return step


def test_a_run_that_gave_up_unseen_orders_waits_for_calls_that_may_send_them() -> None:
    made = decision(exits=(), entries=(BUY_IBM, BUY_MSFT))
    view = known(now=BELL + SETTLE)
    end = looked_back(given_up(made), view, made)
    assert codes(end) == {"IBM": "TRADING_REDUCING", "MSFT": "TRADING_REDUCING"}
    # An order that was denied and never in a plan cannot have been sent.
    at_once = call(first_plan(RUN, decision()), known(order(EXIT), now=DEADLINE), decision())
    assert at_once.complete


@pytest.mark.parametrize("cut", [0, 2])
def test_an_order_that_is_there_goes_back_into_the_plan_that_gave_it_up(cut: int) -> None:
    made = decision(exits=(), entries=(BUY_IBM, BUY_MSFT))
    sent = replace(BUY_IBM, qty=BUY_IBM.qty - cut)
    view = replace(known(now=BELL + SETTLE), beyond_plan={sent.client_order_id: order(sent, "new")})
    returned = call(given_up(made).plan, view, made)
    assert (returned.complete, returned.plan.sequence) == (False, 2)
    assert (returned.plan.orders, codes(returned)) == ((sent,), {"MSFT": "TRADING_REDUCING"})
    seen = known(order(sent, "new"), now=BELL + SETTLE)
    check_terms(returned.plan, made, seen)
    closed = cut_off_if_due(RUN, made, returned.plan, seen)
    assert orders_to_cancel(RUN, made, closed, seen) == (order(sent, "new"),)
    canceled = known(order(sent, "canceled", 1), now=BELL + SETTLE)
    end = call(returned.plan, canceled, made)
    while not end.complete:
        end = call(end.plan, canceled, made)
    assert codes(end) == {"MSFT": "TRADING_REDUCING"}
    assert end.submission.orders == (order(sent, "canceled", 1),)


def test_an_order_that_is_there_is_reported_though_a_plan_has_given_it_up() -> None:
    made = decision(exits=(), entries=(BUY_IBM, BUY_MSFT))
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.REDUCING))
    later = given_up(made).plan
    there = {BUY_IBM.client_order_id: order(BUY_IBM, "new")}
    view = replace(known(now=BELL + SETTLE), beyond_plan=there)
    for step in (call(later, view, made), adopt(later, made, plan, view)):
        assert codes(step) == {"MSFT": "TRADING_REDUCING"}
        assert step.submission.orders == (*there.values(),)
        assert step.submission.unsettled == (BUY_IBM.client_order_id,)
    assert adopt(later, made, plan, view).plan.orders == later.orders  # the written plan is binding


def test_an_order_that_is_there_is_not_denied_when_its_leg_ends() -> None:
    made = decision()
    view = replace(
        known(order(EXIT), now=DEADLINE),
        beyond_plan={BUY_IBM.client_order_id: order(BUY_IBM, "filled", BUY_IBM.qty)},
    )
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    step = call(plan, view, made)
    assert codes(step) == {"MSFT": "DEADLINE_PASSED"}
    assert step.plan.orders == (EXIT, BUY_IBM)
    assert orders_to_post(step.plan, known(order(EXIT), now=DEADLINE)) == ()


def test_an_order_that_may_have_been_sent_is_sent_again_only_when_it_must_have_shown() -> None:
    made = decision(exits=(), entries=(BUY_IBM, BUY_MSFT))
    rejected = OrderRejected(BUY_IBM.client_order_id, "IBM", "BROKER_REJECTED", "no")
    before = call(first_plan(RUN, made), known(), made, PostResult((), (rejected,), {})).plan
    view = replace(known(), beyond_plan={BUY_IBM.client_order_id: order(BUY_IBM, "new")})
    plan = call(before, view, made).plan
    hidden = orders_to_post(plan, known(order(BUY_MSFT)))
    assert hidden == (BUY_IBM,)
    sent = [orders_due(replace(plan, polls=each), before, hidden) for each in range(5)]
    assert sent == [(), (), (), (), (BUY_IBM,)]


def test_a_stop_is_sent_at_once_where_the_sale_of_the_same_shares_was_given_up() -> None:
    made = decision(entries=())
    wish = replace(intent("AAPL", Leg.STOP, 10), side=Side.SELL)
    sale = OrderDenied("AAPL", Side.SELL, EXIT.qty, "NOTHING_TO_SELL", "")
    before = replace(first_plan(RUN, made), sequence=1, orders=(), denied=(sale,))
    plan = replace(before, sequence=2, orders=(wish,))
    assert orders_due(plan, before, (wish,)) == (wish,)


def test_an_order_that_was_refused_here_and_taken_from_another_call_goes_back_too() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    rejected = OrderRejected(BUY_IBM.client_order_id, "IBM", "BROKER_REJECTED", "no")
    refused = call(first_plan(RUN, made), known(), made, PostResult((), (rejected,), {}))
    assert refused.submission.rejected == (rejected,)
    view = replace(known(), beyond_plan={BUY_IBM.client_order_id: order(BUY_IBM, "new")})
    back = call(refused.plan, view, made)
    assert (back.complete, back.plan.orders, back.submission.rejected) == (False, (BUY_IBM,), ())


def test_an_order_that_shows_before_its_plan_is_made_is_not_taken_into_this_one() -> None:
    """Another execution is ahead, and this one must adopt its plan instead of making a new one."""
    made = decision(spendable=0)
    there = {BUY_IBM.client_order_id: order(BUY_IBM, "new")}
    step = call(first_plan(RUN, made), replace(known(order(EXIT, "new")), beyond_plan=there), made)
    assert step.plan.orders == (EXIT,)


def test_a_plan_of_another_call_that_gave_orders_up_is_looked_back_at_from_now_on() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    later = given_up(made).plan
    mine = replace(first_plan(RUN, made), waited_seconds=500)
    view = known(now=BELL + SETTLE)
    adopted = adopt(later, made, mine, view).plan
    end = looked_back(call(adopted, view, made), view, made)
    assert end.plan.waited_seconds == adopted.waited_seconds + LOOK_BACK_SECONDS


def test_a_clock_that_jumps_does_not_shorten_the_look_back() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    looked_back(given_up(made), known(now=DEADLINE + timedelta(hours=1)), made)


@pytest.mark.parametrize(("age", "late"), [(0, False), (1, True)])
def test_cash_is_waited_for_by_when_the_account_was_asked_for_it(age: int, *, late: bool) -> None:
    made = decision(entries=(BUY_MSFT,), spendable=0)
    view = known(order(EXIT), now=BELL + ACCOUNT_LAG, cash=0)
    step = call(first_plan(RUN, made), replace(view, account_age=timedelta(seconds=age)), made)
    assert (codes(step) == {}) is late


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"qty": Decimal(3)}, True),  # reduced to the available cash
        ({"qty": Decimal(6)}, False),
        ({"limit_price": Decimal(101)}, False),
        ({"symbol": "MSFT"}, False),
        ({"side": Side.SELL}, False),
    ],
)
def test_an_order_beyond_the_plan_is_of_the_decision_by_its_terms(
    changes: dict[str, Any], *, ours: bool
) -> None:
    assert matches_decided(BUY_IBM, replace(order(BUY_IBM, "new"), **changes)) is ours


def test_each_look_back_counts_one_poll_and_the_last_second_is_waited_for() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    view = known(now=BELL + SETTLE)
    first = call(given_up(made).plan, view, made)
    second = call(first.plan, view, made)
    assert (first.plan.polls, second.plan.polls) == (1, 2)
    assert (first.wait_seconds, second.wait_seconds) == (60, 60)
    last = replace(second.plan, gave_up_after=0, waited_seconds=LOOK_BACK_SECONDS - 1)
    step = call(last, view, made)
    assert (step.complete, step.wait_seconds) == (False, 1)
    assert call(step.plan, view, made).complete
