"""Owns the case of one symbol: the order its weight asks for, what refuses it, in which words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from algotrader.model import LatestPrice, Run, Settings, Side, Snapshot
from algotrader.model.units import FRACTION_STEP, ONE_SHARE, ZERO, dollars, tidy
from algotrader.orders.pricing import marketable_price, usable
from algotrader.portfolio.capital import Desk, Room
from algotrader.portfolio.position import Stake
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
from algotrader.risk.pre_trade import Refusal
from algotrader.risk.ramp import Ramp


@dataclass(frozen=True, slots=True)
class Case:
    """An order that a weight asks for, and the figures that its answer needs.

    Attributes
    ----------
    price : LatestPrice or None
        None when there is no usable one; then the order is refused.
    reference, worst : Decimal
        What a share is valued at, and what it costs at most or brings at least; 0 when nothing
        tells.
    qty : Decimal
        What there is to send, after all cuts.
    step : Decimal
        Entries are multiples of it.
    cut_to : str
        To what ``qty`` was cut, in words; empty when it is all that is wanted, or all of it that
        whole cents or steps allow.
    notional : Decimal or None
        Of an order by value, its dollars.
    """

    weight: Decimal
    stake: Stake
    price: LatestPrice | None
    wanted: Wanted
    qty: Decimal
    reference: Decimal
    worst: Decimal
    step: Decimal
    cut_to: str = ""
    notional: Decimal | None = None

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.stake.symbol

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.wanted.side

    @property
    def money(self) -> Decimal:
        """What a buy may cost, or what a sell brings at least; dollars."""
        return Size(self.qty, self.notional).cost(self.worst)


def case_of(
    stake: Stake, weight: Decimal, settings: Settings, snapshot: Snapshot, desk: Desk
) -> Case | None:
    """Give the order that a weight asks for; None when it asks for nothing."""
    asset = snapshot.assets.get(stake.symbol)
    price = snapshot.prices.get(stake.symbol)
    reference = desk.references.get(stake.symbol, ZERO)
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
        wanted = wanted_order(weight, stake, sizing)
    else:
        wanted = Wanted(Side.BUY, ZERO, ZERO)
    if wanted is None:
        return None
    size = Size(wanted.sendable)
    if reference > 0 and is_by_value(settings, wanted.side, step):
        missing = money_missing(weight, stake, sizing)
        size = size_for(missing, sizing.worst_buy, step, by_value=True)
    return Case(
        weight=weight,
        stake=stake,
        price=None if usable(price) is None else price,
        wanted=wanted,
        qty=size.qty,
        notional=size.notional,
        reference=reference,
        worst=marketable_price(reference, wanted.side, bps) if reference > 0 else ZERO,
        step=step,
        cut_to="what can be sold now" if wanted.sendable < wanted.qty else "",
    )


def first_refusal(
    case: Case,
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: Desk,
    stop: Decimal | None = None,
) -> Refusal | None:
    """Give the first limit that an order breaks by itself, whatever else the run does.

    Parameters
    ----------
    stop : Decimal or None
        The protective stop that the symbol is to have; its sell must find no open buy either.
    """
    symbol, side = case.symbol, case.side
    own = [each for each in snapshot.own_open_orders if each.symbol == symbol]
    foreign = [each for each in snapshot.foreign_open_orders if each.symbol == symbol]
    refusal = (
        limits.trading_state(snapshot.trading_state, snapshot.trading_state_reason, side)
        or limits.price_known(case.price)
        or limits.no_corporate_action(snapshot.corporate_actions, symbol)
        or limits.tradable(snapshot.assets.get(symbol), side)
        or limits.no_own_order_open(own)
        or limits.no_opposite_order_open(foreign, side)
        or (limits.no_opposite_order_open(foreign, Side.SELL) if stop else None)
    )
    if refusal or case.price is None:
        return refusal
    if side is Side.SELL:
        if case.qty > 0:
            return None
        return limits.ledger_matches(case.stake) or limits.something_to_sell(case.qty, case.stake)
    now = snapshot.clock.now
    looks_back = not run.sends_orders and now >= snapshot.session.close
    after = case.stake.held * case.worst + case.money
    return (
        limits.no_replacement_open(foreign)
        or limits.ledger_matches(case.stake)
        or limits.not_denied(symbol, settings.deny_symbols)
        or limits.named_in_input(symbol, run.entry_symbols)
        or (
            None
            if looks_back
            else limits.far_from_close(now, snapshot.session.close, settings.min_minutes_to_close)
        )
        or limits.price_fresh(
            case.price, _moment(run, snapshot, case.price), settings.max_price_age_seconds
        )
        or limits.price_near_close(
            case.price.price, snapshot.last_closes.get(symbol), settings.max_price_deviation
        )
        or (limits.stop_below_price(stop, case.price.price) if stop else None)
        or limits.minimum_order(
            case.qty,
            case.worst,
            case.weight * desk.capital,
            case.step,
            settings.min_order_notional,
            case.money,
        )
        or limits.max_position_weight(
            after, desk.capital, settings.max_position_weight, case.weight
        )
        or limits.max_order_notional(case.money, settings.max_order_notional)
    )


def _moment(run: Run, snapshot: Snapshot, price: LatestPrice) -> datetime:
    """Give the instant that a price's age is told at.

    A dry run may look back at a session that is over: its prices were of now when it closed.
    """
    now = snapshot.clock.now
    return now if run.sends_orders else min(now, max(snapshot.session.close, price.at))


def cut_to_room(case: Case, room: Room, least: Decimal) -> Case:
    """Cut an entry to what there is room for; left as it is when less than ``least`` would remain.

    Parameters
    ----------
    least : Decimal
        What an entry that was cut must still cost, in dollars.
    """
    by_exposure = room.exposure_left < room.funds
    cut_to = "what MaxGrossExposure leaves" if by_exposure else "the money there is"
    return cut_to_money(case, room.money, least, cut_to)


def cut_to_ramp(case: Case, ramp: Ramp) -> Case:
    """Cut an entry to what the ramp leaves; it stays as it is when that is less than an order.

    No band is asked for, unlike where money is short: a desk that bought nothing because its
    ramp is low would learn nothing from it. The next run buys on.
    """
    if ramp.room is None:
        return case
    least = ramp.settings.min_order_notional
    return cut_to_money(case, ramp.room, least, "what LiveRampNotional leaves")


def cut_to_money(case: Case, money: Decimal, least: Decimal, cut_to: str) -> Case:
    """Cut an entry to an amount of dollars; left as it is when less than ``least`` would remain."""
    if case.money <= money:
        return case
    size = size_for(money, case.worst, case.step, by_value=case.notional is not None)
    if not size.is_enough(case.worst, case.step, least):
        return case
    return replace(case, qty=size.qty, notional=size.notional, cut_to=cut_to)


def why_order(case: Case, desk: Desk) -> str:
    """Tell why an order is sent, with its numbers."""
    value = "" if case.notional is None else f" for {case.notional:.2f} dollars"
    text = f"{case.side.value} {case.qty:f}{value}: {_terms(case, desk)}"
    if case.cut_to:
        text += f"; cut from {case.wanted.qty:f} to {case.cut_to}"
    return text + and_difference(case.stake)


def why_denied(case: Case, refusal: Refusal, desk: Desk) -> str:
    """Tell why an order is not sent, with its numbers."""
    return (
        f"denied {case.side.value} {case.wanted.qty:f}: {refusal.code}: {refusal.detail}"
        f" ({_terms(case, desk)})"
    )


def why_nothing(stake: Stake, weight: Decimal, settings: Settings, desk: Desk) -> str:
    """Tell why no order is wanted, with its numbers."""
    if stake.held == 0:
        return f"nothing to do: target 0, holds 0{and_difference(stake)}"
    drift = weight * desk.capital - desk.value_of(stake.symbol)
    share = abs(drift) / desk.capital * 100 if desk.capital > 0 else ZERO
    band = settings.no_trade_band
    if abs(drift) < band * desk.capital:
        bound = f"within the {tidy(band * 100):f} % band"
    else:
        bound = "less than the smallest order"
    return (
        f"hold {tidy(stake.held):f}: drift {share:.2f} % is {bound}"
        f" (target {tidy(weight):f} of {desk.capital:.2f}){and_difference(stake)}"
    )


def _terms(case: Case, desk: Desk) -> str:
    price = "no price" if case.price is None else dollars(case.reference)
    return (
        f"target {tidy(case.weight):f} of {desk.capital:.2f} at {price}, worst"
        f" {dollars(case.worst)}; holds {tidy(case.stake.held):f}"
    )


def and_difference(stake: Stake) -> str:
    """Spell what follows a why where account and books differ; empty where they do not."""
    refusal = limits.ledger_matches(stake)
    return f"; {refusal.code}: {refusal.detail}" if refusal else ""
