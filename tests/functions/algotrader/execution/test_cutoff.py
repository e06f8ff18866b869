"""A run posts nothing after its deadline or against the trading state, whatever the clock says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from algotrader.execution import cut_off_if_due, first_plan, orders_to_cancel, orders_to_post
from algotrader.model import TradingState
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
    known,
    looked_back,
    order,
)


def test_after_the_deadline_nothing_is_posted_and_open_orders_are_canceled() -> None:
    made = decision(exits=())
    view = known(order(BUY_IBM, "new"), now=DEADLINE)
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert orders_to_post(plan, view) == ()
    assert [each.symbol for each in orders_to_cancel(RUN, decision(), plan, view)] == ["IBM"]


def test_what_was_not_sent_by_the_deadline_is_denied_once_it_cannot_show_up_any_more() -> None:
    made = decision(exits=())
    at_deadline = call(first_plan(RUN, made), known(now=DEADLINE), made)
    assert (at_deadline.complete, codes(at_deadline)) == (False, {})
    later = call(at_deadline.plan, known(now=DEADLINE + SETTLE), made)
    assert codes(later) == {"IBM": "DEADLINE_PASSED", "MSFT": "DEADLINE_PASSED"}
    end = looked_back(later, known(now=DEADLINE + SETTLE), made)
    assert codes(end) == codes(later)


def test_an_order_that_shows_up_after_the_deadline_is_kept_not_denied() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    at_deadline = call(first_plan(RUN, made), known(now=DEADLINE), made)
    later = call(at_deadline.plan, known(order(BUY_IBM), now=DEADLINE + SETTLE), made)
    assert (later.complete, codes(later)) == (True, {})
    assert later.submission.orders[0].filled_qty == 5


def test_a_cancel_without_an_end_is_reported_as_unsettled() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    stuck = order(BUY_IBM, "pending_cancel", 2)
    at_deadline = call(first_plan(RUN, made), known(stuck, now=DEADLINE), made)
    assert not at_deadline.complete
    later = call(at_deadline.plan, known(stuck, now=DEADLINE + SETTLE), made)
    assert later.complete
    assert later.submission.unsettled == (BUY_IBM.client_order_id,)


def test_entries_are_denied_by_name_when_the_deadline_passes_during_the_exits() -> None:
    at_deadline = call(first_plan(RUN, decision()), known(order(EXIT), now=DEADLINE), decision())
    assert at_deadline.complete
    assert codes(at_deadline) == {"IBM": "DEADLINE_PASSED", "MSFT": "DEADLINE_PASSED"}


def test_a_broker_whose_clock_stands_still_does_not_keep_a_run_alive() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    plan, calls = first_plan(RUN, made), 0
    while not (step := call(plan, known(order(BUY_IBM, "new"), now=BELL), made)).complete:
        plan, calls = step.plan, calls + 1
        assert calls < 60
    assert step.plan.waited_seconds >= 600


def test_a_clock_that_jumped_ahead_once_ends_posting_but_does_not_keep_the_run_alive() -> None:
    made = decision()
    ahead = known(now=BELL + timedelta(hours=1))
    plan = call(first_plan(RUN, made), ahead, made).plan
    plan = call(plan, known(now=BELL + timedelta(seconds=5)), made).plan
    view = known(now=BELL + timedelta(seconds=5) + SETTLE)
    step = looked_back(call(plan, view, made), view, made)
    assert set(codes(step).values()) == {"DEADLINE_PASSED"}


def test_halted_posts_nothing_and_cancels_open_entries_but_not_open_exits() -> None:
    made = decision(exits=(EXIT,))
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM, BUY_MSFT))
    view = known(order(EXIT, "new"), order(BUY_IBM, "new"), state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, decision(), plan, view)
    assert orders_to_post(plan, view) == ()
    assert [each.symbol for each in orders_to_cancel(RUN, decision(), plan, view)] == ["IBM"]


def test_halted_does_not_post_exits_either() -> None:
    view = known(state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, decision(), first_plan(RUN, decision()), view)
    assert orders_to_post(plan, view) == ()
    later = known(state=TradingState.HALTED, now=BELL + SETTLE)
    step = looked_back(call(plan, later, decision()), later, decision())
    assert set(codes(step).values()) == {"TRADING_HALTED"}


def test_reducing_sends_exits_and_denies_entries() -> None:
    view = known(state=TradingState.REDUCING)
    plan = cut_off_if_due(RUN, decision(), first_plan(RUN, decision()), view)
    assert orders_to_post(plan, view) == (EXIT,)
    step = call(plan, known(order(EXIT), state=TradingState.REDUCING), decision())
    assert (step.complete, codes(step)) == (
        True,
        {"IBM": "TRADING_REDUCING", "MSFT": "TRADING_REDUCING"},
    )


def test_posting_that_was_closed_stays_closed_when_the_state_returns_to_active() -> None:
    made = decision(exits=())
    halted = cut_off_if_due(RUN, made, first_plan(RUN, made), known(state=TradingState.HALTED))
    assert orders_to_post(cut_off_if_due(RUN, made, halted, known()), known()) == ()


def test_posting_that_is_closed_counts_from_when_it_was_closed_or_the_run_never_ends() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    plan = first_plan(RUN, made)
    for seconds in (0, 20, 40):
        view = known(state=TradingState.REDUCING, now=BELL + timedelta(seconds=seconds))
        step = call(plan, view, made)
        plan = step.plan
        assert not step.complete
        plan = cut_off_if_due(RUN, made, plan, view)
    view = known(state=TradingState.REDUCING, now=BELL + SETTLE)
    step = looked_back(call(plan, view, made), view, made)
    assert codes(step) == {"IBM": "TRADING_REDUCING"}


def test_an_exit_that_was_not_sent_by_the_deadline_is_denied_after_many_looks() -> None:
    made = decision(entries=())
    plan = first_plan(RUN, made)
    for seconds in (0, 20, 40):
        view = known(now=DEADLINE + timedelta(seconds=seconds))
        plan = call(cut_off_if_due(RUN, made, plan, view), view, made).plan
        plan = cut_off_if_due(RUN, made, plan, view)
    view = known(now=DEADLINE + SETTLE)
    assert codes(looked_back(call(plan, view, made), view, made)) == {"AAPL": "DEADLINE_PASSED"}


def test_an_open_order_has_until_the_deadline_after_a_halt_and_longer_after_a_late_close() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    stuck = order(BUY_IBM, "pending_cancel", 2)
    halted = known(stuck, state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), halted)
    later = replace(halted, now=BELL + SETTLE)
    assert not call(plan, later, made).complete
    noticed_late = known(stuck, now=DEADLINE + 2 * SETTLE)
    assert not call(first_plan(RUN, made), noticed_late, made).complete


def test_an_open_entry_is_left_to_fill_while_the_run_may_send() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    view = known(order(BUY_IBM, "new"))
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert orders_to_cancel(RUN, made, plan, view) == ()


@pytest.mark.parametrize(("reason", "detail"), [("drill", "drill"), ("", "trading state HALTED")])
def test_an_order_that_a_halt_kept_back_names_its_reason(reason: str, detail: str) -> None:
    made = decision(entries=())
    halted = replace(known(state=TradingState.HALTED), trading_state_reason=reason)
    closed = cut_off_if_due(RUN, made, first_plan(RUN, made), halted)
    assert closed.exits_closed is not None
    assert (closed.exits_closed.code, closed.exits_closed.detail) == ("TRADING_HALTED", detail)


@pytest.mark.parametrize("late", [0, 1])
def test_an_open_exit_is_canceled_at_the_deadline_and_after_it(late: int) -> None:
    made = decision(entries=())
    view = known(order(EXIT, "new"), now=DEADLINE + timedelta(seconds=late))
    assert orders_to_cancel(RUN, made, first_plan(RUN, made), view) == (order(EXIT, "new"),)
