"""Owns the check that an order with one of our ids has the plan's terms."""

from __future__ import annotations

from msgspec.structs import replace

from algotrader.errors import OrderConflictError
from algotrader.execution.values import Known
from algotrader.model import Decision, Order, OrderIntent, Plan
from algotrader.model.units import Dollars, Shares


def check_terms(plan: Plan, decision: Decision, known: Known) -> None:
    """Check that every order with an id of the plan has the terms of the plan or the decision.

    Raises
    ------
    OrderConflictError
        ``ORDER_CONFLICT`` if an order has different terms.
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
                "The broker has an order with this run's id but different terms. Check the order "
                "at the broker, then halt the desk or cancel the order yourself.",
                client_order_id=intent.client_order_id,
                wanted=_terms_of_intent(intent),
                found=_terms_of_order(order),
            )


def matches_decided(intent: OrderIntent, order: Order) -> bool:
    """Whether an order has a decided order's terms, in full or reduced."""
    return _same_terms(reduce_to_sent(intent, order), order)


def reduce_to_sent(intent: OrderIntent, order: Order) -> OrderIntent:
    """Return a decided order reduced to the amount of the order that was sent for it."""
    cut = intent
    if order.qty is not None:
        cut = replace(intent, qty=min(intent.qty, Shares(order.qty)))
    if intent.notional is not None and order.notional is not None:
        cut = replace(cut, notional=min(intent.notional, Dollars(order.notional)))
    return cut


def _same_terms(intent: OrderIntent, order: Order) -> bool:
    return _terms_of_intent(intent) == _terms_of_order(order)


def _terms_of_intent(intent: OrderIntent) -> tuple[object, ...]:
    return (
        intent.symbol,
        intent.side.value,
        intent.order_type.value,
        intent.qty if intent.notional is None else None,
        intent.notional,
        intent.limit_price,
        intent.stop_price,
        intent.time_in_force.value,
        False,  # the desk never asks for extended hours
    )


def _terms_of_order(order: Order) -> tuple[object, ...]:
    return (
        order.symbol,
        order.side.value,
        order.order_type,
        order.qty,
        order.notional,
        order.limit_price,
        order.stop_price,
        order.time_in_force,
        order.extended_hours,
    )
