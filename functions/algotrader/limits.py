"""Owns the limits: each one a pure function that gives a reason code with its numbers, or None.

``docs/limits.md`` tells the user what each code means and what to do; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from algotrader.ids import desk_of
from algotrader.model import (
    Asset,
    CorporateAction,
    LatestPrice,
    Order,
    Side,
    TradingState,
)
from algotrader.own_orders import is_protective
from algotrader.sizing import (
    MIN_FRACTIONAL_NOTIONAL,
    ONE_SHARE,
    Stake,
    dollars,
    makes_an_order,
    tidy,
    usable,
)


class Reason(StrEnum):
    """Why the desk refuses an order of its own, in the order in which it looks."""

    TRADING_HALTED = "TRADING_HALTED"
    TRADING_REDUCING = "TRADING_REDUCING"
    NO_PRICE = "NO_PRICE"
    CORPORATE_ACTION = "CORPORATE_ACTION"
    NOT_TRADABLE = "NOT_TRADABLE"
    OPEN_ORDER_UNSETTLED = "OPEN_ORDER_UNSETTLED"
    OPPOSITE_ORDER_OPEN = "OPPOSITE_ORDER_OPEN"
    ORDER_REPLACED = "ORDER_REPLACED"
    LEDGER_MISMATCH = "LEDGER_MISMATCH"
    NOTHING_TO_SELL = "NOTHING_TO_SELL"
    SYMBOL_DENIED = "SYMBOL_DENIED"
    NOT_IN_INPUT = "NOT_IN_INPUT"
    MINUTES_TO_CLOSE = "MINUTES_TO_CLOSE"
    PRICE_STALE = "PRICE_STALE"
    PRICE_DEVIATION = "PRICE_DEVIATION"
    STOP_ABOVE_PRICE = "STOP_ABOVE_PRICE"
    BELOW_MINIMUM_ORDER = "BELOW_MINIMUM_ORDER"
    MAX_POSITION_WEIGHT = "MAX_POSITION_WEIGHT"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    ORDER_RULE = "ORDER_RULE"
    MAX_ORDERS_PER_RUN = "MAX_ORDERS_PER_RUN"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    CAPITAL_EXCEEDED = "CAPITAL_EXCEEDED"
    MAX_GROSS_EXPOSURE = "MAX_GROSS_EXPOSURE"
    MAX_TURNOVER = "MAX_TURNOVER"
    LIVE_RAMP = "LIVE_RAMP"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason code, and a detail that carries its numbers."""

    code: Reason
    detail: str


# A latest price is asked for a little after the clock was read; further ahead it is wrong.
FUTURE_TOLERANCE = timedelta(seconds=60)
# Cash dividends change neither quantities nor what an order means; all other actions do.
HARMLESS_ACTIONS = frozenset({"cash_dividend", "cash_dividends"})


def trading_state(state: TradingState, reason: str, side: Side) -> Refusal | None:
    """Stop every order when HALTED, and those that raise exposure when REDUCING."""
    if state is TradingState.ACTIVE or (state is TradingState.REDUCING and side is Side.SELL):
        return None
    halted = state is TradingState.HALTED
    code = Reason.TRADING_HALTED if halted else Reason.TRADING_REDUCING
    return Refusal(code, f"trading state is {state.value}: {reason or 'no reason given'}")


def price_known(price: LatestPrice | None) -> Refusal | None:
    """Ask for a latest price above 0: no order can be priced without."""
    if usable(price) is not None:
        return None
    told = "none" if price is None else price.price
    return Refusal(Reason.NO_PRICE, f"latest price: {told}")


def price_fresh(price: LatestPrice, at: datetime, max_age_seconds: int) -> Refusal | None:
    """Ask for a latest price of now: neither too old nor from the future."""
    age = at - price.at
    if -FUTURE_TOLERANCE <= age <= timedelta(seconds=max_age_seconds):
        return None
    return Refusal(
        Reason.PRICE_STALE,
        f"price {dollars(price.price)} of {price.at.isoformat()} is {age.total_seconds():.0f} s"
        f" old, allowed {max_age_seconds} s",
    )


def price_near_close(
    price: Decimal, last_close: Decimal | None, max_deviation: Decimal
) -> Refusal | None:
    """Ask for a latest price near the last close: far from it, one of both is wrong or news is out.

    Parameters
    ----------
    last_close : Decimal or None
        As the feed adjusted it. None, or no number above 0, is refused: nothing vouches for the
        price then.
    max_deviation : Decimal
        Fraction of the last close, up and down alike.
    """
    if last_close is None or not last_close.is_finite() or last_close <= 0:
        told = "none" if last_close is None else last_close
        return Refusal(Reason.PRICE_DEVIATION, f"price {dollars(price)}, last close: {told}")
    if abs(price - last_close) <= max_deviation * last_close:
        return None
    percent = (price / last_close - 1) * 100
    return Refusal(
        Reason.PRICE_DEVIATION,
        f"price {dollars(price)} is {percent:+.2f} % off the last close {dollars(last_close)},"
        f" allowed {tidy(max_deviation * 100):f} %",
    )


def stop_below_price(stop: Decimal, price: Decimal) -> Refusal | None:
    """Ask that a protective stop is below the latest price: above it, it would sell at once."""
    if stop < price:
        return None
    return Refusal(
        Reason.STOP_ABOVE_PRICE, f"stop {dollars(stop)} is not below the price {dollars(price)}"
    )


def far_from_close(now: datetime, close: datetime, min_minutes: int) -> Refusal | None:
    """Ask for some minutes until the session's own close, which is an early one at times."""
    left = close - now
    if left >= timedelta(minutes=min_minutes):
        return None
    return Refusal(
        Reason.MINUTES_TO_CLOSE,
        f"{left.total_seconds() / 60:.1f} minutes to the close at {close.isoformat()},"
        f" at least {min_minutes} needed",
    )


def no_corporate_action(actions: Iterable[CorporateAction], symbol: str) -> Refusal | None:
    """Keep off a symbol whose shares were changed since the last session."""
    told = [
        f"{each.kind} on {each.ex_date.isoformat()}"
        for each in actions
        if each.symbol == symbol and each.kind.lower() not in HARMLESS_ACTIONS
    ]
    return Refusal(Reason.CORPORATE_ACTION, ", ".join(sorted(told))) if told else None


def tradable(asset: Asset | None, side: Side) -> Refusal | None:
    """Ask that the broker allows it; selling what it does not list is left to its answer."""
    if asset is None:
        return (
            Refusal(Reason.NOT_TRADABLE, "the broker does not list it")
            if side is Side.BUY
            else None
        )
    return None if asset.tradable else Refusal(Reason.NOT_TRADABLE, "the broker flags it so")


def no_own_order_open(orders: Iterable[Order]) -> Refusal | None:
    """Wait for the desk's own orders from before: until they end its holding is not settled."""
    told = _told(each for each in orders if not each.is_terminal and not is_protective(each))
    return Refusal(Reason.OPEN_ORDER_UNSETTLED, f"to be canceled first: {told}") if told else None


def no_opposite_order_open(orders: Iterable[Order], side: Side) -> Refusal | None:
    """Keep from trading against an open order of the account: brokers refuse wash trades.

    Parameters
    ----------
    orders : iterable of Order
        The symbol's open orders that are left standing: the user's, and protective ones.
    """
    told = _told(
        (each for each in orders if not each.is_terminal and each.side is not side), name=_whose
    )
    return Refusal(Reason.OPPOSITE_ORDER_OPEN, told) if told else None


def no_replacement_open(orders: Iterable[Order]) -> Refusal | None:
    """Keep from buying beside an order that somebody put in place of another one.

    That other one may have been the desk's: what it was to buy would be bought twice.

    Parameters
    ----------
    orders : iterable of Order
        The symbol's open orders that do not carry the desk's ids.
    """
    told = _told(each for each in orders if not each.is_terminal and each.replaces is not None)
    return Refusal(Reason.ORDER_REPLACED, f"open in place of another: {told}") if told else None


def ledger_matches(stake: Stake) -> Refusal | None:
    """Ask that the account holds at least what the books of all its desks say."""
    if not stake.differs:
        return None
    told = f"the desk's books say {tidy(stake.ledger):f}, the account holds {tidy(stake.broker):f}"
    for desk, qty in sorted(stake.others.items()):
        told += f", desk {desk} owns {tidy(qty):f}"
    return Refusal(
        Reason.LEDGER_MISMATCH, f"{told}; probably {stake.cause}" if stake.cause else told
    )


def something_to_sell(qty: Decimal, stake: Stake) -> Refusal | None:
    """Ask for shares of the desk's own that no open order keeps and that the broker sells."""
    return None if qty > 0 else part_sold(qty, stake)


def part_sold(qty: Decimal, stake: Stake) -> Refusal:
    """Say why no more than a part of a holding, or nothing of it, is sold."""
    return Refusal(
        Reason.NOTHING_TO_SELL,
        f"holds {tidy(stake.held):f}, of which open orders leave {tidy(stake.tradable):f};"
        f" can be sold {tidy(qty):f}",
    )


def not_denied(symbol: str, deny_symbols: tuple[str, ...]) -> Refusal | None:
    """Never raise exposure in a symbol that the template denies."""
    if symbol not in deny_symbols:
        return None
    return Refusal(Reason.SYMBOL_DENIED, f"one of {len(deny_symbols)} in DenySymbols")


def named_in_input(symbol: str, entry_symbols: tuple[str, ...]) -> Refusal | None:
    """Raise exposure in the symbols alone that the run may buy."""
    if symbol in entry_symbols:
        return None
    named = ", ".join(entry_symbols) or "none"
    return Refusal(Reason.NOT_IN_INPUT, f"this run may buy: {named}")


def minimum_order(
    qty: Decimal,
    worst: Decimal,
    target: Decimal,
    step: Decimal,
    min_notional: Decimal,
    cost: Decimal | None = None,
) -> Refusal | None:
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
    return Refusal(
        Reason.BELOW_MINIMUM_ORDER,
        f"{target:.2f} buys {tidy(qty):f} at {dollars(worst)}, less than {told}",
    )


def max_position_weight(
    value: Decimal, capital: Decimal, max_weight: Decimal, weight: Decimal
) -> Refusal | None:
    """Bound the desk's position after a buy, at its worst price, by a share of capital."""
    if value <= max_weight * capital:
        return None
    return Refusal(
        Reason.MAX_POSITION_WEIGHT,
        f"target {tidy(weight):f} makes the position {value:.2f} of {capital:.2f},"
        f" allowed {tidy(max_weight):f} = {max_weight * capital:.2f}",
    )


def max_order_notional(cost: Decimal, maximum: Decimal) -> Refusal | None:
    """Bound what one buy costs at its worst price."""
    if cost <= maximum:
        return None
    return Refusal(Reason.MAX_ORDER_NOTIONAL, f"cost {cost:.2f}, allowed {maximum:.2f}")


def max_orders_per_run(approved: int, maximum: int) -> Refusal | None:
    """Bound a run's orders; exits count first and are never refused by it."""
    if approved < maximum:
        return None
    return Refusal(Reason.MAX_ORDERS_PER_RUN, f"{approved} approved already, allowed {maximum}")


def enough_cash(cost: Decimal, cash: Decimal, capital_left: Decimal | None) -> Refusal | None:
    """Ask that cash and the least that exits bring pay for a buy, and that Capital allows it."""
    if cost > cash:
        return Refusal(Reason.INSUFFICIENT_CASH, f"cost {cost:.2f}, spendable {cash:.2f}")
    if capital_left is not None and cost > capital_left:
        return Refusal(
            Reason.CAPITAL_EXCEEDED,
            f"cost {cost:.2f}, left of Capital beside the desk's positions {capital_left:.2f}",
        )
    return None


def max_gross_exposure(
    cost: Decimal, left: Decimal, capital: Decimal, maximum: Decimal
) -> Refusal | None:
    """Bound the worth of all the desk's positions, at entries' worst prices, by a share of capital.

    The desk is never short, so that gross exposure is net exposure as well.

    Parameters
    ----------
    left : Decimal
        What the desk's positions, its open buys and entries before this one leave, in dollars.
    """
    if cost <= left:
        return None
    return Refusal(
        Reason.MAX_GROSS_EXPOSURE,
        f"cost {cost:.2f}, left beside the desk's positions and open buys {left:.2f},"
        f" allowed {tidy(maximum):f} of {capital:.2f}",
    )


def max_turnover(
    cost: Decimal, traded: Decimal, capital: Decimal, maximum: Decimal
) -> Refusal | None:
    """Bound what a run trades by a share of capital; exits count first and are never refused.

    Parameters
    ----------
    traded : Decimal
        The worth of the run's exits, and the cost of entries before this one, in dollars.
    """
    if traded + cost <= maximum * capital:
        return None
    return Refusal(
        Reason.MAX_TURNOVER,
        f"cost {cost:.2f} beside {traded:.2f} traded in this run, allowed {tidy(maximum):f} of"
        f" {capital:.2f} = {maximum * capital:.2f}",
    )


def _id(order: Order) -> str:
    return order.client_order_id or order.broker_id


def _whose(order: Order) -> str:
    desk = desk_of(order.client_order_id)
    return _id(order) if desk is None else f"desk {desk}, {_id(order)}"


def _told(orders: Iterable[Order], name: Callable[[Order], str] = _id) -> str:
    return ", ".join(sorted(f"{each.side.value} {_amount(each)} ({name(each)})" for each in orders))


def _amount(order: Order) -> str:
    if order.notional is not None:
        return f"{order.notional:.2f} dollars"
    return "?" if order.qty is None else f"{tidy(order.qty):f}"
