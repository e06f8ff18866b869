"""Owns the check that a plan contains only what its decision approved."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from msgspec.structs import replace

from algotrader.errors import DecisionConflictError
from algotrader.execution.plan import first_plan
from algotrader.execution.stop_orders import stop_intent
from algotrader.model import Decision, DesiredStop, Leg, Order, OrderIntent, Plan, Run, Side
from algotrader.orders.own_orders import leg_of, symbol_of


def plan_conflict(run: Run, sequence: int, problem: str) -> DecisionConflictError:
    """Build the error for a plan that this run did not make."""
    return DecisionConflictError(
        "PLAN_CONFLICT",
        "This run did not make that plan, so it sent nothing more. Check the journal and the "
        "orders at your broker, and find out who can write to the bucket.",
        run_id=run.run_id,
        plan=f"plan-{sequence:03d}",
        problem=f'"{problem}"',
    )


def find_unapproved(run: Run, decision: Decision, plan: Plan, orders: dict[str, Order]) -> str:
    """Describe the first thing in a plan that the decision did not approve; empty if none.

    Parameters
    ----------
    orders : dict of str to Order
        By client order id, as the broker shows them now; a canceled buy may have filled.
    """
    if run.run_id != plan.run_id or plan.run_id != decision.run_id:
        return f"it belongs to run {plan.run_id}"
    if plan.cancels != decision.cancels:
        return "it cancels different orders than the decision"
    ids = Counter(each.client_order_id for each in plan.orders)
    for intent in plan.orders:
        if ids[intent.client_order_id] > 1 or not _is_approved(intent, decision, orders):
            return (
                f"the decision does not approve {intent.client_order_id}: {intent.side.value} "
                f"{intent.qty} {intent.symbol}"
            )
    if plan.sequence == 0 and _terms(plan) != _terms(first_plan(run, decision)):
        return "it is not the first plan of the decision"
    return _foreign_denial(decision, plan)


def _is_approved(intent: OrderIntent, decision: Decision, orders: dict[str, Order]) -> bool:
    for approved in (*decision.exits, *decision.entries):
        if approved.client_order_id == intent.client_order_id:
            return _is_same_or_less(intent, approved)
    for stop in decision.stops:
        if stop.client_order_id == intent.client_order_id:
            return intent == stop_intent(stop, intent.qty) and (
                0 < intent.qty <= _most_protected(stop, decision, orders)
            )
    return False


def _is_same_or_less(intent: OrderIntent, approved: OrderIntent) -> bool:
    """Whether an order is the approved one, for the same amount or less."""
    if replace(intent, qty=approved.qty, notional=approved.notional) != approved:
        return False
    if (intent.notional is None) != (approved.notional is None):
        return False
    if intent.notional is not None and approved.notional is not None:
        return 0 < intent.notional <= approved.notional
    return 0 < intent.qty <= approved.qty


def _most_protected(stop: DesiredStop, decision: Decision, orders: dict[str, Order]) -> Decimal:
    """Compute the most shares that a stop may cover: the shares held, plus all possible buys.

    A canceled buy counts in full because it may have filled before its cancel. If the broker does
    not show the canceled buy, the result is infinity. A notional buy counts at the stop's price. It
    buys more shares only below that price, where the broker rejects the stop.
    """
    buys: list[OrderIntent | Order] = [
        each for each in decision.entries if each.symbol == stop.symbol
    ]
    for client_order_id in decision.cancels:
        order = orders.get(client_order_id)
        if order is not None and (order.symbol, order.side) == (stop.symbol, Side.BUY):
            buys.append(order)
        elif (
            order is None
            and symbol_of(client_order_id) in {stop.symbol, ""}
            and leg_of(client_order_id) in {Leg.ENTRY, None}
        ):
            return Decimal("Infinity")
    return stop.held + sum((_most_bought(each, stop.stop_price) for each in buys), Decimal(0))


def _most_bought(buy: OrderIntent | Order, price: Decimal) -> Decimal:
    if buy.notional is not None:
        return buy.notional / price
    return buy.qty or Decimal(0)


def _foreign_denial(decision: Decision, plan: Plan) -> str:
    """Describe the first denial or rejection of an order that the decision lacks, if any."""
    trades = (*decision.exits, *decision.entries)
    decided = {(each.symbol, each.side) for each in trades}
    ids = {each.client_order_id for each in trades}
    for denied in plan.denied:
        if (denied.symbol, denied.side) not in decided:
            return f"it denies a {denied.side.value} of {denied.symbol} that was not decided"
    for rejected in plan.rejected:
        if rejected.client_order_id not in ids:
            return f"it contains a rejection of {rejected.client_order_id}, which was not decided"
    for symbol in plan.unprotected:
        if symbol not in {stop.symbol for stop in decision.stops}:
            return f"the decision has no stop in {symbol}"
    return ""


def _terms(plan: Plan) -> tuple[object, ...]:
    return (plan.orders, plan.denied, plan.rejected, plan.unprotected)
