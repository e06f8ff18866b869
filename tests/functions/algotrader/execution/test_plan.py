"""A plan is sent once, exits before entries, within the deadline and the trading state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from algotrader.errors import OrderConflictError
from algotrader.execution import (
    BACK_OFF_SECONDS,
    PATIENT_POLLS,
    PROCEEDS,
    RESEND_POLLS,
    SETTLE,
    PostResult,
    advance,
    check_terms,
    cut_off_if_due,
    first_plan,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.execution.late_orders import LOOK_EVERY_SECONDS
from algotrader.model import (
    Leg,
    OrderRejected,
    Side,
    Stage,
    TradingState,
)
from tests.support.execution_fixtures import (
    BELL,
    BUY_IBM,
    BUY_MSFT,
    DEADLINE,
    EXIT,
    NOTHING,
    RUN,
    call,
    codes,
    decision,
    intent,
    known,
    looked_back,
    order,
)
from tests.support.settings import SETTINGS


def test_the_first_plan_holds_the_exits_alone() -> None:
    plan = first_plan(RUN, decision())
    assert (plan.stage, plan.orders) == (Stage.EXITS, (EXIT,))


def test_without_exits_and_cancels_the_first_plan_holds_the_entries() -> None:
    plan = first_plan(RUN, decision(exits=()))
    assert (plan.stage, plan.orders) == (Stage.ENTRIES, (BUY_IBM, BUY_MSFT))


def test_cancels_of_older_orders_come_before_entries() -> None:
    plan = first_plan(RUN, decision(exits=(), cancels=("older",)))
    assert (plan.stage, plan.orders, plan.cancels) == (Stage.EXITS, (), ("older",))


def test_only_orders_that_the_broker_does_not_show_are_posted() -> None:
    plan = first_plan(RUN, decision(exits=()))
    assert orders_to_post(plan, known(order(BUY_IBM, "new"))) == (BUY_MSFT,)


def test_what_a_call_may_have_sent_is_sent_again_only_after_it_must_have_shown() -> None:
    plan = first_plan(RUN, decision(exits=()))
    due = [len(orders_due(replace(plan, polls=each), None, plan.orders)) for each in range(9)]
    assert due == [2, 0, 0, 0, 2, 0, 0, 0, 2]
    assert sum(BACK_OFF_SECONDS) > 30


def test_a_new_plan_sends_at_once_what_is_new_in_it_alone() -> None:
    before = replace(first_plan(RUN, decision()), orders=(EXIT, BUY_IBM))
    cut = replace(BUY_IBM, qty=Decimal(1))
    plan = replace(before, sequence=1, orders=(EXIT, cut, BUY_MSFT))
    assert orders_due(plan, before, plan.orders) == (cut, BUY_MSFT)
    assert orders_due(replace(plan, polls=RESEND_POLLS), before, plan.orders) == plan.orders


def test_nothing_is_posted_beside_an_unfinished_cancel() -> None:
    older = replace(order(BUY_IBM, "new"), client_order_id="older")
    plan = first_plan(RUN, decision(cancels=("older",)))
    assert orders_to_cancel(RUN, decision(), plan, known(older)) == (older,)
    assert orders_to_post(plan, known(older)) == ()
    assert call(plan, known(older), decision(cancels=("older",))).plan.orders == ()
    ended = known(replace(older, status="canceled"))
    assert call(plan, ended, decision(cancels=("older",))).plan.orders == (EXIT,)


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


def test_entries_join_the_plan_only_after_every_exit_is_terminal() -> None:
    plan = first_plan(RUN, decision())
    waiting = call(plan, known(order(EXIT, "partially_filled", 3)), decision())
    assert (waiting.complete, waiting.plan.stage, waiting.plan.sequence) == (False, Stage.EXITS, 0)
    after = call(plan, known(order(EXIT)), decision())
    assert (after.complete, after.plan.stage, after.plan.sequence) == (False, Stage.ENTRIES, 1)
    assert after.plan.orders == (EXIT, BUY_IBM, BUY_MSFT)
    assert after.plan.polls == 0


def test_a_status_that_we_do_not_know_is_waited_for() -> None:
    step = call(first_plan(RUN, decision()), known(order(EXIT, "brand_new_status")), decision())
    assert not step.complete
    assert step.plan.stage is Stage.EXITS


def test_the_run_is_complete_when_every_order_is_terminal() -> None:
    made = decision(exits=())
    step = call(first_plan(RUN, made), known(order(BUY_IBM), order(BUY_MSFT, "rejected")), made)
    assert (step.complete, step.wait_seconds, step.submission.unsettled) == (True, 0, ())


def test_entries_are_cut_to_the_cash_that_is_there_in_order_of_priority() -> None:
    made = decision(spendable=1500)
    patient = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    # 1500 / 0.98 in cash leaves 1500 spendable: 500 for IBM, 10 of 20 MSFT
    step = call(patient, known(order(EXIT, "canceled"), cash="1530.62"), made)
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 10)]


def test_entries_never_cost_more_than_the_bell_s_cash_and_the_proceeds_of_exits() -> None:
    made = decision(spendable=100)
    # a deposit of a million since the bell buys nothing
    step = call(first_plan(RUN, made), known(order(EXIT), cash=1_000_000), made)
    bought = sum((each.qty * Decimal(100) for each in step.plan.orders[1:]), Decimal(0))
    assert bought == 1000  # 100 at the bell and 98 % of 1000 from the exit: ten shares


@pytest.mark.parametrize(
    "cap", [{"capital": Decimal(5000)}, {"max_gross_exposure": Decimal("0.5")}]
)
def test_under_a_cap_entries_make_room_for_what_the_exits_did_not_sell(
    cap: dict[str, Decimal],
) -> None:
    made = decision(spendable=100_000)  # cash is not the limit; the cap is
    capped = replace(SETTINGS, **cap)
    view = known(order(EXIT, "canceled", filled=4), cash=1_000_000)
    step = advance(RUN, capped, made, first_plan(RUN, made), view, NOTHING)
    # wanted 5 + 20 shares at 100; 6 of the exit's 10 shares are still held
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 14)]
    uncapped = call(first_plan(RUN, made), view, made)
    assert [each.qty for each in uncapped.plan.orders[1:]] == [5, 20]


def test_an_entry_that_no_share_can_be_bought_of_is_denied_with_its_numbers() -> None:
    made = decision(exits=(EXIT,), entries=(BUY_IBM,), spendable=50)
    patient = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    step = call(patient, known(order(EXIT, "canceled"), cash=50), made)
    assert (step.complete, codes(step)) == (True, {"IBM": "INSUFFICIENT_CASH"})
    assert "500" in step.submission.denied[0].detail


def test_a_fraction_of_a_cent_is_no_cash_that_has_to_arrive() -> None:
    made = decision(spendable=49)
    filled = replace(order(EXIT), filled_avg_price=Decimal("41.37"))
    # (50 + 413.70) x 0.98 is 454.426, and 454.42 is all that can be spent
    view = known(filled, cash="463.70")
    assert call(first_plan(RUN, made), view, made).plan.stage is Stage.ENTRIES


def test_cash_is_waited_for_from_the_last_fill_on_however_long_that_took() -> None:
    made = decision(spendable=0)
    plan = replace(first_plan(RUN, made), polls=9)
    late = replace(order(EXIT), filled_at=BELL + timedelta(minutes=5))
    step = call(plan, known(late, now=BELL + timedelta(minutes=5), cash=0), made)
    assert (step.complete, step.plan.stage) == (False, Stage.EXITS)
    step = call(plan, known(late, now=BELL + timedelta(minutes=5) + PROCEEDS, cash=0), made)
    assert (step.complete, step.plan.stage) == (True, Stage.ENTRIES)


def test_cash_of_exits_that_has_not_arrived_is_waited_for_a_few_polls_only() -> None:
    made = decision(spendable=0)
    plan = first_plan(RUN, made)
    for _ in range(PATIENT_POLLS):
        step = call(plan, known(order(EXIT), cash=0), made)
        assert (step.complete, step.plan.stage) == (False, Stage.EXITS)
        plan = step.plan
    assert call(plan, known(order(EXIT), cash=0), made).complete


def test_a_rejected_exit_is_told_and_the_entries_go_on() -> None:
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
    plan = first_plan(RUN, decision())
    short = PostResult((), (), {EXIT.client_order_id: Decimal("4.5")})
    for _ in range(PATIENT_POLLS):
        step = call(plan, known(), decision(), short)
        assert step.plan.orders == (EXIT,)
        plan = step.plan
    step = call(plan, known(), decision(), short)
    # written down before it is sent: a new plan under the next number, in whole shares
    assert (step.plan.sequence, step.plan.orders) == (1, (replace(EXIT, qty=Decimal(4)),))
    assert not step.complete


def test_with_nothing_to_sell_the_exit_is_denied() -> None:
    plan = replace(first_plan(RUN, decision(entries=())), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal(0)})
    step = call(plan, known(), decision(entries=()), short)
    assert (step.complete, codes(step)) == (True, {"AAPL": "NOTHING_TO_SELL"})


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
    plan = replace(first_plan(RUN, made), orders=(EXIT, BUY_IBM, BUY_MSFT), stage=Stage.ENTRIES)
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


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "GOOG"},
        {"side": Side.BUY},
        {"order_type": "market"},
        {"qty": Decimal(11)},
        {"qty": None},
        {"limit_price": Decimal("99.99")},
        {"limit_price": None},
    ],
)
def test_an_order_under_our_id_with_other_terms_is_a_conflict(other: dict[str, object]) -> None:
    found = replace(order(EXIT), **other)
    with pytest.raises(OrderConflictError, match=EXIT.client_order_id):
        check_terms(first_plan(RUN, decision()), decision(), known(found))


def test_an_order_with_the_decided_terms_is_ours_even_after_the_plan_was_cut() -> None:
    plan = replace(first_plan(RUN, decision()), orders=(replace(EXIT, qty=Decimal(4)),))
    check_terms(plan, decision(), known(order(EXIT)))


def test_equal_numbers_in_another_spelling_are_the_same_terms() -> None:
    found = replace(order(EXIT), qty=Decimal("10.000"), limit_price=Decimal("100.00"))
    check_terms(first_plan(RUN, decision()), decision(), known(found))


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


def test_cash_is_waited_for_from_the_last_of_several_fills_on() -> None:
    other = intent("GOOG", Leg.EXIT, 10)
    made = decision(exits=(EXIT, other), spendable=0)
    late = replace(order(other), filled_at=BELL + timedelta(seconds=30))
    view = known(order(EXIT), late, now=BELL + timedelta(seconds=31), cash=0)
    step = call(first_plan(RUN, made), view, made)
    assert (step.complete, step.plan.stage) == (False, Stage.EXITS)


@pytest.mark.parametrize("qty", ["10.3", "10.5", "10.7"])
def test_a_fraction_is_cut_to_the_fraction_that_is_free(qty: str) -> None:
    part = replace(EXIT, qty=Decimal(qty))
    made = decision(exits=(part,), entries=())
    plan = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal("4.25")})
    assert call(plan, known(), made, short).plan.orders == (replace(part, qty=Decimal("4.25")),)


def test_an_open_entry_is_left_to_fill_while_the_run_may_send() -> None:
    made = decision(exits=(), entries=(BUY_IBM,))
    view = known(order(BUY_IBM, "new"))
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert orders_to_cancel(RUN, made, plan, view) == ()


def test_an_order_that_does_not_show_is_kept_however_many_polls_it_took() -> None:
    plan = replace(first_plan(RUN, decision()), polls=PATIENT_POLLS + 1)
    step = call(plan, known(), decision())
    assert (step.complete, step.plan.orders) == (False, (EXIT,))


def test_under_a_cap_entries_do_not_cost_more_than_the_bell_s_cash_either() -> None:
    made = decision(spendable=100)
    capped = replace(SETTINGS, capital=Decimal(5000))
    view = known(order(EXIT), cash=1_000_000)
    step = advance(RUN, capped, made, first_plan(RUN, made), view, NOTHING)
    # as without a cap: 100 at the bell and 98 % of 1000 from the exit, ten shares
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 5)]


def test_a_planned_order_that_breaks_a_rule_is_given_up_by_name() -> None:
    made = decision(exits=(), entries=(replace(BUY_IBM, limit_price=Decimal("100.001")),))
    step = call(first_plan(RUN, made), known(), made)
    assert (step.complete, codes(step)) == (True, {"IBM": "ORDER_RULE"})


def test_the_figures_by_which_a_run_waits() -> None:
    assert (PATIENT_POLLS, RESEND_POLLS) == (3, 4)
    assert BACK_OFF_SECONDS == (2, 5, 10, 30)
    assert PROCEEDS.total_seconds() == 15
    assert LOOK_EVERY_SECONDS == 60


def test_a_shortage_may_leave_one_share_to_sell() -> None:
    plan = replace(first_plan(RUN, decision()), polls=PATIENT_POLLS)
    short = PostResult((), (), {EXIT.client_order_id: Decimal("1.9")})
    step = call(plan, known(), decision(), short)
    assert step.plan.orders == (replace(EXIT, qty=Decimal(1)),)


def test_an_entry_that_is_denied_keeps_no_other_from_being_sent() -> None:
    dear = replace(BUY_IBM, limit_price=Decimal(5000), reference_price=Decimal(5000))
    made = decision(entries=(dear, BUY_MSFT), spendable=2000)
    step = call(first_plan(RUN, made), known(order(EXIT, "canceled"), cash=2100), made)
    assert codes(step) == {"IBM": "INSUFFICIENT_CASH"}
    assert [each.symbol for each in step.plan.orders] == ["AAPL", "MSFT"]


def test_a_plan_that_changed_is_sent_after_a_second() -> None:
    step = call(first_plan(RUN, decision()), known(order(EXIT)), decision())
    assert (step.complete, step.plan.sequence, step.wait_seconds) == (False, 1, 1)


@pytest.mark.parametrize(("price", "bought"), [("100", 10), ("100.05", 9)])
def test_under_a_cap_entries_make_room_for_an_exit_that_was_refused(
    price: str, bought: int
) -> None:
    kept = intent("AAPL", Leg.EXIT, 10, price)
    made = decision(exits=(kept,), spendable=100_000)
    capped = replace(SETTINGS, capital=Decimal(5000))
    refusal = OrderRejected(kept.client_order_id, "AAPL", "40310000", "no")
    view = known(cash=1_000_000)
    outcome = PostResult((), (refusal,), {})
    step = advance(RUN, capped, made, first_plan(RUN, made), view, outcome)
    # 2500 are wanted for 5 and 20 shares at 100; the ten of the exit stay.
    assert [(each.symbol, each.qty) for each in step.plan.orders] == [("IBM", 5), ("MSFT", bought)]


@pytest.mark.parametrize(("cash", "stage"), [("2551.03", Stage.ENTRIES), ("2550.52", Stage.EXITS)])
def test_no_more_cash_is_waited_for_than_the_entries_cost(cash: str, stage: Stage) -> None:
    made = decision(spendable=100_000)
    # less the reserve of 2 %, 2500.00 or 2499.50 of the 2500 that the entries cost
    step = call(first_plan(RUN, made), known(order(EXIT), cash=cash), made)
    assert step.plan.stage is stage


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
