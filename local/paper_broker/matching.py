"""Owns the price and the size at which an order fills, as functions of order, price and bar."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from local.paper_broker.data import DailyBar, MinuteBar
from local.paper_broker.values import CENT, Behaviour, Order

SHARE = Decimal(1)
SHARE_FRACTION = Decimal("0.000000001")
BASIS_POINT = Decimal("0.0001")


def price_now(order: Order, price: Decimal, slippage_bps: Decimal) -> Decimal | None:
    """Return an order's fill price at the latest trade, or None if the order must wait.

    The call triggers a stop that the price has reached. The fill is never worse than the limit.
    """
    if not is_triggered(order, price, price):
        return None
    limit = order.limit_price
    if limit is None:
        return apply_slippage(order, price, slippage_bps)
    if order.is_buy:
        return min(limit, apply_slippage(order, price, slippage_bps)) if price <= limit else None
    return max(limit, apply_slippage(order, price, slippage_bps)) if price >= limit else None


def price_in_range(
    order: Order, bar: DailyBar | MinuteBar, slippage_bps: Decimal
) -> Decimal | None:
    """Return a resting order's fill price after a session or a minute, or None if it does not fill.

    A limit order fills at its limit if the range touched it. A stop order fills at its stop price,
    with slippage. A stop-limit order fills at the stop price if the limit allows that, otherwise at
    the limit if the range touched it.
    """
    was_triggered = order.triggered or order.stop_price is None
    if not is_triggered(order, bar.low, bar.high):
        return None
    limit, stop = order.limit_price, order.stop_price
    if not was_triggered and stop is not None:
        filled = apply_slippage(order, stop, slippage_bps)
        if limit is None:
            return filled
        if order.is_buy and stop <= limit:
            return min(limit, filled)
        if not order.is_buy and stop >= limit:
            return max(limit, filled)
    if limit is None:
        return apply_slippage(order, bar.close, slippage_bps)
    touched = bar.low <= limit if order.is_buy else bar.high >= limit
    return limit if touched else None


def is_triggered(order: Order, low: Decimal, high: Decimal) -> bool:
    """Return whether an order is active within a range; mark a stop that the range reached."""
    if order.stop_price is not None and not order.triggered:
        order.triggered = high >= order.stop_price if order.is_buy else low <= order.stop_price
        return order.triggered
    return True


def apply_slippage(order: Order, price: Decimal, slippage_bps: Decimal) -> Decimal:
    """Worsen a price by the slippage, rounded to the cent that is worse for the order."""
    if not slippage_bps:
        return price
    sign, rounding = (1, ROUND_CEILING) if order.is_buy else (-1, ROUND_FLOOR)
    return (price * (1 + sign * slippage_bps * BASIS_POINT)).quantize(CENT, rounding)


def part_to_fill(order: Order, behaviour: Behaviour, *, is_last_look: bool) -> Decimal:
    """Return the shares that fill now: all remaining shares, or fewer if `Behaviour` says so."""
    qty = order.qty or Decimal(0)
    grain = SHARE if qty == qty.to_integral_value() else SHARE_FRACTION
    most = (qty * behaviour.fill_fraction).quantize(grain, ROUND_DOWN) - order.filled_qty
    part = max(grain, (qty / behaviour.fill_parts).quantize(grain, ROUND_DOWN))
    # The last part includes the division's remainder, so no further part follows.
    whole = is_last_look or most - part < part
    return max(Decimal(0), most if whole else part)


def shares_for(notional: Decimal, price: Decimal) -> Decimal:
    """Return the shares that a notional pays for, rounded down to a billionth."""
    return (notional / price).quantize(SHARE_FRACTION, ROUND_DOWN)
