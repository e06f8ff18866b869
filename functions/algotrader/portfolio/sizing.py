"""Owns the arithmetic that turns weights and money into shares."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext

from msgspec import Struct
from msgspec.structs import replace

from algotrader.model import Asset, OrderIntent, OrderType, Settings, Side
from algotrader.model.units import (
    CENT,
    FRACTION_STEP,
    MONEY,
    NO_DOLLARS,
    ONE_SHARE,
    Dollars,
    Fraction,
    Price,
    Shares,
    tidy,
)
from algotrader.orders.pricing import marketable_price, worst_price
from algotrader.portfolio.position import DeskPosition

MIN_FRACTIONAL_NOTIONAL = Dollars(Decimal(1))  # Alpaca's minimum for an order in fractions


class Sizing(Struct, frozen=True):
    """The figures that turn a symbol's weight into an order.

    Attributes
    ----------
    capital, band : Dollars
        Desk capital and the no-trade band.
    reference, worst_buy, worst_sell : Price
        The value of a share, its highest cost in a buy, and its lowest proceeds in a sell.
    step, exit_step : Shares
        A quantity is a multiple of ``step``, or of ``exit_step`` for a full exit. A fractionable
        asset has the finest exit step, so that nothing is left.
    by_value : bool
        Whether a buy is for an amount of dollars.
    """

    capital: Dollars
    band: Dollars
    reference: Price
    worst_buy: Price
    worst_sell: Price
    step: Shares
    exit_step: Shares
    by_value: bool = False

    def worst_price(self, side: Side) -> Price:
        """Return the worst price for a side."""
        return self.worst_buy if side is Side.BUY else self.worst_sell


def sizing_of(
    settings: Settings, asset: Asset | None, *, capital: Dollars, reference: Price
) -> Sizing:
    """Return the sizing of orders in an asset; None means that the broker does not list it."""
    step = quantity_step(asset, settings)
    bps = settings.limit_offset_bps
    return Sizing(
        capital=capital,
        band=Dollars(settings.no_trade_band * capital),
        reference=reference,
        worst_buy=marketable_price(reference, Side.BUY, bps),
        worst_sell=marketable_price(reference, Side.SELL, bps),
        step=step,
        exit_step=FRACTION_STEP if asset is None or asset.fractionable else ONE_SHARE,
        by_value=settings.order_type is OrderType.NOTIONAL and step < ONE_SHARE,
    )


class Size(Struct, frozen=True):
    """The size of an order.

    Attributes
    ----------
    qty : Shares
        Shares; for an order by value, those that it buys at its worst price.
    notional : Dollars or None
        Dollars, in whole cents, or None for an order by quantity.
    """

    qty: Shares
    notional: Dollars | None = None

    def cost(self, *, worst: Price) -> Dollars:
        """Return the highest cost; for an order by value, exactly its dollars."""
        return Dollars(self.qty * worst) if self.notional is None else self.notional

    def is_enough(self, *, worst: Price, step: Shares, least: Dollars) -> bool:
        """Whether the broker accepts an order of this size, and it costs ``least`` or more."""
        cost = self.cost(worst=worst)
        return cost >= least and makes_an_order(qty=self.qty, cost=cost, step=step)


class Wanted(Struct, frozen=True):
    """An order that leads to a target weight.

    Attributes
    ----------
    qty : Shares
        0 if a first entry is smaller than one step.
    sendable : Shares
        Shares that the desk can send; a sell never exceeds the sellable shares.
    notional : Dollars or None
        Dollars of an order by value, or None for an order by quantity.
    """

    side: Side
    qty: Shares
    sendable: Shares
    notional: Dollars | None = None


def wanted_order(position: DeskPosition, *, weight: Fraction, sizing: Sizing) -> Wanted | None:
    """Return the order that leads to a target weight, or None if there is nothing to do.

    A buy is sized by its worst price, so that its cost never exceeds the weight. A sell is sized by
    the reference price, and never exceeds the surplus over the target. The desk ignores a drift
    below the band or below the smallest order. A first entry and a full exit may have any size. The
    exit is due even if only the books show a holding, so that the difference becomes visible.
    """
    if weight == 0:
        if position.held <= 0 and position.book_qty <= 0:
            return None
        sendable = floor_shares(qty=position.sellable, step=sizing.exit_step)
        return Wanted(Side.SELL, Shares(tidy(position.held or position.book_qty)), sendable)
    drift = weight * sizing.capital - position.held * sizing.reference
    if position.held > 0 and (drift == 0 or abs(drift) < sizing.band):
        return None
    if drift < 0:
        surplus = Dollars(-drift)
        qty = shares_for(money=surplus, price=sizing.reference, step=sizing.step)
        wanted = Wanted(
            Side.SELL, qty, min(qty, floor_shares(qty=position.sellable, step=sizing.step))
        )
    else:
        missing = weight * sizing.capital - position.held * sizing.worst_buy
        wanted = _wanted_buy(money=max(Dollars(missing), NO_DOLLARS), sizing=sizing)
    first_entry = position.held == 0
    value = Dollars(wanted.qty * sizing.reference)
    is_order = makes_an_order(qty=wanted.qty, cost=value, step=sizing.step)
    return wanted if first_entry or is_order else None


def _wanted_buy(*, money: Dollars, sizing: Sizing) -> Wanted:
    qty = shares_for(money=money, price=sizing.worst_buy, step=sizing.step)
    size = size_for(money=money, worst=sizing.worst_buy, step=sizing.step, by_value=sizing.by_value)
    return Wanted(Side.BUY, qty, size.qty, size.notional)


def size_for(*, money: Dollars, worst: Price, step: Shares, by_value: bool) -> Size:
    """Return the largest entry that an amount of at least 0 pays for at the worst price."""
    if not by_value:
        return Size(shares_for(money=money, price=worst, step=step))
    notional = Dollars(money.quantize(CENT, ROUND_FLOOR))
    return Size(shares_for(money=notional, price=worst, step=step), notional)


def affordable(intent: OrderIntent, *, cash: Dollars, settings: Settings) -> OrderIntent | None:
    """Cut a buy to what the cash pays for at the worst price, or return None if that is too little.

    A whole quantity stays whole even if fractions are allowed, because the intent does not say
    whether its asset is fractionable.
    """
    with localcontext(MONEY):
        by_value = intent.notional is not None
        whole = intent.qty == intent.qty.to_integral_value()
        fractions = by_value or (settings.fractional_shares and not whole)
        step = FRACTION_STEP if fractions else ONE_SHARE
        worst = worst_price(intent, settings)
        money = max(cash, NO_DOLLARS)
        if intent.notional is not None:
            money = min(intent.notional, money)
        size = size_for(money=money, worst=worst, step=step, by_value=by_value)
        if not by_value:
            size = replace(size, qty=min(intent.qty, size.qty))
        if not size.is_enough(worst=worst, step=step, least=settings.min_order_notional):
            return None
        return replace(intent, qty=size.qty, notional=size.notional)


def quantity_step(asset: Asset | None, settings: Settings) -> Shares:
    """Return the step of a symbol's quantities; a fraction needs both setting and asset."""
    fractions = settings.fractional_shares and asset is not None and asset.fractionable
    return FRACTION_STEP if fractions else ONE_SHARE


def makes_an_order(*, qty: Shares, cost: Dollars, step: Shares) -> bool:
    """Whether a quantity is enough for an order: one share, or a fraction that costs a dollar."""
    return qty >= ONE_SHARE or (qty > 0 and step < ONE_SHARE and cost >= MIN_FRACTIONAL_NOTIONAL)


def shares_for(*, money: Dollars, price: Price, step: Shares) -> Shares:
    """Return the largest multiple of ``step`` that an amount of at least 0 pays for."""
    return Shares(tidy(money // (price * step) * step))


def floor_shares(*, qty: Shares, step: Shares) -> Shares:
    """Return the largest multiple of ``step`` in a quantity of at least 0."""
    return Shares(tidy(qty // step * step))
