"""Owns what a call may send and must cancel, given what the broker shows."""

from __future__ import annotations

from algotrader.execution.cutoff import cutoff_of, latest_now, trades_end
from algotrader.execution.values import Known, was_given_up
from algotrader.model import Decision, Leg, Order, OrderIntent, Plan, Run
from algotrader.orders.own_orders import is_protective, remaining
from algotrader.risk.broker_rules import broken_rule

# An order may have been sent by a call that never told of it, and be shown 30 s later: what a call
# does not find is sent by the first call of a plan, and then by every fourth, the back-offs of
# which add up to 47 s and more.
RESEND_POLLS = 4


def orders_to_post(plan: Plan, known: Known) -> tuple[OrderIntent, ...]:
    """Return the plan's orders that the broker doesn't show and that may still be sent, stops
    first.

    An order is in the plan only once all cancels in its symbol have come to their end: beside one
    it could trade the same shares. What breaks a rule of the broker's is not sent,
    though it was approved.
    """
    missing = [
        intent
        for intent in plan.orders
        if intent.client_order_id not in known.orders
        and cutoff_of(plan, intent) is None
        and broken_rule(intent) is None
    ]
    return tuple(sorted(missing, key=lambda each: each.leg is not Leg.STOP))


def orders_due(
    plan: Plan, before: Plan | None, missing: tuple[OrderIntent, ...]
) -> tuple[OrderIntent, ...]:
    """Return the missing orders that may be sent now: those that no call has sent, or long ago.

    What the plan before had given up is in this one since it was seen: a call has sent it.

    Parameters
    ----------
    before : Plan or None
        The plan before this one; None if there was none.
    missing : tuple of OrderIntent
        As `orders_to_post` gave them.
    """
    if plan.polls == 0 and before is not None:
        return tuple(
            each for each in missing if each not in before.orders and not was_given_up(each, before)
        )
    return missing if plan.polls % RESEND_POLLS == 0 else ()


def orders_to_cancel(run: Run, decision: Decision, plan: Plan, known: Known) -> tuple[Order, ...]:
    """Return the open orders to ask the broker to cancel: the plan's cancels, and what is closed.

    A stop that was placed stays: it is there to outlive the run.
    """
    is_over = latest_now(run, plan, known) >= trades_end(run, decision)
    left = open_cancels(decision, plan, known)
    first = [known.orders[each] for each in left if each in known.orders]
    closed = [
        order
        for intent in plan.orders
        if (order := known.orders.get(intent.client_order_id)) is not None
        and not order.is_terminal
        and intent.leg is not Leg.STOP
        and (is_over or (intent.leg is Leg.ENTRY and plan.entries_closed is not None))
    ]
    return tuple(order for order in (*first, *closed) if order.status != "pending_cancel")


def open_cancels(decision: Decision, plan: Plan, known: Known) -> tuple[str, ...]:
    """Return the ids of the orders to be canceled first that have not been seen at their end.

    The broker showed each of them when the run began: one that it does not show now is still there.
    Once no stop can be placed any more, those that rest are left where they are.
    """
    return tuple(
        each
        for each in plan.cancels
        if (order := known.orders.get(each)) is None
        or not (order.is_terminal or _is_kept(order, decision, plan))
    )


def _is_kept(order: Order, decision: Decision, plan: Plan) -> bool:
    """Whether a stop is better left than canceled: none could follow, and it fits the holding."""
    if plan.stops_closed is None or not is_protective(order) or order.status == "pending_cancel":
        return False
    stops = [stop for stop in decision.stops if stop.symbol == order.symbol]
    return any(remaining([order]) <= stop.held for stop in stops)
