"""Owns the order that a target weight requires, and its reduction to the available money."""

from __future__ import annotations

from msgspec.structs import replace

from algotrader.model import Side
from algotrader.model.units import NO_PRICE, NO_SHARES, Dollars, Fraction, Price
from algotrader.orders.pricing import usable_price
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.portfolio.sizing import Wanted, size_for, sizing_of, wanted_order
from algotrader.risk.context import RiskContext
from algotrader.risk.ramp import ramp_left

#: Why a budget cut an entry, if neither exposure nor ``Capital`` did.
AVAILABLE_MONEY = "the available money"


def propose_order(
    position: DeskPosition, *, weight: Fraction, stop: Price | None, context: RiskContext
) -> ProposedOrder | None:
    """Return the order that a target weight requires, or None if it requires none.

    Parameters
    ----------
    stop : Price or None
        The protective stop that the symbol should have.
    """
    settings, symbol = context.settings, position.symbol
    asset = context.snapshot.assets.get(symbol)
    price = context.snapshot.prices.get(symbol)
    reference = context.portfolio.references.get(symbol, NO_PRICE)
    sizing = sizing_of(settings, asset, capital=context.portfolio.capital, reference=reference)
    if reference > 0 or weight == 0:
        wanted = wanted_order(position, weight=weight, sizing=sizing)
    else:
        wanted = Wanted(Side.BUY, NO_SHARES, NO_SHARES)
    if wanted is None:
        return None
    is_capped = wanted.side is Side.SELL and wanted.sendable < wanted.qty
    return ProposedOrder(
        weight=weight,
        position=position,
        price=None if usable_price(price) is None else price,
        wanted=wanted,
        qty=wanted.sendable,
        notional=wanted.notional,
        reference=reference,
        worst_price=sizing.worst_price(wanted.side) if reference > 0 else NO_PRICE,
        step=sizing.step,
        stop=stop,
        cut_to="what can be sold now" if is_capped else "",
    )


def cut_entry(order: ProposedOrder, context: RiskContext) -> ProposedOrder:
    """Reduce an entry to what the ramp leaves, then to what the budget leaves."""
    return cut_to_budget(cut_to_ramp(order, context), context)


def cut_to_ramp(order: ProposedOrder, context: RiskContext) -> ProposedOrder:
    """Reduce an entry to what the ramp leaves; unchanged if that is below the minimum order.

    The ramp ignores the no-trade band. Otherwise a low ramp could prevent every buy, and the first
    live days would show nothing about the strategy.
    """
    left = ramp_left(context)
    if left is None:
        return order
    least = context.settings.min_order_notional
    return _cut(order, money=left, least=least, cut_to="what LiveRampNotional leaves")


def cut_to_budget(order: ProposedOrder, context: RiskContext) -> ProposedOrder:
    """Reduce an entry to the money left; unchanged if that is below the no-trade band."""
    settings, budget = context.settings, context.budget
    band = Dollars(settings.no_trade_band * context.portfolio.capital)
    cut_to = AVAILABLE_MONEY
    if budget.exposure_left < budget.funds:
        cut_to = "what MaxGrossExposure leaves"
    elif budget.capital_left is not None and budget.capital_left < budget.cash:
        cut_to = "what Capital leaves"
    least = max(band, settings.min_order_notional)
    return _cut(order, money=budget.money, least=least, cut_to=cut_to)


def _cut(order: ProposedOrder, *, money: Dollars, least: Dollars, cut_to: str) -> ProposedOrder:
    """Reduce an entry to an amount of money; unchanged if less than ``least`` would remain."""
    if order.money <= money:
        return order
    by_value, worst = order.notional is not None, order.worst_price
    size = size_for(money=money, worst=worst, step=order.step, by_value=by_value)
    if not size.is_enough(worst=worst, step=order.step, least=least):
        return order
    return replace(order, qty=size.qty, notional=size.notional, cut_to=cut_to)
