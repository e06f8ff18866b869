"""Owns what the ids of the desk's own orders tell: their symbol, their leg, what they keep."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from algotrader.model import Leg, Order, Side
from algotrader.orders.ids import parse_client_order_id

# Legs that protect a position: they stand on purpose, a run does not clear them away.
PROTECTIVE_LEGS = frozenset({Leg.STOP, Leg.TARGET})
# Statuses in which a stop does its work, or will when the market is open; in any other one nothing
# is known to protect the holding.
STANDING_STATUSES = frozenset(
    {
        *("accepted", "accepted_for_bidding", "pending_new"),
        *("new", "partially_filled", "done_for_day", "stopped"),
    }
)
_ZERO = Decimal(0)


def leg_of(order_id: str) -> Leg | None:
    """Read the leg out of a client order id; None if no desk of ours wrote it."""
    place = parse_client_order_id(order_id)
    return None if place is None else place.leg


def symbol_of(order_id: str) -> str:
    """Read the symbol out of a client order id; empty if no desk of ours wrote it."""
    place = parse_client_order_id(order_id)
    return "" if place is None else place.symbol


def is_protective(order: Order) -> bool:
    """Whether an order of the desk's own protects a position; a buy under such an id does not."""
    return order.side is Side.SELL and leg_of(order.client_order_id) in PROTECTIVE_LEGS


def is_stop(order: Order) -> bool:
    """Whether an order of the desk's own is a protective stop."""
    return is_protective(order) and leg_of(order.client_order_id) is Leg.STOP


def stands(stop: Order) -> bool:
    """Whether a stop order protects its position."""
    return stop.status in STANDING_STATUSES


def resting_stops(orders: Iterable[Order]) -> dict[str, list[Order]]:
    """Find the desk's own open stop orders, by symbol.

    Parameters
    ----------
    orders : iterable of Order
        The desk's own.
    """
    found: dict[str, list[Order]] = {}
    for order in orders:
        if is_stop(order) and not order.is_terminal:
            found.setdefault(order.symbol, []).append(order)
    return found


def filled_of(orders: Iterable[Order], ids: Iterable[str]) -> dict[str, Decimal]:
    """Return what of some orders has filled, by client order id; shares."""
    wanted = set(ids)
    return {
        each.client_order_id: each.filled_qty for each in orders if each.client_order_id in wanted
    }


def remaining(orders: Iterable[Order]) -> Decimal:
    """Add up what orders may still fill, in shares; one of an unknown quantity counts for none."""
    return sum(((each.qty or _ZERO) - each.filled_qty for each in orders), _ZERO)
