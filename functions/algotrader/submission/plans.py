"""Owns the next plan of a run: a pure function of the last one and of what a call came to."""

from __future__ import annotations

import math
from dataclasses import replace

from algotrader.model import (
    Account,
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    Plan,
    Run,
    Settings,
    Stage,
    Submission,
)
from algotrader.own_orders import symbol_of
from algotrader.submission.cash import proceeds_are_late, with_entries
from algotrader.submission.closing import now_of, trades_end
from algotrader.submission.fates import fates_of
from algotrader.submission.protection import (
    sold_by_canceled,
    stops_due,
    unprotected,
)
from algotrader.submission.values import Known, Outcome, Step, denied_of

# Seconds to wait after a call that changed nothing: fills of liquid shares come at once, the rest
# is waited for at little cost.
BACK_OFF_SECONDS = (2, 5, 10, 30)


def first_plan(run: Run, decision: Decision) -> Plan:
    """Make the plan of the first call: cancels and exits, or entries when there is neither.

    Where a symbol that is traded has an order to cancel first, its stop, the exits wait for its
    end: it may have sold what they are for. Stops of holdings that have none, and that the run does
    not trade, come before anything else.
    """
    traded = {each.symbol for each in (*decision.exits, *decision.entries)}
    orders: tuple[OrderIntent, ...] = ()
    if any(symbol_of(each) in traded for each in decision.cancels):
        stage = Stage.CANCELS
    elif decision.exits or decision.cancels:
        stage, orders = Stage.EXITS, decision.exits
    else:
        stage, orders = Stage.ENTRIES, decision.entries
    plan = Plan(
        run_id=run.run_id,
        sequence=0,
        stage=stage,
        polls=0,
        waited_seconds=0,
        orders=orders,
        cancels=decision.cancels,
        denied=(),
        rejected=(),
        exits_closed=None,
        entries_closed=None,
    )
    return replace(plan, orders=(*stops_due(decision, plan, {}), *orders))


def advance(
    run: Run, settings: Settings, decision: Decision, plan: Plan, known: Known, outcome: Outcome
) -> Step:
    """Give the next plan, and whether the run's orders have come to their end.

    Parameters
    ----------
    plan : Plan
        As `close_if_due` gave it to this call.
    outcome : Outcome
        Of this call's posts.
    """
    orders = {**known.orders, **{each.client_order_id: each for each in outcome.accepted}}
    fates = fates_of(run, plan, known, outcome, orders)
    after = replace(
        plan,
        orders=tuple(fates.kept),
        denied=(*plan.denied, *fates.denied),
        rejected=(*plan.rejected, *fates.rejected),
        unprotected={**plan.unprotected, **fates.unprotected},
    )
    trading = fates.trading
    if not trading and after.stage is Stage.CANCELS:
        after = with_exits(decision, after, orders)
        trading = bool(after.orders[len(fates.kept) :])
    if not trading and after.stage is Stage.EXITS:
        if proceeds_are_late(run, settings, decision, after, orders, known):
            trading = True
        else:
            after = with_entries(settings, decision, after, known, orders)
            trading = bool(after.orders[len(fates.kept) :])
    due = () if after.stops_closed else stops_due(decision, after, orders)
    after = replace(after, orders=(*after.orders, *due))
    # What is dropped is written down too: a parallel execution must not send it any more.
    terms = (plan.orders, plan.denied, plan.rejected, plan.unprotected)
    changed = terms != (after.orders, after.denied, after.rejected, after.unprotected)
    pending = trading or fates.arming or bool(due)
    return _step(run, decision, after, orders, known, pending=pending, changed=changed)


def with_exits(decision: Decision, plan: Plan, orders: dict[str, Order]) -> Plan:
    """Move on to the exits: what was approved, less what the canceled stops sold meanwhile."""
    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    for intent in decision.exits:
        sold = sold_by_canceled(intent.symbol, decision, orders)
        if plan.exits_closed is not None:
            closure = plan.exits_closed
            denied.append(denied_of(intent, closure.code, closure.detail))
        elif sold >= intent.qty:
            denied.append(denied_of(intent, "STOP_FILLED", f"its stop sold {sold} meanwhile"))
        else:
            kept.append(replace(intent, qty=intent.qty - sold))
    return replace(
        plan,
        stage=Stage.EXITS,
        orders=(*plan.orders, *kept),
        denied=(*plan.denied, *denied),
    )


def adopt(later: Plan, decision: Decision, plan: Plan, known: Known) -> Step:
    """Go on with the plan that another call has already made of this one; send nothing yet."""
    merged = replace(
        later,
        polls=0,
        waited_seconds=max(later.waited_seconds, plan.waited_seconds) + 1,
        exits_closed=later.exits_closed or plan.exits_closed,
        entries_closed=later.entries_closed or plan.entries_closed,
        stops_closed=later.stops_closed or plan.stops_closed,
    )
    return Step(
        plan=merged,
        submission=_submission(decision, merged, known.orders, known.account, complete=False),
        complete=False,
        wait_seconds=1,
    )


def _step(
    run: Run,
    decision: Decision,
    plan: Plan,
    orders: dict[str, Order],
    known: Known,
    *,
    pending: bool,
    changed: bool,
) -> Step:
    wait = 0
    if changed:
        wait = 1 if pending else 0
        plan = replace(plan, sequence=plan.sequence + 1, polls=0)
    elif pending:
        back_off = BACK_OFF_SECONDS[min(plan.polls, len(BACK_OFF_SECONDS) - 1)]
        now = now_of(run, plan, known)
        ends = [each for each in (trades_end(run, decision), run.deadline) if each > now]
        wait = min([back_off, *(math.ceil((each - now).total_seconds()) for each in ends)])
        plan = replace(plan, polls=plan.polls + 1)
    plan = replace(plan, waited_seconds=plan.waited_seconds + wait)
    return Step(
        plan=plan,
        submission=_submission(decision, plan, orders, known.account, complete=not pending),
        complete=not pending,
        wait_seconds=wait,
    )


def _submission(
    decision: Decision,
    plan: Plan,
    orders: dict[str, Order],
    account: Account,
    *,
    complete: bool,
) -> Submission:
    stops = {each.client_order_id for each in plan.orders if each.leg is Leg.STOP}
    shown = tuple(
        orders[each]
        for each in (*plan.cancels, *(intent.client_order_id for intent in plan.orders))
        if each in orders
    )
    if not complete:
        so_far = "it is not placed yet"
    elif plan.stops_closed is not None:
        so_far = f"{plan.stops_closed.code}: {plan.stops_closed.detail}"
    else:
        so_far = "its orders have not come to their end"
    return Submission(
        orders=shown,
        denied=plan.denied,
        rejected=plan.rejected,
        unsettled=tuple(
            order.client_order_id
            for order in shown
            if not order.is_terminal and order.client_order_id not in stops
        ),
        account=account,
        unprotected=unprotected(decision, plan, orders, so_far=so_far),
    )
