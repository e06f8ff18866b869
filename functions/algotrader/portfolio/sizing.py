"""Owns the arithmetic from weights to shares: spendable cash, prices of orders, quantities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal, localcontext

from algotrader.model import (
    Asset,
    OrderIntent,
    OrderType,
    Settings,
    Side,
)
from algotrader.model.units import CENT, FRACTION_STEP, MONEY, ONE_SHARE, ZERO, tidy
from algotrader.orders.pricing import worst_price
from algotrader.portfolio.position import DeskPosition

MIN_FRACTIONAL_NOTIONAL = Decimal(1)  # dollars, Alpaca's minimum for an order in fractions


@dataclass(frozen=True, slots=True)
class Sizing:
    """What turns the weight of one symbol into an order.

    Attributes
    ----------
    capital, band : Decimal
        Desk capital and the no-trade band, both in dollars.
    reference, worst_buy : Decimal
        What a share is valued at, and the most that a bought one may cost.
    step, exit_step : Decimal
        Quantities of orders are multiples of ``step``, those of a full exit of ``exit_step``: of a
        fractionable asset the finest quantity that there is, so that nothing is left.
    """

    capital: Decimal
    band: Decimal
    reference: Decimal
    worst_buy: Decimal
    step: Decimal
    exit_step: Decimal


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order that a weight asks for.

    Attributes
    ----------
    qty : Decimal
        Shares; 0 if a first entry does not come to one step.
    sendable : Decimal
        What of it can be sent: a sell is capped at what is tradable.
    """

    side: Side
    qty: Decimal
    sendable: Decimal


def affordable_quantity(intent: OrderIntent, cash: Decimal, settings: Settings) -> Decimal:
    """Cut a buy to what this much cash pays at its worst price; 0 if that is too little.

    A whole quantity is cut to a whole one, also where fractions are allowed: the intent does not
    say whether its asset is.
    """
    with localcontext(MONEY):
        price = worst_price(intent, settings)
        whole = intent.qty == intent.qty.to_integral_value()
        step = ONE_SHARE if whole or not settings.fractional_shares else FRACTION_STEP
        qty = min(intent.qty, floor_to(max(cash, ZERO), price, step))
        enough = is_enough(qty, price, step) and qty * price >= settings.min_order_notional
        return qty if enough else ZERO


def is_enough(qty: Decimal, price: Decimal, step: Decimal) -> bool:
    """Whether a quantity makes an order: a share, or in fractions a dollar's worth."""
    return makes_an_order(qty, qty * price, step)


def makes_an_order(qty: Decimal, cost: Decimal, step: Decimal) -> bool:
    """Whether a quantity above 0 that costs so much makes an order: as `is_enough`, by its cost."""
    return qty >= ONE_SHARE or (qty > 0 and step < ONE_SHARE and cost >= MIN_FRACTIONAL_NOTIONAL)


def floor_to(money: Decimal, price: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that this much money, at least 0, pays at
    ``price``.
    """
    return tidy(money // (price * step) * step)


def quantity_step(asset: Asset | None, settings: Settings) -> Decimal:
    """Return the step of a symbol's quantities: fractions only where setting and asset allow
    them.
    """
    fractions = settings.fractional_shares and asset is not None and asset.fractionable
    return FRACTION_STEP if fractions else ONE_SHARE


def wanted_order(weight: Decimal, position: DeskPosition, sizing: Sizing) -> Wanted | None:
    """Turn a target weight into the order that leads there; None if there is nothing to do.

    A buy is sized by its worst price, so that its cost never exceeds the weight; a sell by the
    reference price, and never for more than the target leaves over. A drift below the band, or
    below the smallest order, is left alone; a first entry and a full exit are asked for at any
    size, the exit as long as the ledger says that there is something, so that a difference shows.
    """
    if weight == 0:
        if position.held <= 0 and position.book_qty <= 0:
            return None
        sendable = floor_to(position.sellable, ONE_SHARE, sizing.exit_step)
        return Wanted(Side.SELL, tidy(position.held or position.book_qty), sendable)
    target = weight * sizing.capital
    drift = target - position.held * sizing.reference
    if position.held > 0 and (drift == 0 or abs(drift) < sizing.band):
        return None
    if drift < 0:
        qty = floor_to(-drift, sizing.reference, sizing.step)
        free = floor_to(position.sellable, ONE_SHARE, sizing.step)
        wanted = Wanted(Side.SELL, qty, min(qty, free))
    else:
        qty = floor_to(money_missing(weight, position, sizing), sizing.worst_buy, sizing.step)
        wanted = Wanted(Side.BUY, qty, qty)
    first_entry = position.held == 0
    return wanted if first_entry or is_enough(qty, sizing.reference, sizing.step) else None


def money_missing(weight: Decimal, position: DeskPosition, sizing: Sizing) -> Decimal:
    """Return the dollars that a holding is short of its target at the worst price; never below
    0.
    """
    return max(weight * sizing.capital - position.held * sizing.worst_buy, ZERO)


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
        """Return the most that it may cost, in dollars: its value exactly, when it has one."""
        return self.qty * worst if self.notional is None else self.notional

    def is_enough(self, worst: Decimal, step: Decimal, least: Decimal) -> bool:
        """Whether the broker takes an order of this size, and it costs ``least`` dollars."""
        cost = self.cost(worst)
        return cost >= least and makes_an_order(self.qty, cost, step)


def is_by_value(settings: Settings, side: Side, step: Decimal) -> bool:
    """Whether an order names its value: an entry, where the template and the asset allow it."""
    return settings.order_type is OrderType.NOTIONAL and side is Side.BUY and step < ONE_SHARE


def size_for(money: Decimal, worst: Decimal, step: Decimal, *, by_value: bool) -> Size:
    """Return the largest entry that this much money, at least 0, pays at its worst price."""
    if not by_value:
        return Size(floor_to(money, worst, step))
    notional = money.quantize(CENT, ROUND_FLOOR)
    return Size(floor_to(notional, worst, step), notional)


def affordable(intent: OrderIntent, cash: Decimal, settings: Settings) -> OrderIntent | None:
    """Cut a buy to what this much cash pays at its worst price; None if that is too little."""
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
