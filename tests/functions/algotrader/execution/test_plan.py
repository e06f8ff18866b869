"""A run sends a plan once, exits before entries, and polls its orders until they end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.execution import (
    PostResult,
    first_plan,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.execution.entries import ACCOUNT_LAG
from algotrader.execution.late_orders import LOOK_EVERY_SECONDS
from algotrader.execution.order_status import PATIENT_POLLS
from algotrader.execution.plan import BACK_OFF_SECONDS
from algotrader.execution.posting import RESEND_POLLS
from algotrader.model import OrderRejected, TradingState
from tests.support.execution_fixtures import (
    BUY_IBM,
    BUY_MSFT,
    DEADLINE,
    EXIT,
    RUN,
    call,
    codes,
    decision,
    known,
    order,
)


def test_the_first_plan_holds_only_the_exits() -> None:
    plan = first_plan(RUN, decision())
    assert plan.orders == (EXIT,)


def test_without_exits_and_cancels_the_first_plan_holds_the_entries() -> None:
    plan = first_plan(RUN, decision(exits=()))
    assert plan.orders == (BUY_IBM, BUY_MSFT)


def test_cancels_of_older_orders_come_before_entries() -> None:
    plan = first_plan(RUN, decision(exits=(), cancels=("older",)))
    assert (plan.orders, plan.cancels) == ((), ("older",))


def test_only_orders_that_the_broker_does_not_show_are_posted() -> None:
    plan = first_plan(RUN, decision(exits=()))
    assert orders_to_post(plan, known(order(BUY_IBM, "new"))) == (BUY_MSFT,)


def test_what_a_call_may_have_sent_is_sent_again_only_after_it_must_have_shown() -> None:
    plan = first_plan(RUN, decision(exits=()))
    due = [len(orders_due(replace(plan, polls=each), None, plan.orders)) for each in range(9)]
    assert due == [2, 0, 0, 0, 2, 0, 0, 0, 2]
    assert sum(BACK_OFF_SECONDS) > 30


def test_a_new_plan_immediately_sends_only_what_is_new_in_it() -> None:
    before = replace(first_plan(RUN, decision()), orders=(EXIT, BUY_IBM))
    cut = replace(BUY_IBM, qty=Decimal(1))
    plan = replace(before, sequence=1, orders=(EXIT, cut, BUY_MSFT))
    assert orders_due(plan, before, plan.orders) == (cut, BUY_MSFT)
    assert orders_due(replace(plan, polls=RESEND_POLLS), before, plan.orders) == plan.orders


def test_nothing_is_posted_next_to_an_unfinished_cancel() -> None:
    older = replace(order(BUY_IBM, "new"), client_order_id="older")
    made = decision(cancels=("older",), spendable=0)
    plan = first_plan(RUN, made)
    assert orders_to_cancel(RUN, made, plan, known(older)) == (older,)
    assert orders_to_post(plan, known(older)) == ()
    assert call(plan, known(older), made).plan.orders == ()
    ended = known(replace(older, status="canceled"))
    assert call(plan, ended, made).plan.orders == (EXIT,)


def test_entries_wait_for_the_end_of_older_orders() -> None:
    older = replace(order(BUY_IBM, "pending_cancel"), client_order_id="older")
    made = decision(exits=(), cancels=("older",), spendable=5000)
    waiting = call(first_plan(RUN, made), known(older), made)
    assert (waiting.complete, waiting.plan.orders) == (False, ())
    after = call(first_plan(RUN, made), known(replace(older, status="canceled")), made)
    assert after.plan.orders == (BUY_IBM, BUY_MSFT)


def test_a_cancel_under_way_is_not_asked_for_again() -> None:
    older = replace(order(BUY_IBM, "pending_cancel"), client_order_id="older")
    plan = first_plan(RUN, decision(cancels=("older",)))
    assert orders_to_cancel(RUN, decision(), plan, known(older)) == ()


def test_an_entry_joins_the_plan_whole_as_soon_as_its_cash_is_there() -> None:
    plan = first_plan(RUN, decision())
    # IBM costs 500 and MSFT 2000. The bell's 2000 pay for IBM, and 98 % of ten shares for MSFT.
    waiting = call(plan, known(order(EXIT, "partially_filled", 3)), decision())
    assert (waiting.complete, waiting.plan.sequence) == (False, 1)
    assert waiting.plan.orders == (EXIT, BUY_IBM)
    after = call(plan, known(order(EXIT)), decision())
    assert (after.complete, after.plan.sequence) == (False, 1)
    assert after.plan.orders == (EXIT, BUY_IBM, BUY_MSFT)
    assert after.plan.polls == 0


def test_a_status_that_we_do_not_know_is_waited_for() -> None:
    step = call(first_plan(RUN, decision()), known(order(EXIT, "brand_new_status")), decision())
    assert not step.complete
    assert step.plan.orders == (EXIT, BUY_IBM)


def test_the_run_is_complete_when_every_order_is_terminal() -> None:
    made = decision(exits=())
    step = call(first_plan(RUN, made), known(order(BUY_IBM), order(BUY_MSFT, "rejected")), made)
    assert (step.complete, step.wait_seconds, step.submission.unsettled) == (True, 0, ())


def test_a_rejected_exit_is_reported_and_the_entries_continue() -> None:
    refusal = OrderRejected(EXIT.client_order_id, "AAPL", "40310000", "insufficient qty")
    step = call(first_plan(RUN, decision()), known(), decision(), PostResult((), (refusal,), {}))
    assert step.submission.rejected == (refusal,)
    assert [each.symbol for each in step.plan.orders] == ["IBM", "MSFT"]


def test_what_a_run_gives_up_is_written_down_as_the_next_plan() -> None:
    refusal = OrderRejected(BUY_IBM.client_order_id, "IBM", "403", "no")
    made = decision(exits=(), entries=(BUY_IBM,))
    step = call(first_plan(RUN, made), known(), made, PostResult((), (refusal,), {}))
    assert (step.complete, step.plan.sequence, step.wait_seconds) == (True, 1, 0)
    step = call(
        first_plan(RUN, decision()), known(order(EXIT), state=TradingState.REDUCING), decision()
    )
    assert (step.complete, step.plan.sequence) == (True, 1)


def test_a_shortage_is_waited_for_before_it_is_believed() -> None:
    made = decision(spendable=0)
    plan = first_plan(RUN, made)
    short = PostResult((), (), {EXIT.client_order_id: Decimal("4.5")})
    for _ in range(PATIENT_POLLS):
        step = call(plan, known(), made, short)
        assert step.plan.orders == (EXIT,)
        plan = step.plan
    step = call(plan, known(), made, short)
    # The step writes a new plan under the next number, in whole shares, before it sends the plan.
    assert (step.plan.sequence, step.plan.orders) == (1, (replace(EXIT, qty=Decimal(4)),))
    assert not step.complete


def test_with_nothing_to_sell_the_exit_is_denied() -> None:
    plan = replace(first_plan(RUN, decision(entries=())), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal(0)})
    step = call(plan, known(), decision(entries=()), short)
    assert (step.complete, codes(step)) == (True, {"AAPL": "NOTHING_TO_SELL"})


def test_waiting_backs_off_and_never_past_the_deadline() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    plan, waits = first_plan(RUN, made), []
    for _ in range(6):
        step = call(plan, known(order(BUY_IBM, "new")), made)
        plan = step.plan
        waits.append(step.wait_seconds)
    assert waits == [*BACK_OFF_SECONDS, 30, 30]
    close = known(order(BUY_IBM, "new"), now=DEADLINE - timedelta(milliseconds=1500))
    assert call(plan, close, made).wait_seconds == 2


def test_a_call_with_the_same_plan_and_the_same_view_gives_the_same_step() -> None:
    plan, view = first_plan(RUN, decision()), known(order(EXIT))
    assert call(plan, view, decision()) == call(plan, view, decision())


@pytest.mark.parametrize("qty", ["10.3", "10.5", "10.7"])
def test_a_fraction_is_cut_to_the_fraction_that_is_free(qty: str) -> None:
    part = replace(EXIT, qty=Decimal(qty))
    made = decision(exits=(part,), entries=())
    plan = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal("4.25")})
    assert call(plan, known(), made, short).plan.orders == (replace(part, qty=Decimal("4.25")),)


def test_an_order_that_does_not_show_is_kept_however_many_polls_it_took() -> None:
    made = decision(entries=())
    plan = replace(first_plan(RUN, made), polls=PATIENT_POLLS + 1)
    step = call(plan, known(), made)
    assert (step.complete, step.plan.orders) == (False, (EXIT,))


def test_a_planned_order_that_breaks_a_rule_is_given_up_by_name() -> None:
    made = decision(exits=(), entries=(replace(BUY_IBM, limit_price=Decimal("100.001")),))
    step = call(first_plan(RUN, made), known(), made)
    assert (step.complete, codes(step)) == (True, {"IBM": "ORDER_RULE"})


def test_the_figures_by_which_a_run_waits() -> None:
    assert (PATIENT_POLLS, RESEND_POLLS) == (3, 4)
    assert BACK_OFF_SECONDS == (2, 5, 10, 30)
    assert ACCOUNT_LAG.total_seconds() == 15
    assert LOOK_EVERY_SECONDS == 60


def test_a_shortage_may_leave_one_share_to_sell() -> None:
    made = decision(entries=())
    plan = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal("1.9")})
    step = call(plan, known(), made, short)
    assert step.plan.orders == (replace(EXIT, qty=Decimal(1)),)


def test_a_plan_that_changed_is_sent_after_a_second() -> None:
    step = call(first_plan(RUN, decision()), known(order(EXIT)), decision())
    assert (step.complete, step.plan.sequence, step.wait_seconds) == (False, 1, 1)
