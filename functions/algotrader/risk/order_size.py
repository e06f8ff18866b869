"""Owns the checks on how much is bought: by order, by position, by run."""

from __future__ import annotations

from algotrader.model.units import NO_DOLLARS, ONE_SHARE, Dollars, format_dollars, tidy
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL, makes_an_order
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason


def minimum_order(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry below the broker's minimum or below ``MinOrderNotional``.

    The broker takes one share or more, in fractions one dollar's worth or more.
    """
    least = context.settings.min_order_notional
    if not makes_an_order(qty=order.qty, cost=order.money, step=order.step):
        whole = order.step >= ONE_SHARE
        minimum = "one share" if whole else f"{MIN_FRACTIONAL_NOTIONAL} dollar's worth"
    elif order.money < least:
        minimum = f"the least order of {least:.2f}"
    else:
        return None
    target = order.weight * context.portfolio.capital
    return Denial(
        Reason.BELOW_MINIMUM_ORDER,
        f"{target:.2f} buys {tidy(order.qty):f} at {format_dollars(order.worst_price)},"
        f" less than {minimum}",
    )


def max_position_weight(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes the position, at its worst price, too large a part of capital."""
    value = order.position.held * order.worst_price + order.money
    capital, allowed = context.portfolio.capital, context.settings.max_position_weight
    if value <= allowed * capital:
        return None
    return Denial(
        Reason.MAX_POSITION_WEIGHT,
        f"target {tidy(order.weight):f} makes the position {value:.2f} of {capital:.2f},"
        f" allowed {tidy(allowed):f} = {allowed * capital:.2f}",
    )


def max_order_notional(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs too much at its worst price."""
    allowed = context.settings.max_order_notional
    if order.money <= allowed:
        return None
    return Denial(Reason.MAX_ORDER_NOTIONAL, f"cost {order.money:.2f}, allowed {allowed:.2f}")


def max_orders_per_run(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry once the run has its number of orders; its exits count first."""
    del order
    approved, allowed = len(context.traded), context.settings.max_orders_per_run
    if approved < allowed:
        return None
    return Denial(Reason.MAX_ORDERS_PER_RUN, f"{approved} approved already, allowed {allowed}")


def enough_cash(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that cash, with the least that the exits bring, does not pay for."""
    cash = context.budget.cash
    if order.money <= cash:
        return None
    return Denial(Reason.INSUFFICIENT_CASH, f"cost {order.money:.2f}, spendable {cash:.2f}")


def within_capital(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs more than the desk's positions leave of ``Capital``."""
    left = context.budget.capital_left
    if left is None or order.money <= left:
        return None
    return Denial(
        Reason.CAPITAL_EXCEEDED,
        f"cost {order.money:.2f}, left of Capital beside the desk's positions {left:.2f}",
    )


def max_gross_exposure(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes all positions together too large a part of capital.

    Positions count at their worth, open buys and entries at their worst prices. The desk is never
    short, so that gross exposure is net exposure as well.
    """
    left = context.budget.exposure_left
    if order.money <= left:
        return None
    return Denial(
        Reason.MAX_GROSS_EXPOSURE,
        f"cost {order.money:.2f}, left beside the desk's positions and open buys {left:.2f},"
        f" allowed {tidy(context.settings.max_gross_exposure):f} of"
        f" {context.portfolio.capital:.2f}",
    )


def max_turnover(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes the run trade too large a part of capital; its exits count first."""
    traded = _turnover(context)
    capital, allowed = context.portfolio.capital, context.settings.max_turnover
    if traded + order.money <= allowed * capital:
        return None
    return Denial(
        Reason.MAX_TURNOVER,
        f"cost {order.money:.2f} beside {traded:.2f} traded in this run, allowed"
        f" {tidy(allowed):f} of {capital:.2f} = {allowed * capital:.2f}",
    )


def _turnover(context: RiskContext) -> Dollars:
    """Add up what the run trades so far: the worth of its exits, and the cost of its entries."""
    return Dollars(sum((each.turnover for each in context.traded), NO_DOLLARS))
