"""Owns entries by value: for how many dollars one is, and how few shares these may buy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal, localcontext

from algotrader.model import OrderIntent, OrderType, Settings, Side
from algotrader.portfolio.sizing import (
    CENT,
    FRACTION_STEP,
    MONEY,
    ONE_SHARE,
    ZERO,
    affordable_quantity,
    floor_to,
    makes_an_order,
    worst_price,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much an entry is for.

    Attributes
    ----------
    qty : Decimal
        Shares; of an order by value those that it buys at its worst price.
    notional : Decimal or None
        Dollars in whole cents; None of an order by quantity.
    """

    qty: Decimal
    notional: Decimal | None = None

    def cost(self, worst: Decimal) -> Decimal:
        """Give the most that it may cost, in dollars: its value exactly, when it has one."""
        return self.qty * worst if self.notional is None else self.notional

    def is_enough(self, worst: Decimal, step: Decimal, least: Decimal) -> bool:
        """Whether the broker takes an order of this size, and it costs ``least`` dollars."""
        cost = self.cost(worst)
        return cost >= least and makes_an_order(self.qty, cost, step)


def is_by_value(settings: Settings, side: Side, step: Decimal) -> bool:
    """Whether an order names its value: an entry, where the template and the asset allow it."""
    return settings.order_type is OrderType.NOTIONAL and side is Side.BUY and step < ONE_SHARE


def size_for(money: Decimal, worst: Decimal, step: Decimal, *, by_value: bool) -> Size:
    """Give the largest entry that this much money, at least 0, pays at its worst price."""
    if not by_value:
        return Size(floor_to(money, worst, step))
    notional = money.quantize(CENT, ROUND_FLOOR)
    return Size(floor_to(notional, worst, step), notional)


def affordable(intent: OrderIntent, cash: Decimal, settings: Settings) -> OrderIntent | None:
    """Cut a buy to what this much cash pays at its worst price; None when that is too little."""
    if intent.notional is None:
        qty = affordable_quantity(intent, cash, settings)
        return replace(intent, qty=qty) if qty > 0 else None
    with localcontext(MONEY):
        worst = worst_price(intent, settings)
        money = min(intent.notional, max(cash, ZERO))
        size = size_for(money, worst, FRACTION_STEP, by_value=True)
        if not size.is_enough(worst, FRACTION_STEP, settings.min_order_notional):
            return None
        return replace(intent, qty=size.qty, notional=size.notional)
