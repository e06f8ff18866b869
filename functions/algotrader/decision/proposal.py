"""Owns the case of one symbol: the order its weight asks for, what refuses it, in which words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from algotrader.model import LatestPrice, Run, Settings, Side, Snapshot
from algotrader.model.units import FRACTION_STEP, ONE_SHARE, ZERO, dollars, tidy
from algotrader.orders.pricing import marketable_price, usable
from algotrader.portfolio.capital import BuyingBudget, PortfolioState
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.sizing import (
    Size,
    Sizing,
    Wanted,
    is_by_value,
    money_missing,
    quantity_step,
    size_for,
    wanted_order,
)
from algotrader.risk import pre_trade as limits
from algotrader.risk.pre_trade import Denial
from algotrader.risk.ramp import Ramp


@dataclass(frozen=True, slots=True)
class ProposedOrder:
    """An order that a weight asks for, and the figures that its answer needs.

    Attributes
    ----------
    price : LatestPrice or None
        None if there is no usable one; then the order is refused.
    reference, worst_price : Decimal
        What a share is valued at, and what it costs at most or brings at least; 0 if nothing
        tells.
    qty : Decimal
        What there is to send, after all cuts.
    step : Decimal
        Entries are multiples of it.
    cut_to : str
        To what ``qty`` was cut, in words; empty if it is all that is wanted, or all of it that
        whole cents or steps allow.
    notional : Decimal or None
        Of an order by value, its dollars.
    """

    weight: Decimal
    position: DeskPosition
    price: LatestPrice | None
    wanted: Wanted
    qty: Decimal
    reference: Decimal
    worst_price: Decimal
    step: Decimal
    cut_to: str = ""
    notional: Decimal | None = None

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.position.symbol

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.wanted.side

    @property
    def money(self) -> Decimal:
        """What a buy may cost, or what a sell brings at least; dollars."""
        return Size(self.qty, self.notional).cost(self.worst_price)


def propose_order(
    position: DeskPosition,
    weight: Decimal,
    settings: Settings,
    snapshot: Snapshot,
    desk: PortfolioState,
) -> ProposedOrder | None:
    """Return the order that a weight asks for; None if it asks for nothing."""
    asset = snapshot.assets.get(position.symbol)
    price = snapshot.prices.get(position.symbol)
    reference = desk.references.get(position.symbol, ZERO)
    bps = settings.limit_offset_bps
    step = quantity_step(asset, settings)
    sizing = Sizing(
        capital=desk.capital,
        band=settings.no_trade_band * desk.capital,
        reference=reference,
        worst_buy=marketable_price(reference, Side.BUY, bps),
        step=step,
        exit_step=FRACTION_STEP if asset is None or asset.fractionable else ONE_SHARE,
    )
    if reference > 0 or weight == 0:
        wanted = wanted_order(weight, position, sizing)
    else:
        wanted = Wanted(Side.BUY, ZERO, ZERO)
    if wanted is None:
        return None
    size = Size(wanted.sendable)
    if reference > 0 and is_by_value(settings, wanted.side, step):
        missing = money_missing(weight, position, sizing)
        size = size_for(missing, sizing.worst_buy, step, by_value=True)
    return ProposedOrder(
        weight=weight,
        position=position,
        price=None if usable(price) is None else price,
        wanted=wanted,
        qty=size.qty,
        notional=size.notional,
        reference=reference,
        worst_price=marketable_price(reference, wanted.side, bps) if reference > 0 else ZERO,
        step=step,
        cut_to="what can be sold now" if wanted.sendable < wanted.qty else "",
    )


def first_denial(
    order: ProposedOrder,
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: PortfolioState,
    stop: Decimal | None = None,
) -> Denial | None:
    """Return the first limit that an order breaks by itself, whatever else the run does.

    Parameters
    ----------
    stop : Decimal or None
        The protective stop that the symbol is to have; its sell must find no open buy either.
    """
    symbol, side = order.symbol, order.side
    own = [each for each in snapshot.own_open_orders if each.symbol == symbol]
    foreign = [each for each in snapshot.foreign_open_orders if each.symbol == symbol]
    refusal = (
        limits.trading_state(snapshot.trading_state, snapshot.trading_state_reason, side)
        or limits.price_known(order.price)
        or limits.no_corporate_action(snapshot.corporate_actions, symbol)
        or limits.tradable(snapshot.assets.get(symbol), side)
        or limits.no_own_order_open(own)
        or limits.no_opposite_order_open(foreign, side)
        or (limits.no_opposite_order_open(foreign, Side.SELL) if stop else None)
    )
    if refusal or order.price is None:
        return refusal
    if side is Side.SELL:
        if order.qty > 0:
            return None
        return limits.ledger_matches(order.position) or limits.something_to_sell(
            order.qty, order.position
        )
    now = snapshot.clock.now
    looks_back = not run.sends_orders and now >= snapshot.session.close
    after = order.position.held * order.worst_price + order.money
    return (
        limits.no_replacement_open(foreign)
        or limits.ledger_matches(order.position)
        or limits.not_denied(symbol, settings.deny_symbols)
        or limits.named_in_input(symbol, run.entry_symbols)
        or (
            None
            if looks_back
            else limits.far_from_close(now, snapshot.session.close, settings.min_minutes_to_close)
        )
        or limits.price_fresh(
            order.price, _moment(run, snapshot, order.price), settings.max_price_age_seconds
        )
        or limits.price_near_close(
            order.price.price, snapshot.last_closes.get(symbol), settings.max_price_deviation
        )
        or (limits.stop_below_price(stop, order.price.price) if stop else None)
        or limits.minimum_order(
            order.qty,
            order.worst_price,
            order.weight * desk.capital,
            order.step,
            settings.min_order_notional,
            order.money,
        )
        or limits.max_position_weight(
            after, desk.capital, settings.max_position_weight, order.weight
        )
        or limits.max_order_notional(order.money, settings.max_order_notional)
    )


def _moment(run: Run, snapshot: Snapshot, price: LatestPrice) -> datetime:
    """Return the instant that a price's age is told at.

    A dry run may look back at a session that is over: its prices were of now when it closed.
    """
    now = snapshot.clock.now
    return now if run.sends_orders else min(now, max(snapshot.session.close, price.at))


def cut_to_budget(order: ProposedOrder, room: BuyingBudget, least: Decimal) -> ProposedOrder:
    """Cut an entry to what there is room for; left as it is when less than ``least`` would remain.

    Parameters
    ----------
    least : Decimal
        What an entry that was cut must still cost, in dollars.
    """
    by_exposure = room.exposure_left < room.funds
    cut_to = "what MaxGrossExposure leaves" if by_exposure else "the money there is"
    return cut_to_money(order, room.money, least, cut_to)


def cut_to_ramp(order: ProposedOrder, ramp: Ramp) -> ProposedOrder:
    """Cut an entry to what the ramp leaves; it stays as it is when that is less than an order.

    No band is asked for, unlike where money is short: a desk that bought nothing because its
    ramp is low would learn nothing from it. The next run buys on.
    """
    if ramp.room is None:
        return order
    least = ramp.settings.min_order_notional
    return cut_to_money(order, ramp.room, least, "what LiveRampNotional leaves")


def cut_to_money(
    order: ProposedOrder, money: Decimal, least: Decimal, cut_to: str
) -> ProposedOrder:
    """Cut an entry to an amount of dollars; left as it is when less than ``least`` would remain."""
    if order.money <= money:
        return order
    size = size_for(money, order.worst_price, order.step, by_value=order.notional is not None)
    if not size.is_enough(order.worst_price, order.step, least):
        return order
    return replace(order, qty=size.qty, notional=size.notional, cut_to=cut_to)


def why_order(order: ProposedOrder, desk: PortfolioState) -> str:
    """Tell why an order is sent, with its numbers."""
    value = "" if order.notional is None else f" for {order.notional:.2f} dollars"
    text = f"{order.side.value} {order.qty:f}{value}: {_terms(order, desk)}"
    if order.cut_to:
        text += f"; cut from {order.wanted.qty:f} to {order.cut_to}"
    return text + and_difference(order.position)


def why_denied(order: ProposedOrder, refusal: Denial, desk: PortfolioState) -> str:
    """Tell why an order is not sent, with its numbers."""
    return (
        f"denied {order.side.value} {order.wanted.qty:f}: {refusal.code}: {refusal.detail}"
        f" ({_terms(order, desk)})"
    )


def why_nothing(
    position: DeskPosition, weight: Decimal, settings: Settings, desk: PortfolioState
) -> str:
    """Tell why no order is wanted, with its numbers."""
    if position.held == 0:
        return f"nothing to do: target 0, holds 0{and_difference(position)}"
    drift = weight * desk.capital - desk.value_of(position.symbol)
    share = abs(drift) / desk.capital * 100 if desk.capital > 0 else ZERO
    band = settings.no_trade_band
    if abs(drift) < band * desk.capital:
        bound = f"within the {tidy(band * 100):f} % band"
    else:
        bound = "less than the smallest order"
    return (
        f"hold {tidy(position.held):f}: drift {share:.2f} % is {bound}"
        f" (target {tidy(weight):f} of {desk.capital:.2f}){and_difference(position)}"
    )


def _terms(order: ProposedOrder, desk: PortfolioState) -> str:
    price = "no price" if order.price is None else dollars(order.reference)
    return (
        f"target {tidy(order.weight):f} of {desk.capital:.2f} at {price}, worst"
        f" {dollars(order.worst_price)}; holds {tidy(order.position.held):f}"
    )


def and_difference(position: DeskPosition) -> str:
    """Format what follows a why where account and books differ; empty where they do not."""
    refusal = limits.ledger_matches(position)
    return f"; {refusal.code}: {refusal.detail}" if refusal else ""
