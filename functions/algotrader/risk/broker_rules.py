"""Owns the broker's own rules for the orders that the desk can make, checked before it sends one.

``docs/orders.md`` has them as a table; a test compares.
"""

from __future__ import annotations

from decimal import localcontext

from algotrader.model import Asset, OrderIntent, OrderType, TimeInForce
from algotrader.model.units import CENT, FRACTION_STEP, MONEY, format_dollars, tidy
from algotrader.orders.ids import MAX_CLIENT_ORDER_ID_LENGTH
from algotrader.orders.pricing import tick_of
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL
from algotrader.risk.reasons import Denial, Reason

#: The prices that each type of order requires; it may have no others.
PRICED_BY = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
}


def broken_rule(intent: OrderIntent, asset: Asset | None = None) -> Denial | None:
    """Return the first of Alpaca's rules that an order breaks, with its numbers; None if none.

    Parameters
    ----------
    asset : Asset or None
        The broker's data about the symbol. None if the desk did not ask, or the broker does not
        list the symbol. Then the broker itself checks whether it trades in fractions.

    Notes
    -----
    Sources: ``CreateOrderRequest`` and ``TimeInForce`` of Alpaca's OpenAPI document (an order by
    value is a market order for the day and names no quantity; which prices a type has; an id of up
    to 128 characters; ours have at most 48); its pages "Orders at Alpaca" and "Fractional Trading"
    (ticks of a cent, below a dollar of a hundredth of it; up to nine decimals of a share; at least
    a dollar; only fractionable assets); its answers 422 "fractional orders must be DAY orders" and
    "notional value must be limited to 2 decimal places". The document allows fractions only for
    market orders, but Alpaca has accepted fractional limit and stop orders since 2023.
    """
    with localcontext(MONEY):
        problem = (
            _prices(intent)
            or (_quantity(intent, asset) if intent.notional is None else _value(intent, asset))
            or _id(intent)
        )
    return None if problem is None else Denial(Reason.ORDER_RULE, problem)


def _prices(intent: OrderIntent) -> str | None:
    wanted = PRICED_BY.get(intent.order_type)
    if wanted is None:
        return f"{intent.order_type.value} is not a type of order"
    for name, price in (("limit_price", intent.limit_price), ("stop_price", intent.stop_price)):
        if (name in wanted) != (price is not None):
            having = "has no" if price is None else "has a"
            return f"a {intent.order_type.value} order {having} {name}"
        if price is None:
            continue
        if not price.is_finite() or price <= 0:
            return f"{name} {price} is not above 0"
        if price % tick_of(price):
            return f"{name} {format_dollars(price)} is not a multiple of {tick_of(price)}"
    return None


def _quantity(intent: OrderIntent, asset: Asset | None) -> str | None:
    qty = intent.qty
    if not qty.is_finite() or qty <= 0:
        return f"quantity {qty} is not above 0"
    if qty % FRACTION_STEP:
        return f"quantity {tidy(qty):f} has more than 9 decimals"
    is_whole = qty == qty.to_integral_value()
    return None if is_whole else _fraction(f"quantity {tidy(qty):f}", intent, asset)


def _value(intent: OrderIntent, asset: Asset | None) -> str | None:
    notional = intent.notional
    if notional is None or not notional.is_finite() or notional < MIN_FRACTIONAL_NOTIONAL:
        return f"value {notional} is not {MIN_FRACTIONAL_NOTIONAL} dollar at least"
    if notional % CENT:
        return f"value {notional} is not in whole cents"
    shown = f"value {notional:.2f}"
    if intent.order_type is not OrderType.MARKET:
        return f"{shown} is only for market orders, not {intent.order_type.value}"
    return _fraction(shown, intent, asset)


def _fraction(shown: str, intent: OrderIntent, asset: Asset | None) -> str | None:
    if intent.time_in_force is not TimeInForce.DAY:
        return f"{shown} is good only for the day, not {intent.time_in_force.value}"
    if asset is not None and not asset.fractionable:
        return f"{shown}: the asset trades only in whole shares"
    return None


def _id(intent: OrderIntent) -> str | None:
    length = len(intent.client_order_id)
    if length <= MAX_CLIENT_ORDER_ID_LENGTH:
        return None
    return f"an id of {length} characters, limit {MAX_CLIENT_ORDER_ID_LENGTH}"
