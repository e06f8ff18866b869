"""Owns trailing stops: the best price since the order was submitted, and its stop price."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from local.paper_broker.values import CENT, Order, Ticket

PERCENT = Decimal("0.01")
DOLLAR = Decimal(1)
#: The exchange's smallest price step below a dollar.
SMALL_TICK = Decimal("0.0001")


def follow(order: Order, price: Decimal | None) -> None:
    """Move a trailing stop's mark and stop price if a price is better than every earlier one.

    The call changes no other order, and none whose stop was reached. Alpaca calls the mark ``hwm``,
    for high water mark: a sell's highest price, or a buy's lowest.
    """
    if price is None or not order.ticket.trails or order.triggered:
        return
    better = min if order.is_buy else max
    order.mark = price if order.mark is None else better(order.mark, price)
    order.stop_price = stop_price(order.ticket, order.mark)


def stop_price(ticket: Ticket, mark: Decimal) -> Decimal:
    """Return the stop price at a mark, below it for a sell and above it for a buy."""
    distance = ticket.trail_price
    if distance is None:
        distance = mark * (ticket.trail_percent or Decimal(0)) * PERCENT
    price = mark + distance if ticket.side == "buy" else mark - distance
    return price.quantize(CENT if price >= DOLLAR else SMALL_TICK, ROUND_HALF_UP)
