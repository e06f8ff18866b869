"""Owns the broker's order rules, which the desk checks before it sends an order.

``docs/orders.md`` has a table of the rules, and a test compares the two.
"""

from __future__ import annotations

from decimal import localcontext

from algotrader.model import Asset, OrderIntent, OrderType, TimeInForce
from algotrader.model.units import CENT, FRACTION_STEP, MONEY, format_dollars, tidy
from algotrader.orders.ids import MAX_CLIENT_ORDER_ID_LENGTH
from algotrader.orders.pricing import tick_of
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL
from algotrader.risk.reasons import Denial, Reason

#: The prices that each order type requires. An order has no other prices.
PRICED_BY = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
}


def broken_rule(intent: OrderIntent, asset: Asset | None = None) -> Denial | None:
    """Return a denial for the first of Alpaca's rules that an order breaks.

    Return None if it breaks none.

    Parameters
    ----------
    asset : Asset or None
        The broker's data about the symbol, or None if the desk did not ask or the broker does not
        list the symbol. Without the data, only the broker checks whether fractions are allowed.

    Notes
    -----
    Sources: ``CreateOrderRequest`` and ``TimeInForce`` in Alpaca's OpenAPI document, the pages
    "Orders at Alpaca" and "Fractional Trading", and the 422 responses "fractional orders must be
    DAY orders" and "notional value must be limited to 2 decimal places". The document allows ids of
    up to 128 characters, but ours have at most 48. It allows fractions only in market orders, but
    Alpaca has accepted fractional limit and stop orders since 2023.
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
        return f"{intent.order_type.value} is not an order type"
    for name, price in (("limit_price", intent.limit_price), ("stop_price", intent.stop_price)):
        if (name in wanted) != (price is not None):
            verb = "needs" if price is None else "cannot have"
            return f"a {intent.order_type.value} order {verb} a {name}"
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
        return f"value {notional} is not at least {MIN_FRACTIONAL_NOTIONAL} dollar"
    if notional % CENT:
        return f"value {notional} is not in whole cents"
    shown = f"value {notional:.2f}"
    if intent.order_type is not OrderType.MARKET:
        return f"{shown} needs a market order, not a {intent.order_type.value} order"
    return _fraction(shown, intent, asset)


def _fraction(shown: str, intent: OrderIntent, asset: Asset | None) -> str | None:
    if intent.time_in_force is not TimeInForce.DAY:
        return f"{shown} needs time in force day, not {intent.time_in_force.value}"
    if asset is not None and not asset.fractionable:
        return f"{shown}: the asset trades only in whole shares"
    return None


def _id(intent: OrderIntent) -> str | None:
    length = len(intent.client_order_id)
    if length <= MAX_CLIENT_ORDER_ID_LENGTH:
        return None
    return f"an id of {length} characters, limit {MAX_CLIENT_ORDER_ID_LENGTH}"
