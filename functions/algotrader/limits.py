"""Owns the limits: each one a pure function that gives a reason code with its numbers, or None.

``docs/limits.md`` tells the user what each code means and what to do; a test compares both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from algotrader.ids import parse_client_order_id
from algotrader.model import (
    Asset,
    CorporateAction,
    LatestPrice,
    Leg,
    Order,
    Side,
    TradingState,
)
from algotrader.sizing import (
    MIN_FRACTIONAL_NOTIONAL,
    ONE_SHARE,
    Stake,
    dollars,
    is_enough,
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
    LEDGER_MISMATCH = "LEDGER_MISMATCH"
    NOTHING_TO_SELL = "NOTHING_TO_SELL"
    NOT_IN_INPUT = "NOT_IN_INPUT"
    PRICE_STALE = "PRICE_STALE"
    BELOW_MINIMUM_ORDER = "BELOW_MINIMUM_ORDER"
    MAX_POSITION_WEIGHT = "MAX_POSITION_WEIGHT"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    MAX_ORDERS_PER_RUN = "MAX_ORDERS_PER_RUN"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    CAPITAL_EXCEEDED = "CAPITAL_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason code, and a detail that carries its numbers."""

    code: Reason
    detail: str


# A latest price is asked for a little after the clock was read; further ahead it is wrong.
FUTURE_TOLERANCE = timedelta(seconds=60)
# Cash dividends change neither quantities nor what an order means; all other actions do.
HARMLESS_ACTIONS = frozenset({"cash_dividend", "cash_dividends"})
# Legs that protect a position: they stand on purpose, a run does not clear them away.
PROTECTIVE_LEGS = frozenset({Leg.STOP, Leg.TARGET})


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
    told = _told(each for each in orders if not each.is_terminal and each.side is not side)
    return Refusal(Reason.OPPOSITE_ORDER_OPEN, told) if told else None


def ledger_matches(stake: Stake) -> Refusal | None:
    """Ask that the account holds at least what the desk's own orders add up to."""
    if not stake.differs:
        return None
    return Refusal(
        Reason.LEDGER_MISMATCH,
        f"the desk's orders add up to {tidy(stake.ledger):f}, the account holds"
        f" {tidy(stake.broker):f}",
    )


def something_to_sell(qty: Decimal, stake: Stake) -> Refusal | None:
    """Ask for shares of the desk's own that no open order keeps and that the broker sells."""
    if qty > 0:
        return None
    return Refusal(
        Reason.NOTHING_TO_SELL,
        f"holds {tidy(stake.held):f}, of which open orders leave {tidy(stake.tradable):f};"
        f" can be sold {tidy(qty):f}",
    )


def named_in_input(symbol: str, entry_symbols: tuple[str, ...]) -> Refusal | None:
    """Raise exposure in the symbols alone that the run may buy."""
    if symbol in entry_symbols:
        return None
    named = ", ".join(entry_symbols) or "none"
    return Refusal(Reason.NOT_IN_INPUT, f"this run may buy: {named}")


def minimum_order(qty: Decimal, worst: Decimal, target: Decimal, step: Decimal) -> Refusal | None:
    """Ask for a buy of one share at least, in fractions of one dollar's worth."""
    if is_enough(qty, worst, step):
        return None
    least = "one share" if step >= ONE_SHARE else f"{MIN_FRACTIONAL_NOTIONAL} dollar's worth"
    return Refusal(
        Reason.BELOW_MINIMUM_ORDER,
        f"{target:.2f} buys {tidy(qty):f} at {dollars(worst)}, less than {least}",
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


def is_protective(order: Order) -> bool:
    """Whether an order of the desk's own protects a position."""
    place = parse_client_order_id(order.client_order_id)
    return place is not None and place.leg in PROTECTIVE_LEGS


def _told(orders: Iterable[Order]) -> str:
    return ", ".join(
        sorted(
            f"{each.side.value} {'?' if each.qty is None else f'{tidy(each.qty):f}'}"
            f" ({each.client_order_id or each.broker_id})"
            for each in orders
        )
    )
