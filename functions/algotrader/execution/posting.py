"""Owns which orders a call posts and cancels, given what the broker shows."""

from __future__ import annotations

from algotrader.execution.cutoff import cutoff_of, latest_now, trades_end
from algotrader.execution.stop_orders import stops_to_come
from algotrader.execution.values import Known, was_given_up
from algotrader.model import Decision, Leg, Order, OrderIntent, Plan, Run
from algotrader.orders.own_orders import is_protective, remaining
from algotrader.orders.statuses import is_cancel_pending, is_terminal
from algotrader.risk.broker_rules import broken_rule

# A call that died may have sent an order, and the broker may take 30 s to show it. So only a plan's
# first call, and then every fourth call, sends the missing orders. The back-offs in between add up
# to at least 47 s.
RESEND_POLLS = 4

# Counted in seconds that the run waited, so that a clock that jumps does not end the wait.
STUCK_AFTER_SECONDS = 60


def orders_to_post(plan: Plan, known: Known) -> tuple[OrderIntent, ...]:
    """Return the plan's orders that the broker does not show and the run may send.

    Stops come first, then exits, so that every exit is posted before the first entry.
    An order enters the plan only after all cancels in its symbol have ended, because a canceled
    order could trade the same shares. The run does not send an approved order that breaks one of
    the broker's rules.
    """
    missing = [
        intent
        for intent in plan.orders
        if intent.client_order_id not in known.orders
        and cutoff_of(plan, intent) is None
        and broken_rule(intent) is None
    ]
    turns = {Leg.STOP: 0, Leg.ENTRY: 2}
    return tuple(sorted(missing, key=lambda each: turns.get(each.leg, 1)))


def never_sent(plan: Plan, before: Plan | None) -> frozenset[str]:
    """Return the ids of the orders that no call has sent if the plan's send lease is still free.

    Each execution acquires the lease of a plan's first poll before it sends the orders that are new
    in the plan or that the previous call certainly did not send. Any other order of the previous
    plan, or one that it gave up, may have been sent.

    Parameters
    ----------
    before : Plan or None
        The plan before this one; None if there was none.
    """
    if plan.polls > 0:
        return frozenset()
    earlier = () if before is None else before.orders
    sent = {each.client_order_id for each in earlier}
    return frozenset(plan.unsent) | frozenset(
        each.client_order_id
        for each in plan.orders
        if each.client_order_id not in sent
        and not (before is not None and was_given_up(each, before))
    )


def orders_due(
    plan: Plan, before: Plan | None, missing: tuple[OrderIntent, ...]
) -> tuple[OrderIntent, ...]:
    """Return the missing orders that no call has sent, at least not for a long time.

    That includes the orders that the previous call certainly did not send.

    An order that the previous plan had given up is in this plan because the broker showed it. So
    this call does not send that order again.

    Parameters
    ----------
    before : Plan or None
        The plan before this one; None if there was none.
    missing : tuple of OrderIntent
        As `orders_to_post` returned them.
    """
    if plan.polls == 0 and before is not None:
        return tuple(
            each
            for each in missing
            if each.client_order_id in plan.unsent
            or (each not in before.orders and not was_given_up(each, before))
        )
    return missing if plan.polls % RESEND_POLLS == 0 else ()


def orders_to_cancel(run: Run, decision: Decision, plan: Plan, known: Known) -> tuple[Order, ...]:
    """Return the open orders to cancel: the plan's cancels, and orders of a leg that has ended.

    A stop that the run placed stays, because it must outlive the run.
    """
    is_over = latest_now(run, plan, known) >= trades_end(run, decision)
    left = open_cancels(decision, plan, known)
    first = [known.orders[each] for each in left if each in known.orders]
    closed = [
        order
        for intent in plan.orders
        if (order := known.orders.get(intent.client_order_id)) is not None
        and not is_terminal(order)
        and intent.leg is not Leg.STOP
        and (is_over or (intent.leg is Leg.ENTRY and plan.entries_closed is not None))
    ]
    return tuple(order for order in (*first, *closed) if not is_cancel_pending(order))


def open_cancels(decision: Decision, plan: Plan, known: Known) -> tuple[str, ...]:
    """Return the ids of the plan's cancels that have not ended yet.

    The broker showed each of these orders when the run began, so an order that is missing now
    counts as open. Once the run can place no more stops, it leaves the resting stops in place.
    """
    return tuple(
        each
        for each in plan.cancels
        if (order := known.orders.get(each)) is None
        or not (is_terminal(order) or _is_kept(order, decision, plan))
    )


def awaited_cancels(decision: Decision, plan: Plan, known: Known) -> tuple[str, ...]:
    """Return the open cancels for which the run waits.

    A cancel that has not ended after a minute of the run's waits is stuck. The run waits no longer
    for a stuck order that the broker shows, unless a stop must follow it. An exit or an entry that
    must follow it keeps the run going by itself, until its leg ends.
    """
    if plan.waited_seconds < STUCK_AFTER_SECONDS:
        return open_cancels(decision, plan, known)
    stops = stops_to_come(decision, plan, known.orders)
    return tuple(
        each
        for each in open_cancels(decision, plan, known)
        if each not in known.orders or known.orders[each].symbol in stops
    )


def _is_kept(order: Order, decision: Decision, plan: Plan) -> bool:
    """Whether to keep a stop, since none could follow and it covers no more than the holding."""
    if plan.stops_closed is None or not is_protective(order) or is_cancel_pending(order):
        return False
    stops = [stop for stop in decision.stops if stop.symbol == order.symbol]
    return any(remaining([order]) <= stop.held for stop in stops)
