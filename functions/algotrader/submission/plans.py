"""Owns the next plan of a run: a pure function of the last one and of what a call came to."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from algotrader.model import (
    Account,
    Decision,
    Order,
    OrderDenied,
    OrderIntent,
    Plan,
    Run,
    Settings,
    Stage,
    Submission,
)
from algotrader.submission.cash import proceeds_are_late, with_entries
from algotrader.submission.closing import SETTLE, closure_of, given_up, now_of
from algotrader.submission.posting import open_cancels
from algotrader.submission.values import Known, Outcome, Step, denied_of

# Seconds to wait after a call that changed nothing: fills of liquid shares come at once, the rest
# is waited for at little cost.
BACK_OFF_SECONDS = (2, 5, 10, 30)
# Orders and positions may be out of step for about ten seconds: a shortage is believed after so
# many polls.
PATIENT_POLLS = 3


def first_plan(run: Run, decision: Decision) -> Plan:
    """Make the plan of the first call: cancels and exits, or entries when there is neither."""
    exits_first = bool(decision.exits or decision.cancels)
    return Plan(
        run_id=run.run_id,
        sequence=0,
        stage=Stage.EXITS if exits_first else Stage.ENTRIES,
        polls=0,
        waited_seconds=0,
        orders=decision.exits if exits_first else decision.entries,
        cancels=decision.cancels,
        denied=(),
        rejected=(),
        exits_closed=None,
        entries_closed=None,
    )


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
    rejected_ids = {each.client_order_id for each in outcome.rejected}
    now = now_of(run, plan, known)

    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    pending = bool(open_cancels(plan, known)) and not given_up(run, plan.exits_closed, now)
    changed = False
    for intent in plan.orders:
        order = orders.get(intent.client_order_id)
        closure = closure_of(plan, intent)
        available = outcome.shortages.get(intent.client_order_id)
        if intent.client_order_id in rejected_ids:
            continue
        if order is not None:
            kept.append(intent)
            pending = pending or not (order.is_terminal or given_up(run, closure, now))
        elif closure is not None and now >= closure.at + SETTLE:
            denied.append(denied_of(intent, closure.code, closure.detail))
        elif available is not None and plan.polls >= PATIENT_POLLS:
            capped = replace(intent, qty=_as_whole_as(intent.qty, available))
            if capped.qty > 0:
                changed = pending = True
                kept.append(capped)
            else:
                denied.append(denied_of(intent, "NOTHING_TO_SELL", f"available {available}"))
        else:
            kept.append(intent)
            pending = True

    # What is dropped is written down too: a parallel execution must not send it any more.
    changed = changed or len(kept) < len(plan.orders)
    after = replace(
        plan,
        orders=tuple(kept),
        denied=(*plan.denied, *denied),
        rejected=(*plan.rejected, *outcome.rejected),
    )
    if not pending and plan.stage is Stage.EXITS:
        if proceeds_are_late(run, settings, decision, after, orders, known):
            pending = True
        else:
            after = with_entries(settings, decision, after, known, orders)
            pending = bool(after.orders[len(kept) :])
            changed = changed or bool(decision.entries)
    return _step(run, after, orders, known, pending=pending, changed=changed)


def adopt(later: Plan, plan: Plan, known: Known) -> Step:
    """Go on with the plan that another call has already made of this one; send nothing yet."""
    merged = replace(
        later,
        polls=0,
        waited_seconds=max(later.waited_seconds, plan.waited_seconds) + 1,
        exits_closed=later.exits_closed or plan.exits_closed,
        entries_closed=later.entries_closed or plan.entries_closed,
    )
    return Step(
        plan=merged,
        submission=_submission(merged, known.orders, known.account),
        complete=False,
        wait_seconds=1,
    )


def _step(
    run: Run, plan: Plan, orders: dict[str, Order], known: Known, *, pending: bool, changed: bool
) -> Step:
    wait = 0
    if changed:
        wait = 1 if pending else 0
        plan = replace(plan, sequence=plan.sequence + 1, polls=0)
    elif pending:
        back_off = BACK_OFF_SECONDS[min(plan.polls, len(BACK_OFF_SECONDS) - 1)]
        until_deadline = math.ceil((run.deadline - now_of(run, plan, known)).total_seconds())
        wait = min(back_off, until_deadline) if until_deadline > 0 else back_off
        plan = replace(plan, polls=plan.polls + 1)
    plan = replace(plan, waited_seconds=plan.waited_seconds + wait)
    return Step(
        plan=plan,
        submission=_submission(plan, orders, known.account),
        complete=not pending,
        wait_seconds=wait,
    )


def _submission(plan: Plan, orders: dict[str, Order], account: Account) -> Submission:
    shown = tuple(
        orders[each]
        for each in (*plan.cancels, *(intent.client_order_id for intent in plan.orders))
        if each in orders
    )
    return Submission(
        orders=shown,
        denied=plan.denied,
        rejected=plan.rejected,
        unsettled=tuple(order.client_order_id for order in shown if not order.is_terminal),
        account=account,
    )


def _as_whole_as(wanted: Decimal, available: Decimal) -> Decimal:
    """Cut to what is available, in whole shares where whole shares were wanted."""
    whole = wanted == wanted.to_integral_value()
    return available.to_integral_value(ROUND_FLOOR) if whole else available
