"""Owns a run's protective stops: when each is due, its quantity, and which are missing."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from algotrader.execution.values import uncanceled, was_given_up
from algotrader.model import (
    Decision,
    DesiredStop,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Plan,
    Side,
    TimeInForce,
)
from algotrader.model.units import NO_SHARES, ZERO, Shares
from algotrader.orders.own_orders import is_stop, symbol_of
from algotrader.orders.statuses import FILLED, is_terminal, stands


def stops_due(decision: Decision, plan: Plan, orders: dict[str, Order]) -> tuple[OrderIntent, ...]:
    """Return the stops to add to the plan, for symbols in which every order has ended.

    Parameters
    ----------
    plan : Plan
        The next plan; its stage shows which trades can have ended.
    orders : dict of str to Order
        By client order id, as the broker shows them now.

    Returns
    -------
    tuple of OrderIntent
        Good-until-canceled orders for whole shares: the shares at the decision, adjusted for later
        fills. A symbol with less than one share gets no stop.
    """
    planned = {each.client_order_id for each in plan.orders}
    return tuple(
        stop_intent(stop, qty)
        for stop in decision.stops
        if stop.client_order_id not in planned
        and stop.symbol not in plan.unprotected
        and is_at_rest(stop.symbol, decision, plan, orders)
        and (qty := whole_shares(held_now(stop, decision, orders))) > 0
    )


def find_unprotected(
    decision: Decision, plan: Plan, orders: dict[str, Order], *, so_far: str
) -> dict[str, str]:
    """Return why a holding lacks its stop, by symbol.

    Parameters
    ----------
    so_far : str
        The reason for a missing stop that has no other reason.
    """
    found: dict[str, str] = {}
    for stop in decision.stops:
        symbol, order = stop.symbol, orders.get(stop.client_order_id)
        held = held_now(stop, decision, orders)
        if symbol in plan.unprotected:
            found[symbol] = plan.unprotected[symbol]
        elif order is not None:
            if not stands(order) and order.status != FILLED:
                found[symbol] = f"its stop is {order.status}"
        elif _still_stands(symbol, plan, orders):
            continue
        elif held > 0 or not is_at_rest(symbol, decision, plan, orders):
            stuck = _stuck_stop(symbol, plan, orders)
            found[symbol] = stuck or ("less than a whole share" if 0 < held < 1 else so_far)
    return found


def is_at_rest(symbol: str, decision: Decision, plan: Plan, orders: dict[str, Order]) -> bool:
    """Whether all cancels and trades in a symbol have ended, or will never be sent."""
    if not is_canceled(symbol, plan, orders):
        return False
    planned = {each.client_order_id for each in plan.orders}
    for intent in (*decision.exits, *decision.entries):
        order = orders.get(intent.client_order_id)
        if intent.symbol != symbol or (order is not None and is_terminal(order)):
            continue
        if intent.client_order_id in planned or not was_given_up(intent, plan):
            return False
    return True


def is_canceled(symbol: str, plan: Plan, orders: dict[str, Order]) -> bool:
    """Whether all of the plan's cancels in a symbol have ended."""
    return not uncanceled(symbol, plan, orders)


def stops_to_come(decision: Decision, plan: Plan, orders: dict[str, Order]) -> set[str]:
    """Return the symbols that should get a stop for which the run must still wait."""
    if plan.stops_closed is not None:
        return set()
    planned = {each.client_order_id for each in plan.orders}
    return {
        stop.symbol
        for stop in decision.stops
        if stop.client_order_id not in planned
        and stop.symbol not in plan.unprotected
        and whole_shares(held_now(stop, decision, orders)) > 0
    }


def held_now(stop: DesiredStop, decision: Decision, orders: dict[str, Order]) -> Shares:
    """Compute the desk's shares in a symbol: those at the decision, adjusted for later fills."""
    intents = (*decision.exits, *decision.entries)
    ids = (*decision.cancels, *(each.client_order_id for each in intents))
    held: Decimal = stop.held
    for order in (orders[each] for each in ids if each in orders):
        if order.symbol == stop.symbol:
            since = _filled_since(order, decision)
            held += since if order.side is Side.BUY else -since
    return Shares(held)


def sold_by_canceled(symbol: str, decision: Decision, orders: dict[str, Order]) -> Shares:
    """Compute the shares that a symbol's canceled orders sold since the decision."""
    canceled = [orders[each] for each in decision.cancels if each in orders]
    fills = (
        _filled_since(order, decision)
        for order in canceled
        if order.symbol == symbol and order.side is Side.SELL
    )
    return Shares(sum(fills, ZERO))


def whole_shares(qty: Shares) -> Shares:
    """Round down to whole shares: the broker rejects a fractional good-until-canceled order."""
    return Shares(max(qty, NO_SHARES).to_integral_value(ROUND_FLOOR))


def _still_stands(symbol: str, plan: Plan, orders: dict[str, Order]) -> bool:
    """Whether the stop that the run had to cancel still protects the position."""
    return any(
        symbol_of(each) == symbol
        and (order := orders.get(each)) is not None
        and is_stop(order)
        and stands(order)
        for each in plan.cancels
    )


def _stuck_stop(symbol: str, plan: Plan, orders: dict[str, Order]) -> str:
    """Describe the canceled stop that has not ended and so blocks the next one."""
    stops = [orders[each] for each in uncanceled(symbol, plan, orders) if each in orders]
    return next((f"its stop is {each.status}" for each in stops if is_stop(each)), "")


def _filled_since(order: Order, decision: Decision) -> Decimal:
    return order.filled_qty - decision.filled_before.get(order.client_order_id, ZERO)


def stop_intent(stop: DesiredStop, qty: Shares) -> OrderIntent:
    """Build the order that places a stop, good until canceled."""
    return OrderIntent(
        client_order_id=stop.client_order_id,
        symbol=stop.symbol,
        side=Side.SELL,
        leg=Leg.STOP,
        qty=qty,
        order_type=OrderType.STOP,
        limit_price=None,
        reference_price=stop.reference_price,
        why=stop.why,
        stop_price=stop.stop_price,
        time_in_force=TimeInForce.GTC,
    )
