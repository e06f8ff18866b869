"""Owns what Submit Orders does next: the plan as a write-ahead log, as pure functions.

A call gathers what the broker knows (`Known`), asks `orders_to_post` and `orders_to_cancel`,
carries them out, and hands the `Outcome` to `advance`, which gives the next plan. Nothing is posted
that was not in the plan the call was given, so every intent is written down before it is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from algotrader.errors import OrderConflictError
from algotrader.model import (
    Account,
    Closure,
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    Plan,
    Run,
    Settings,
    Stage,
    Submission,
    TradingState,
)
from algotrader.sizing import CENT, affordable_quantity, spendable, worst_cost

# Seconds to wait after a call that changed nothing: fills of liquid shares come at once, the rest
# is waited for at little cost.
BACK_OFF_SECONDS = (2, 5, 10, 30)
# How long a cancel, or an order that was sent at the last moment, may take to show its end. An
# accepted order is visible by its id within 30 s, so what is not found by then was never accepted.
SETTLE = timedelta(seconds=60)
# Orders, positions and cash may be out of step for about ten seconds: a shortage is believed after
# so many polls, and cash that a fill has not brought this long after it.
PATIENT_POLLS = 3
PROCEEDS = timedelta(seconds=15)
# An order may have been sent by a call that never told of it, and be shown 30 s later: what a call
# does not find is sent by the first call of a plan, and then by every fourth, the back-offs of
# which add up to 47 s and more.
RESEND_POLLS = 4


@dataclass(frozen=True, slots=True)
class Known:
    """What a call learned before it acts.

    Attributes
    ----------
    orders : dict of str to Order
        By client order id: those of the plan's orders and cancels that the broker shows.
    """

    now: datetime
    trading_state: TradingState
    trading_state_reason: str
    account: Account
    orders: dict[str, Order]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the call's posts.

    Attributes
    ----------
    accepted : tuple of Order
        Orders that the broker took, as it answered.
    rejected : tuple of OrderRejected
        Definite refusals.
    shortages : dict of str to Decimal
        By client order id: shares available of a sell that was not posted since it wants more.
    """

    accepted: tuple[Order, ...]
    rejected: tuple[OrderRejected, ...]
    shortages: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a call leaves the run."""

    plan: Plan
    submission: Submission
    complete: bool
    wait_seconds: int


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


def close_if_due(run: Run, plan: Plan, known: Known) -> Plan:
    """End posting where the deadline or the trading state says so; once ended it stays ended."""
    now = _now(run, plan, known)
    exits, entries = _not_ahead(plan.exits_closed, now), _not_ahead(plan.entries_closed, now)
    if known.trading_state is not TradingState.ACTIVE:
        closure = Closure(
            at=now,
            code=f"TRADING_{known.trading_state.value}",
            detail=known.trading_state_reason or f"trading state {known.trading_state.value}",
        )
        entries = entries or closure
        if known.trading_state is TradingState.HALTED:
            exits = exits or closure
    if now >= run.deadline:
        closure = Closure(
            at=now,
            code="DEADLINE_PASSED",
            detail=f"nothing is posted after {run.deadline.isoformat()}",
        )
        exits, entries = exits or closure, entries or closure
    return replace(plan, exits_closed=exits, entries_closed=entries)


def check_terms(plan: Plan, decision: Decision, known: Known) -> None:
    """Check that every order found under an id of ours has the terms that were written down.

    Raises
    ------
    OrderConflictError
        ``ORDER_CONFLICT`` when one has other terms.
    """
    decided = {each.client_order_id: each for each in (*decision.exits, *decision.entries)}
    for intent in plan.orders:
        order = known.orders.get(intent.client_order_id)
        if order is None:
            continue
        written = [intent, decided.get(intent.client_order_id, intent)]
        if not any(_same_terms(each, order) for each in written):
            raise OrderConflictError(
                "ORDER_CONFLICT",
                "An order that this run did not write down stands under its id; look at it at the "
                "broker, then halt or repair by hand.",
                client_order_id=intent.client_order_id,
                wanted=_terms_of_intent(intent),
                found=_terms_of_order(order),
            )


def orders_to_post(plan: Plan, known: Known) -> tuple[OrderIntent, ...]:
    """Give the plan's orders that the broker doesn't show and that may still be sent.

    Nothing is sent beside an unfinished cancel: it could trade the same shares.
    """
    if _open_cancels(plan, known):
        return ()
    return tuple(
        intent
        for intent in plan.orders
        if intent.client_order_id not in known.orders and _closure(plan, intent) is None
    )


def orders_due(
    plan: Plan, before: Plan | None, missing: tuple[OrderIntent, ...]
) -> tuple[OrderIntent, ...]:
    """Give the missing orders that may be sent now: those that no call has sent, or long ago.

    Parameters
    ----------
    before : Plan or None
        The plan before this one; None when there was none.
    missing : tuple of OrderIntent
        As `orders_to_post` gave them.
    """
    if plan.polls == 0 and before is not None:
        return tuple(each for each in missing if each not in before.orders)
    return missing if plan.polls % RESEND_POLLS == 0 else ()


def orders_to_cancel(run: Run, plan: Plan, known: Known) -> tuple[Order, ...]:
    """Give the open orders to ask the broker to cancel: the plan's cancels, and what is closed."""
    past_deadline = _now(run, plan, known) >= run.deadline
    closed = tuple(
        order
        for intent in plan.orders
        if (order := known.orders.get(intent.client_order_id)) is not None
        and not order.is_terminal
        and (past_deadline or (intent.leg is Leg.ENTRY and plan.entries_closed is not None))
    )
    return tuple(
        order
        for order in (*_open_cancels(plan, known), *closed)
        if order.status != "pending_cancel"
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
    now = _now(run, plan, known)

    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    pending = bool(_open_cancels(plan, known)) and not _given_up(run, plan.exits_closed, now)
    changed = False
    for intent in plan.orders:
        order = orders.get(intent.client_order_id)
        closure = _closure(plan, intent)
        available = outcome.shortages.get(intent.client_order_id)
        if intent.client_order_id in rejected_ids:
            continue
        if order is not None:
            kept.append(intent)
            pending = pending or not (order.is_terminal or _given_up(run, closure, now))
        elif closure is not None and now >= closure.at + SETTLE:
            denied.append(_denied(intent, closure.code, closure.detail))
        elif available is not None and plan.polls >= PATIENT_POLLS:
            capped = replace(intent, qty=_as_whole_as(intent.qty, available))
            if capped.qty > 0:
                changed = pending = True
                kept.append(capped)
            else:
                denied.append(_denied(intent, "NOTHING_TO_SELL", f"available {available}"))
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
        if _proceeds_are_late(run, settings, decision, after, orders, known):
            pending = True
        else:
            after = _with_entries(settings, decision, after, known, orders)
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
        until_deadline = math.ceil((run.deadline - _now(run, plan, known)).total_seconds())
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


def _with_entries(
    settings: Settings, decision: Decision, plan: Plan, known: Known, orders: dict[str, Order]
) -> Plan:
    """Move on to the entries: what was approved, cut to the cash that is there now."""
    plan = replace(plan, stage=Stage.ENTRIES)
    closure = plan.entries_closed
    cash = min(spendable(known.account, settings.cash_reserve), _budget(decision, settings, orders))
    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    for intent in decision.entries:
        if closure is not None:
            denied.append(_denied(intent, closure.code, closure.detail))
            continue
        qty = affordable_quantity(intent, cash, settings)
        if qty > 0:
            bought = replace(intent, qty=qty)
            kept.append(bought)
            cash -= worst_cost(bought, settings)
        else:
            detail = f"cost {worst_cost(intent, settings)} spendable {cash}"
            denied.append(_denied(intent, "INSUFFICIENT_CASH", detail))
    return replace(plan, orders=(*plan.orders, *kept), denied=(*plan.denied, *denied))


def _budget(decision: Decision, settings: Settings, orders: dict[str, Order]) -> Decimal:
    """Give the most that entries may cost: what was there at the bell, and what exits brought.

    Under a cap on the desk's capital or exposure, what the exits did not sell still takes it up:
    entries make room for it even where the account has cash to spare.
    """
    proceeds = missing = Decimal(0)
    for intent in decision.exits:
        order = orders.get(intent.client_order_id)
        filled = order.filled_qty if order else Decimal(0)
        if order is not None and order.filled_avg_price is not None:
            proceeds += filled * order.filled_avg_price
        missing += (intent.qty - filled) * intent.reference_price
    budget = decision.spendable + proceeds * (1 - settings.cash_reserve)
    if settings.capital is None and settings.max_gross_exposure >= 1:
        return budget
    wanted = sum((worst_cost(intent, settings) for intent in decision.entries), Decimal(0))
    return min(budget, wanted - missing)


def _proceeds_are_late(
    run: Run,
    settings: Settings,
    decision: Decision,
    plan: Plan,
    orders: dict[str, Order],
    known: Known,
) -> bool:
    """Whether the account seems not to know yet of the cash that the exits brought."""
    filled = [
        order.filled_at
        for intent in decision.exits
        if (order := orders.get(intent.client_order_id)) is not None and order.filled_at
    ]
    is_over = not filled or _now(run, plan, known) >= max(filled) + PROCEEDS
    if is_over or plan.entries_closed is not None:
        return False
    wanted = sum((worst_cost(intent, settings) for intent in decision.entries), Decimal(0))
    # In whole cents, as what is spendable: else a fraction of a cent would be waited for.
    expected = _budget(decision, settings, orders).quantize(CENT, ROUND_FLOOR)
    return spendable(known.account, settings.cash_reserve) < min(wanted, expected)


def _given_up(run: Run, closure: Closure | None, now: datetime) -> bool:
    """Whether an order that is still open has had its time to show the end of its cancel."""
    return closure is not None and now >= max(run.deadline, closure.at) + SETTLE


def _now(run: Run, plan: Plan, known: Known) -> datetime:
    """Take the later of the broker's clock and the waiting told so far: a clock that stands still
    must not keep a run alive.
    """
    return max(known.now, run.started_at + timedelta(seconds=plan.waited_seconds))


def _not_ahead(closure: Closure | None, now: datetime) -> Closure | None:
    """Count from now what a clock that had jumped ahead has ended, or the run would wait for it."""
    return closure and replace(closure, at=min(closure.at, now))


def _closure(plan: Plan, intent: OrderIntent) -> Closure | None:
    return plan.entries_closed if intent.leg is Leg.ENTRY else plan.exits_closed


def _open_cancels(plan: Plan, known: Known) -> tuple[Order, ...]:
    return tuple(
        order
        for each in plan.cancels
        if (order := known.orders.get(each)) is not None and not order.is_terminal
    )


def _denied(intent: OrderIntent, code: str, detail: str) -> OrderDenied:
    return OrderDenied(
        symbol=intent.symbol, side=intent.side, qty=intent.qty, code=code, detail=detail
    )


def _same_terms(intent: OrderIntent, order: Order) -> bool:
    return _terms_of_intent(intent) == _terms_of_order(order)


def _terms_of_intent(intent: OrderIntent) -> tuple[object, ...]:
    return (
        intent.symbol,
        intent.side.value,
        intent.order_type.value,
        intent.qty,
        intent.limit_price,
    )


def _terms_of_order(order: Order) -> tuple[object, ...]:
    return (order.symbol, order.side.value, order.order_type, order.qty, order.limit_price)
