"""Owns the prices of orders: ticks, marketable limits, and what an order costs at worst."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from algotrader.model import LatestPrice, OrderIntent, Settings, Side
from algotrader.model.units import CENT, MONEY

SUB_DOLLAR_TICK = Decimal("0.0001")
_BPS = Decimal(10_000)


def usable(price: LatestPrice | None) -> Decimal | None:
    """Return a latest price that is a number above 0, else None."""
    if price is None or not price.price.is_finite() or price.price <= 0:
        return None
    return price.price


def marketable_price(price: Decimal, side: Side, offset_bps: int) -> Decimal:
    """Return the limit price that an order trades at once with, unless the market runs away.

    ``price`` plus the offset for a buy, rounded up to the tick; less the offset for a sell, rounded
    down, and one tick at least. The tick is a cent from one dollar on, else a hundredth of that.
    """
    with localcontext(MONEY):
        offset = price * offset_bps / _BPS
        raw = price + offset if side is Side.BUY else price - offset
        tick = tick_of(raw)
        rounded = raw.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
        return max(rounded, tick)


def tick_of(price: Decimal) -> Decimal:
    """Return the smallest step of an order's price: a cent, below one dollar a hundredth of it."""
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def worst_price(intent: OrderIntent, settings: Settings) -> Decimal:
    """Return the most that a bought share may cost, or the least that a sold one may bring."""
    if intent.limit_price is not None:
        return intent.limit_price
    return marketable_price(intent.reference_price, intent.side, settings.limit_offset_bps)


def worst_cost(intent: OrderIntent, settings: Settings) -> Decimal:
    """Return the most that a buy may cost, or the least that a sell may bring, in dollars."""
    if intent.notional is not None:
        return intent.notional
    with localcontext(MONEY):
        return intent.qty * worst_price(intent, settings)
