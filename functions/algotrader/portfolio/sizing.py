"""Owns the arithmetic from weights to shares: spendable cash, prices of orders, quantities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from types import MappingProxyType

from algotrader.model import (
    Account,
    Asset,
    Holding,
    LatestPrice,
    Order,
    OrderIntent,
    Position,
    Settings,
    Side,
)

# Wide enough that the products of a day's money are exact and a floor never rounds up.
MONEY = Context(prec=60)

ZERO = Decimal(0)
ONE_SHARE = Decimal(1)
FRACTION_STEP = Decimal("1e-9")  # the finest quantity that Alpaca takes
MIN_FRACTIONAL_NOTIONAL = Decimal(1)  # dollars, Alpaca's minimum for an order in fractions
CENT = Decimal("0.01")
SUB_DOLLAR_TICK = Decimal("0.0001")
NO_OTHERS: Mapping[str, Decimal] = MappingProxyType({})
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Stake:
    """What the desk has of a symbol, beside what the account has; shares.

    Attributes
    ----------
    ledger, broker : Decimal
        What the desk's books say, and the account's position; short is negative.
    held : Decimal
        The desk's part of the position: its ledger, or what other desks leave of the position when
        that is less; never below 0.
    tradable : Decimal
        The part of ``held`` that no open order keeps but the desk's own stops.
    others : Mapping of str to Decimal
        By desk: what other desks own by their own orders, above 0.
    cause : str
        What may have made the account differ from the books; empty when nothing tells.
    """

    symbol: str
    ledger: Decimal
    broker: Decimal
    held: Decimal
    tradable: Decimal
    others: Mapping[str, Decimal] = field(default_factory=dict)
    cause: str = ""

    @property
    def theirs(self) -> Decimal:
        """What all other desks own together."""
        return sum(self.others.values(), ZERO)

    @property
    def differs(self) -> bool:
        """Whether the account lacks what the desks' books say; what it has beyond is the user's."""
        return self.ledger < 0 or self.ledger + self.theirs > self.broker


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
        Shares; 0 when a first entry does not come to one step.
    sendable : Decimal
        What of it can be sent: a sell is capped at what is tradable.
    """

    side: Side
    qty: Decimal
    sendable: Decimal


def stake_of(
    symbol: str,
    holdings: Mapping[str, Holding],
    positions: Mapping[str, Position],
    others: Mapping[str, Decimal] = NO_OTHERS,
    cause: str = "",
    released: Decimal = ZERO,
) -> Stake:
    """Tell the desk's stake in a symbol; numbers that are not finite count as 0.

    Parameters
    ----------
    others : Mapping of str to Decimal
        By desk: shares of the symbol that other desks own. When the account lacks some, nobody
        knows whose they were: no desk then sells what may be another's.
    released : Decimal
        Shares that the desk's own resting stops keep: they are free once these are canceled.
    """
    holding, position = holdings.get(symbol), positions.get(symbol)
    ledger = finite(holding.qty) if holding else ZERO
    broker = finite(position.qty) if position else ZERO
    available = (finite(position.qty_available) if position else ZERO) + released
    theirs = {desk: shares for desk, qty in others.items() if (shares := finite(qty)) > 0}
    held = max(min(ledger, broker - sum(theirs.values(), ZERO)), ZERO)
    tradable = max(min(held, available), ZERO)
    return Stake(symbol, ledger, broker, held, tradable, theirs, cause)


def spendable(account: Account, cash_reserve: Decimal, open_buys: Decimal = ZERO) -> Decimal:
    """Give the cash that buys may spend, in whole cents; never below 0.

    Parameters
    ----------
    account : Account
        Its ``buying_power`` figures are net of open buys already, as Alpaca keeps them; its
        ``cash`` is not.
    cash_reserve : Decimal
        Fraction that stays unspent.
    open_buys : Decimal
        What open buys may still cost, in dollars; taken off ``cash`` alone.
    """
    with localcontext(MONEY):
        free = min(
            finite(account.cash) - open_buys,
            finite(account.non_marginable_buying_power),
            finite(account.buying_power),
        )
        return max((free * (1 - cash_reserve)).quantize(CENT, ROUND_FLOOR), ZERO)


def open_buy_cost(
    orders: Iterable[Order], prices: Mapping[str, LatestPrice], offset_bps: int
) -> Decimal:
    """Add up what open buys may still cost, in dollars.

    A buy by value counts at what its fills have left of it, one without a limit at its symbol's
    latest price plus the offset. One of an unknown quantity, or without any price, counts for
    nothing here: the broker took it off buying power.
    """
    total = ZERO
    for order in orders:
        if order.side is not Side.BUY or order.is_terminal:
            continue
        if order.notional is not None:
            spent = order.filled_qty * (order.filled_avg_price or ZERO)
            total += max(order.notional - spent, ZERO)
        if order.qty is None:
            continue
        price = order.limit_price
        if price is None and (latest := usable(prices.get(order.symbol))) is not None:
            price = marketable_price(latest, Side.BUY, offset_bps)
        if price is not None:
            total += max(order.qty - order.filled_qty, ZERO) * price
    return total


def usable(price: LatestPrice | None) -> Decimal | None:
    """Give a latest price that is a number above 0, else None."""
    if price is None or not price.price.is_finite() or price.price <= 0:
        return None
    return price.price


def marketable_price(price: Decimal, side: Side, offset_bps: int) -> Decimal:
    """Give the limit price that an order trades at once with, unless the market runs away.

    ``price`` plus the offset for a buy, rounded up to the tick; less the offset for a sell, rounded
    down, and one tick at least. The tick is a cent from one dollar on, else a hundredth of that.
    """
    with localcontext(MONEY):
        offset = price * offset_bps / _BPS
        raw = price + offset if side is Side.BUY else price - offset
        tick = tick_of(raw)
        rounded = raw.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
        return max(rounded, tick)


def tick_of(price: Decimal) -> Decimal:
    """Give the smallest step of an order's price: a cent, below one dollar a hundredth of it."""
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def worst_cost(intent: OrderIntent, settings: Settings) -> Decimal:
    """Give the most that a buy may cost, or the least that a sell may bring, in dollars."""
    if intent.notional is not None:
        return intent.notional
    with localcontext(MONEY):
        return intent.qty * worst_price(intent, settings)


def affordable_quantity(intent: OrderIntent, cash: Decimal, settings: Settings) -> Decimal:
    """Cut a buy to what this much cash pays at its worst price; 0 when that is too little.

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
    """Give the largest multiple of ``step`` that this much money, at least 0, pays at ``price``."""
    return tidy(money // (price * step) * step)


def quantity_step(asset: Asset | None, settings: Settings) -> Decimal:
    """Give the step of a symbol's quantities: fractions only where setting and asset allow them."""
    fractions = settings.fractional_shares and asset is not None and asset.fractionable
    return FRACTION_STEP if fractions else ONE_SHARE


def wanted_order(weight: Decimal, stake: Stake, sizing: Sizing) -> Wanted | None:
    """Turn a target weight into the order that leads there; None when there is nothing to do.

    A buy is sized by its worst price, so that its cost never exceeds the weight; a sell by the
    reference price, and never for more than the target leaves over. A drift below the band, or
    below the smallest order, is left alone; a first entry and a full exit are asked for at any
    size, the exit as long as the ledger says that there is something, so that a difference shows.
    """
    if weight == 0:
        if stake.held <= 0 and stake.ledger <= 0:
            return None
        sendable = floor_to(stake.tradable, ONE_SHARE, sizing.exit_step)
        return Wanted(Side.SELL, tidy(stake.held or stake.ledger), sendable)
    target = weight * sizing.capital
    drift = target - stake.held * sizing.reference
    if stake.held > 0 and (drift == 0 or abs(drift) < sizing.band):
        return None
    if drift < 0:
        qty = floor_to(-drift, sizing.reference, sizing.step)
        free = floor_to(stake.tradable, ONE_SHARE, sizing.step)
        wanted = Wanted(Side.SELL, qty, min(qty, free))
    else:
        qty = floor_to(money_missing(weight, stake, sizing), sizing.worst_buy, sizing.step)
        wanted = Wanted(Side.BUY, qty, qty)
    first_entry = stake.held == 0
    return wanted if first_entry or is_enough(qty, sizing.reference, sizing.step) else None


def money_missing(weight: Decimal, stake: Stake, sizing: Sizing) -> Decimal:
    """Give the dollars that a holding is short of its target at the worst price; never below 0."""
    return max(weight * sizing.capital - stake.held * sizing.worst_buy, ZERO)


def finite(value: Decimal) -> Decimal:
    """Give a number as it is, and 0 for NaN and the infinities."""
    return value if value.is_finite() else ZERO


def tidy(value: Decimal) -> Decimal:
    """Drop the zeros behind a decimal point, and any exponent of a whole number."""
    whole = value.to_integral_value()
    return whole.quantize(ONE_SHARE) if whole == value else value.normalize()


def dollars(price: Decimal) -> str:
    """Spell a price with all its decimals, two at least."""
    told = tidy(price)
    return f"{told:.2f}" if told == told.quantize(CENT) else f"{told:f}"


def worst_price(intent: OrderIntent, settings: Settings) -> Decimal:
    """Give the most that a bought share may cost, or the least that a sold one may bring."""
    if intent.limit_price is not None:
        return intent.limit_price
    return marketable_price(intent.reference_price, intent.side, settings.limit_offset_bps)
