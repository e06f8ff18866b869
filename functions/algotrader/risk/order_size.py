"""Owns the limits on the size of one buy."""

from __future__ import annotations

from algotrader.model.units import ONE_SHARE, format_dollars, tidy
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL, makes_an_order
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason


def minimum_order(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry below the broker's minimum or below ``MinOrderNotional``.

    The broker accepts at least one share, or one dollar's worth if the order is in fractions.
    """
    least = context.settings.min_order_notional
    if not makes_an_order(qty=order.qty, cost=order.money, step=order.step):
        whole = order.step >= ONE_SHARE
        minimum = "one share" if whole else f"{MIN_FRACTIONAL_NOTIONAL} dollar's worth"
    elif order.money < least:
        minimum = f"MinOrderNotional {least:.2f}"
    else:
        return None
    target = order.weight * context.portfolio.capital
    return Denial(
        Reason.BELOW_MINIMUM_ORDER,
        f"{target:.2f} buys {tidy(order.qty):f} at {format_dollars(order.worst_price)},"
        f" less than {minimum}",
    )


def max_position_weight(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes the position too large a share of capital at its worst price."""
    value = order.position.held * order.worst_price + order.money
    capital, allowed = context.portfolio.capital, context.settings.max_position_weight
    if value <= allowed * capital:
        return None
    return Denial(
        Reason.MAX_POSITION_WEIGHT,
        f"target {tidy(order.weight):f} makes the position {value:.2f} of {capital:.2f},"
        f" limit {tidy(allowed):f} = {allowed * capital:.2f}",
    )


def max_order_notional(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs too much at its worst price."""
    allowed = context.settings.max_order_notional
    if order.money <= allowed:
        return None
    return Denial(Reason.MAX_ORDER_NOTIONAL, f"cost {order.money:.2f}, limit {allowed:.2f}")
