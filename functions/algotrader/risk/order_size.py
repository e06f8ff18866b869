"""Owns the limits on how much is bought: by order, by position, by run."""

from __future__ import annotations

from decimal import Decimal

from algotrader.model.units import ONE_SHARE, dollars, tidy
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL, makes_an_order
from algotrader.risk.reasons import Denial, Reason


def minimum_order(
    qty: Decimal,
    worst: Decimal,
    target: Decimal,
    step: Decimal,
    min_notional: Decimal,
    cost: Decimal | None = None,
) -> Denial | None:
    """Ask for a buy that the broker takes, and of no less money than the template asks for.

    The broker takes one share at least, in fractions one dollar's worth.

    Parameters
    ----------
    cost : Decimal or None
        The dollars of an order by value; None means what the quantity costs at its worst price.
    """
    cost = qty * worst if cost is None else cost
    if not makes_an_order(qty, cost, step):
        told = "one share" if step >= ONE_SHARE else f"{MIN_FRACTIONAL_NOTIONAL} dollar's worth"
    elif cost < min_notional:
        told = f"the least order of {min_notional:.2f}"
    else:
        return None
    return Denial(
        Reason.BELOW_MINIMUM_ORDER,
        f"{target:.2f} buys {tidy(qty):f} at {dollars(worst)}, less than {told}",
    )


def max_position_weight(
    value: Decimal, capital: Decimal, max_weight: Decimal, weight: Decimal
) -> Denial | None:
    """Bound the desk's position after a buy, at its worst price, by a share of capital."""
    if value <= max_weight * capital:
        return None
    return Denial(
        Reason.MAX_POSITION_WEIGHT,
        f"target {tidy(weight):f} makes the position {value:.2f} of {capital:.2f},"
        f" allowed {tidy(max_weight):f} = {max_weight * capital:.2f}",
    )


def max_order_notional(cost: Decimal, maximum: Decimal) -> Denial | None:
    """Bound what one buy costs at its worst price."""
    if cost <= maximum:
        return None
    return Denial(Reason.MAX_ORDER_NOTIONAL, f"cost {cost:.2f}, allowed {maximum:.2f}")


def max_orders_per_run(approved: int, maximum: int) -> Denial | None:
    """Bound a run's orders; exits count first and are never refused by it."""
    if approved < maximum:
        return None
    return Denial(Reason.MAX_ORDERS_PER_RUN, f"{approved} approved already, allowed {maximum}")


def enough_cash(cost: Decimal, cash: Decimal, capital_left: Decimal | None) -> Denial | None:
    """Ask that cash and the least that exits bring pay for a buy, and that Capital allows it."""
    if cost > cash:
        return Denial(Reason.INSUFFICIENT_CASH, f"cost {cost:.2f}, spendable {cash:.2f}")
    if capital_left is not None and cost > capital_left:
        return Denial(
            Reason.CAPITAL_EXCEEDED,
            f"cost {cost:.2f}, left of Capital beside the desk's positions {capital_left:.2f}",
        )
    return None


def max_gross_exposure(
    cost: Decimal, left: Decimal, capital: Decimal, maximum: Decimal
) -> Denial | None:
    """Bound the worth of all the desk's positions, at entries' worst prices, by a share of capital.

    The desk is never short, so that gross exposure is net exposure as well.

    Parameters
    ----------
    left : Decimal
        What the desk's positions, its open buys and entries before this one leave, in dollars.
    """
    if cost <= left:
        return None
    return Denial(
        Reason.MAX_GROSS_EXPOSURE,
        f"cost {cost:.2f}, left beside the desk's positions and open buys {left:.2f},"
        f" allowed {tidy(maximum):f} of {capital:.2f}",
    )


def max_turnover(
    cost: Decimal, traded: Decimal, capital: Decimal, maximum: Decimal
) -> Denial | None:
    """Bound what a run trades by a share of capital; exits count first and are never refused.

    Parameters
    ----------
    traded : Decimal
        The worth of the run's exits, and the cost of entries before this one, in dollars.
    """
    if traded + cost <= maximum * capital:
        return None
    return Denial(
        Reason.MAX_TURNOVER,
        f"cost {cost:.2f} beside {traded:.2f} traded in this run, allowed {tidy(maximum):f} of"
        f" {capital:.2f} = {maximum * capital:.2f}",
    )
