"""Owns the reading of the desk's own orders by their ids: symbol, leg, and open stops."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from algotrader.model import Leg, Order, Side
from algotrader.model.units import ZERO
from algotrader.orders.ids import parse_client_order_id
from algotrader.orders.statuses import is_terminal

# Legs that protect a position. Their orders rest at the broker on purpose, so no run cancels
# them as leftovers.
PROTECTIVE_LEGS = frozenset({Leg.STOP, Leg.TARGET})


def leg_of(order_id: str) -> Leg | None:
    """Parse the leg from a client order id, or return None if none of our desks wrote it."""
    place = parse_client_order_id(order_id)
    return None if place is None else place.leg


def symbol_of(order_id: str) -> str:
    """Parse the symbol from a client order id.

    Return an empty string if none of our desks wrote it.
    """
    place = parse_client_order_id(order_id)
    return "" if place is None else place.symbol


def is_protective(order: Order) -> bool:
    """Whether one of the desk's own orders protects a position; a buy never does."""
    return order.side is Side.SELL and leg_of(order.client_order_id) in PROTECTIVE_LEGS


def is_stop(order: Order) -> bool:
    """Whether one of the desk's own orders is a protective stop."""
    return is_protective(order) and leg_of(order.client_order_id) is Leg.STOP


def resting_stops(orders: Iterable[Order]) -> dict[str, list[Order]]:
    """Find the desk's own open stop orders, by symbol.

    Parameters
    ----------
    orders : iterable of Order
        The desk's own orders.
    """
    found: dict[str, list[Order]] = {}
    for order in orders:
        if is_stop(order) and not is_terminal(order):
            found.setdefault(order.symbol, []).append(order)
    return found


def filled_of(orders: Iterable[Order], ids: Iterable[str]) -> dict[str, Decimal]:
    """Return the filled shares of the orders with these ids, by client order id."""
    wanted = set(ids)
    return {
        each.client_order_id: each.filled_qty for each in orders if each.client_order_id in wanted
    }


def remaining(orders: Iterable[Order]) -> Decimal:
    """Compute the unfilled shares of these orders; an order without a quantity counts as 0."""
    return sum(((each.qty or ZERO) - each.filled_qty for each in orders), ZERO)
