"""Two executions of one run carry each other's plans on, and tell what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from algotrader.model import Side, TradingState
from algotrader.submission import PROCEEDS, SETTLE, adopt, close_if_due, first_plan, is_of
from tests.support.submitting import (
    BELL,
    BUY_IBM,
    BUY_MSFT,
    EXIT,
    RUN,
    call,
    codes,
    decision,
    known,
    order,
)


def test_a_plan_that_another_call_made_is_adopted_and_not_sent_yet() -> None:
    mine = replace(first_plan(RUN, decision()), waited_seconds=40)
    theirs = call(first_plan(RUN, decision()), known(order(EXIT)), decision()).plan
    step = adopt(theirs, decision(), mine, known(order(EXIT)))
    assert (step.complete, step.wait_seconds) == (False, 1)
    assert (step.plan.sequence, step.plan.orders) == (1, (EXIT, BUY_IBM, BUY_MSFT))
    assert step.plan.waited_seconds == 41


def test_what_had_ended_posting_stays_ended_in_a_plan_that_is_adopted() -> None:
    made = decision()
    closed = close_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.HALTED))
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
    early = close_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.REDUCING))
    late = BELL + 2 * SETTLE  # who made the plan may be sending its orders at this moment
    adopted = adopt(first_plan(RUN, made), made, early, known(now=late)).plan
    step = call(adopted, known(now=late + SETTLE - timedelta(seconds=1)), made)
    assert (step.complete, step.plan.orders) == (False, (BUY_IBM,))
    assert codes(call(adopted, known(now=late + SETTLE), made)) == {"IBM": "TRADING_REDUCING"}


def test_an_order_that_is_there_is_told_though_a_plan_has_given_it_up() -> None:
    made = decision(exits=(), entries=(BUY_IBM, BUY_MSFT))
    plan = close_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.REDUCING))
    given_up = call(plan, known(now=BELL + SETTLE), made).plan
    assert given_up.orders == ()
    there = {BUY_IBM.client_order_id: order(BUY_IBM, "new")}
    view = replace(known(now=BELL + SETTLE), beyond_plan=there)
    for step in (call(given_up, view, made), adopt(given_up, made, plan, view)):
        assert codes(step) == {"MSFT": "TRADING_REDUCING"}
        assert step.submission.orders == (*there.values(),)
        assert step.submission.unsettled == (BUY_IBM.client_order_id,)


@pytest.mark.parametrize(("age", "late"), [(0, False), (1, True)])
def test_cash_is_waited_for_by_when_the_account_was_asked_for_it(age: int, *, late: bool) -> None:
    made = decision(entries=(BUY_MSFT,), spendable=0)
    view = known(order(EXIT), now=BELL + PROCEEDS, cash=0)
    step = call(first_plan(RUN, made), replace(view, account_age=timedelta(seconds=age)), made)
    assert (codes(step) == {}) is late


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"qty": Decimal(3)}, True),  # cut to the cash that was there
        ({"qty": Decimal(6)}, False),
        ({"limit_price": Decimal(101)}, False),
        ({"symbol": "MSFT"}, False),
        ({"side": Side.SELL}, False),
    ],
)
def test_an_order_beyond_the_plan_is_of_the_decision_by_its_terms(
    changes: dict[str, Any], *, ours: bool
) -> None:
    assert is_of(BUY_IBM, replace(order(BUY_IBM, "new"), **changes)) is ours
