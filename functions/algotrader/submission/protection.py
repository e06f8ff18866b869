"""Owns the protective stops of a run: when each is due, for how many shares, and which failed."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from algotrader.model import (
    Decision,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Plan,
    Side,
    Stage,
    StopWish,
    TimeInForce,
)
from algotrader.own_orders import stands, symbol_of

_ZERO = Decimal(0)
_SELLS = frozenset({Leg.EXIT, Leg.FLATTEN})
#: Of which legs the orders have been sent in a stage, if they ever will be.
_SENT = {
    Stage.CANCELS: frozenset[Leg](),
    Stage.EXITS: _SELLS,
    Stage.ENTRIES: _SELLS | {Leg.ENTRY},
}


def stops_due(decision: Decision, plan: Plan, orders: dict[str, Order]) -> tuple[OrderIntent, ...]:
    """Give the stops whose symbols have come to rest, and which the plan does not have yet.

    Parameters
    ----------
    plan : Plan
        As it will be; its stage tells which trades can have ended.
    orders : dict of str to Order
        By client order id, as the broker shows them now.

    Returns
    -------
    tuple of OrderIntent
        Whole shares, good until canceled: what the desk had at the decision, plus and minus what
        filled since. None for a symbol of which less than a share is left.
    """
    return tuple(
        _intent(wish, qty)
        for wish in _open_wishes(decision, plan)
        if is_at_rest(wish.symbol, decision, plan, orders)
        and (qty := whole_shares(held_now(wish, decision, orders))) > 0
    )


def unprotected(
    decision: Decision, plan: Plan, orders: dict[str, Order], *, so_far: str
) -> dict[str, str]:
    """Name the symbols that the desk holds without the stop they are to have, and why.

    Parameters
    ----------
    so_far : str
        What is said of a stop that nothing speaks against.
    """
    found: dict[str, str] = {}
    for wish in decision.stops:
        symbol, order = wish.symbol, orders.get(wish.client_order_id)
        held = held_now(wish, decision, orders)
        if symbol in plan.unprotected:
            found[symbol] = plan.unprotected[symbol]
        elif order is not None:
            if not stands(order) and order.status != "filled":
                found[symbol] = f"its stop is {order.status}"
        elif held > 0 or not is_at_rest(symbol, decision, plan, orders):
            found[symbol] = "less than a whole share" if 0 < held < 1 else so_far
    return found


def is_at_rest(symbol: str, decision: Decision, plan: Plan, orders: dict[str, Order]) -> bool:
    """Tell whether all cancels and trades of a symbol have come to their end, or never will."""
    for order_id in plan.cancels:
        canceled = orders.get(order_id)
        if symbol_of(order_id) == symbol and (canceled is None or not canceled.is_terminal):
            return False
    planned = {each.client_order_id for each in plan.orders}
    for intent in (*decision.exits, *decision.entries):
        if intent.symbol != symbol:
            continue
        if intent.leg not in _SENT[plan.stage]:
            return False
        order = orders.get(intent.client_order_id)
        if intent.client_order_id in planned and (order is None or not order.is_terminal):
            return False
    return True


def held_now(wish: StopWish, decision: Decision, orders: dict[str, Order]) -> Decimal:
    """Give what the desk has of a symbol: as decided, and what its orders filled since; shares."""
    intents = (*decision.exits, *decision.entries)
    ids = (*decision.cancels, *(each.client_order_id for each in intents))
    held = wish.held
    for order in (orders[each] for each in ids if each in orders):
        if order.symbol == wish.symbol:
            since = _filled_since(order, decision)
            held += since if order.side is Side.BUY else -since
    return held


def sold_by_canceled(symbol: str, decision: Decision, orders: dict[str, Order]) -> Decimal:
    """Give what the symbol's canceled orders sold since the decision, which did not know of it."""
    canceled = [orders[each] for each in decision.cancels if each in orders]
    return sum(
        (
            _filled_since(order, decision)
            for order in canceled
            if order.symbol == symbol and order.side is Side.SELL
        ),
        _ZERO,
    )


def whole_shares(qty: Decimal) -> Decimal:
    """Cut to whole shares: the broker takes no fraction that is good until canceled."""
    return max(qty, _ZERO).to_integral_value(ROUND_FLOOR)


def _open_wishes(decision: Decision, plan: Plan) -> list[StopWish]:
    planned = {each.client_order_id for each in plan.orders}
    return [
        wish
        for wish in decision.stops
        if wish.client_order_id not in planned and wish.symbol not in plan.unprotected
    ]


def _filled_since(order: Order, decision: Decision) -> Decimal:
    return order.filled_qty - decision.filled_before.get(order.client_order_id, _ZERO)


def _intent(wish: StopWish, qty: Decimal) -> OrderIntent:
    return OrderIntent(
        client_order_id=wish.client_order_id,
        symbol=wish.symbol,
        side=Side.SELL,
        leg=Leg.STOP,
        qty=qty,
        order_type=OrderType.STOP,
        limit_price=None,
        reference_price=wish.reference_price,
        why=wish.why,
        stop_price=wish.stop_price,
        time_in_force=TimeInForce.GTC,
    )
