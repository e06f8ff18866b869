"""Owns a run's next plan, a pure function of the last plan and a call's results."""

from __future__ import annotations

import math

from msgspec.structs import replace

from algotrader.execution.cutoff import last_allocations, latest_now, trades_end
from algotrader.execution.entries import add_entries
from algotrader.execution.late_orders import (
    LOOK_EVERY_SECONDS,
    look_back_seconds,
    restore_late_orders,
)
from algotrader.execution.order_status import results_of
from algotrader.execution.stop_orders import (
    find_unprotected,
    is_canceled,
    sold_by_canceled,
    stops_due,
)
from algotrader.execution.values import (
    Known,
    PostResult,
    Step,
    deny_at_cutoff,
    deny_stop_filled,
    orders_to_come,
)
from algotrader.model import (
    Cutoff,
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    Plan,
    Run,
    Settings,
    Submission,
)
from algotrader.model.units import Shares
from algotrader.orders.statuses import is_terminal

# Seconds to wait after a call that changed nothing. Liquid shares fill immediately; for other
# shares a longer wait costs little.
BACK_OFF_SECONDS = (2, 5, 10, 30)


def first_plan(run: Run, decision: Decision) -> Plan:
    """Build the plan of the first call: cancels and exits, or entries if there are neither.

    An exit waits until its symbol's stop has ended, because the stop may sell the same shares.
    Stops for unprotected holdings that the run does not trade come first. Entries follow once the
    first call has tried to post the exits.
    """
    exits_first = bool(decision.exits or decision.cancels)
    plan = Plan(
        run_id=run.run_id,
        sequence=0,
        polls=0,
        waited_seconds=0,
        orders=() if exits_first else decision.entries,
        cancels=decision.cancels,
        denied=(),
        rejected=(),
        exits_closed=None,
        entries_closed=None,
    )
    plan = add_exits(decision, plan, {})
    return replace(plan, orders=(*stops_due(decision, plan, {}), *plan.orders))


def advance(
    run: Run, settings: Settings, decision: Decision, plan: Plan, known: Known, posted: PostResult
) -> Step:
    """Return the next plan, and whether all of the run's orders have ended.

    Parameters
    ----------
    plan : Plan
        As `cut_off_if_due` returned it for this call.
    posted : PostResult
        The results of this call's posts.
    """
    orders = {**known.orders, **{each.client_order_id: each for each in posted.accepted}}
    results = results_of(run, decision, plan, known, posted, orders)
    after = replace(
        plan,
        orders=tuple(results.kept),
        denied=(*plan.denied, *results.denied),
        rejected=(*plan.rejected, *results.rejected),
        unprotected={**plan.unprotected, **results.unprotected},
        gave_up_after=plan.waited_seconds if results.gave_up_unseen else plan.gave_up_after,
        unsent=tuple(
            each.client_order_id for each in results.kept if each.client_order_id in posted.unsent
        ),
    )
    after = restore_late_orders(decision, after, known)
    after = add_exits(decision, after, orders)
    after = add_entries(run, settings, decision, after, known, orders)
    to_come = orders_to_come((*decision.exits, *decision.entries), after)
    trading = results.trading or bool(to_come) or len(after.orders) > len(results.kept)
    due = () if after.stops_closed else stops_due(decision, after, orders)
    after = replace(after, orders=(*after.orders, *due))
    # A dropped order also changes the plan, so that a parallel execution stops sending it.
    terms = (plan.orders, plan.denied, plan.rejected, plan.unprotected)
    # Unsent orders also change the plan. Parallel executions adopt that plan, and its first poll
    # sends only these orders.
    changed = terms != (after.orders, after.denied, after.rejected, after.unprotected)
    return _step(
        run,
        decision,
        after,
        orders,
        known,
        working=trading or results.placing_stops or bool(due),
        changed=changed or bool(after.unsent),
        limited_seconds=posted.wait_seconds,
    )


def add_exits(decision: Decision, plan: Plan, orders: dict[str, Order]) -> Plan:
    """Add the exits whose cancels have ended, less the shares that canceled stops sold."""
    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    for intent in orders_to_come(decision.exits, plan):
        sold = sold_by_canceled(intent.symbol, decision, orders)
        if plan.exits_closed is not None:
            denied.append(deny_at_cutoff(intent, plan.exits_closed, plan, orders))
        elif not is_canceled(intent.symbol, plan, orders):
            continue
        elif sold >= intent.qty:
            denied.append(deny_stop_filled(intent, sold))
        else:
            kept.append(replace(intent, qty=Shares(intent.qty - sold)))
    return replace(plan, orders=(*plan.orders, *kept), denied=(*plan.denied, *denied))


def adopt(later: Plan, decision: Decision, plan: Plan, known: Known) -> Step:
    """Continue with another call's later plan, and send nothing in this call."""
    waited = max(later.waited_seconds, plan.waited_seconds) + 1
    merged = replace(
        later,
        polls=0,
        waited_seconds=waited,
        gave_up_after=None if later.gave_up_after is None else waited,
        exits_closed=_from_now(later.exits_closed or plan.exits_closed, known),
        entries_closed=_from_now(later.entries_closed or plan.entries_closed, known),
        stops_closed=_from_now(later.stops_closed or plan.stops_closed, known),
    )
    restored = restore_late_orders(decision, merged, known)
    return Step(
        plan=merged,
        submission=_submission(decision, restored, known.orders, known, complete=False),
        complete=False,
        wait_seconds=1,
    )


def _from_now(cutoff: Cutoff | None, known: Known) -> Cutoff | None:
    """Restart a cutoff now, because the other call may still be sending its plan's orders."""
    return cutoff and replace(cutoff, at=max(cutoff.at, known.now))


def _step(
    run: Run,
    decision: Decision,
    plan: Plan,
    orders: dict[str, Order],
    known: Known,
    *,
    working: bool,
    changed: bool,
    limited_seconds: int,
) -> Step:
    left = look_back_seconds(plan)
    pending = working or left > 0
    wait = 0
    if working or (changed and pending):
        back_off = 1 if changed else BACK_OFF_SECONDS[min(plan.polls, len(BACK_OFF_SECONDS) - 1)]
        now = latest_now(run, plan, known)
        allocations = last_allocations(run, decision)
        instants = (*allocations, trades_end(run, decision), run.deadline)
        ends = [math.ceil((each - now).total_seconds()) for each in instants if each > now]
        wait = min([max(back_off, limited_seconds), *ends])
    elif pending:
        wait = min(left, LOOK_EVERY_SECONDS)
    if changed:
        plan = replace(plan, sequence=plan.sequence + 1, polls=0)
    elif pending:
        plan = replace(plan, polls=plan.polls + 1)
    plan = replace(plan, waited_seconds=plan.waited_seconds + wait)
    return Step(
        plan=plan,
        submission=_submission(decision, plan, orders, known, complete=not pending),
        complete=not pending,
        wait_seconds=wait,
    )


def wait_for_broker(plan: Plan, *, wait_seconds: int, spent_seconds: int) -> Step:
    """Return the same plan after a call that could read nothing and has sent nothing.

    Parameters
    ----------
    wait_seconds : int
        Until the broker answers again.
    spent_seconds : int
        What the call itself took. It counts as waited, since the call may have read no clock, and
        the run must still end at its deadline.
    """
    plan = replace(plan, waited_seconds=plan.waited_seconds + wait_seconds + spent_seconds)
    return Step(plan=plan, submission=None, complete=False, wait_seconds=wait_seconds)


def _submission(
    decision: Decision, plan: Plan, orders: dict[str, Order], known: Known, *, complete: bool
) -> Submission:
    orders = {**known.beyond_plan, **orders}
    stops = {each.client_order_id for each in plan.orders if each.leg is Leg.STOP}
    shown = tuple(
        orders[each]
        for each in (*plan.cancels, *(intent.client_order_id for intent in plan.orders))
        if each in orders
    )
    if not complete:
        so_far = "the run has not placed it yet"
    elif plan.stops_closed is not None:
        so_far = f"{plan.stops_closed.code}: {plan.stops_closed.detail}"
    else:
        so_far = "its orders have not ended"
    return Submission(
        orders=shown,
        denied=plan.denied,
        rejected=plan.rejected,
        unsettled=tuple(
            order.client_order_id
            for order in shown
            if not is_terminal(order) and order.client_order_id not in stops
        ),
        account=known.account,
        unprotected=find_unprotected(decision, plan, orders, so_far=so_far),
    )
