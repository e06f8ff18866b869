"""Owns the prices of orders: ticks, marketable limits, and worst-case prices and costs."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from algotrader.model import LatestPrice, OrderIntent, Settings, Side
from algotrader.model.units import CENT, MONEY, Dollars, Price

SUB_DOLLAR_TICK = Decimal("0.0001")


def usable_price(price: LatestPrice | None) -> Price | None:
    """Return a latest price if it is a number above 0, otherwise None."""
    if price is None or not price.price.is_finite() or price.price <= 0:
        return None
    return Price(price.price)


def marketable_price(price: Price, side: Side, offset_bps: int) -> Price:
    """Compute the limit of a marketable limit order, in dollars.

    A buy's limit is ``price`` plus the offset, rounded up to the tick. A sell's limit is ``price``
    less the offset, rounded down, and at least one tick.
    """
    with localcontext(MONEY):
        offset = price * offset_bps / 10_000
        raw = price + offset if side is Side.BUY else price - offset
        tick = tick_of(raw)
        rounded = raw.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
        return Price(max(rounded, tick))


def tick_of(price: Decimal) -> Decimal:
    """Return the tick of a price: $0.01 from one dollar up, and $0.0001 below."""
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def worst_price(intent: OrderIntent, settings: Settings) -> Price:
    """Compute the worst price of a share in dollars: a buy's highest, a sell's lowest."""
    if intent.limit_price is not None:
        return intent.limit_price
    return marketable_price(intent.reference_price, intent.side, settings.limit_offset_bps)


def worst_cost(intent: OrderIntent, settings: Settings) -> Dollars:
    """Compute an order's worst case in dollars: a buy's highest cost, a sell's lowest proceeds."""
    if intent.notional is not None:
        return intent.notional
    with localcontext(MONEY):
        return Dollars(intent.qty * worst_price(intent, settings))
