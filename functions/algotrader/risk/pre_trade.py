"""Owns the sequence of the pre-trade checks, and the limits on all buys of a run together.

To add a limit, add its check to a tuple here and its code at the same place in `Reason`.
"""

from __future__ import annotations

from collections.abc import Callable

from algotrader.model import Side
from algotrader.model.units import NO_DOLLARS, tidy
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.eligibility import (
    far_from_close,
    named_in_input,
    no_corporate_action,
    symbol_fit,
    symbol_not_denied,
    tradable,
    trading_allowed,
)
from algotrader.risk.holdings import (
    ledger_matches,
    no_opposite_order_open,
    no_own_order_open,
    no_replacement_open,
    something_to_sell,
)
from algotrader.risk.order_size import max_order_notional, max_position_weight, minimum_order
from algotrader.risk.prices import price_fresh, price_known, price_near_close, stop_below_price
from algotrader.risk.ramp import live_ramp
from algotrader.risk.reasons import Denial, Reason

Check = Callable[[ProposedOrder, RiskContext], Denial | None]


def max_orders_per_run(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry once the run has its maximum number of orders, exits included."""
    del order
    approved, allowed = len(context.traded), context.settings.max_orders_per_run
    if approved < allowed:
        return None
    return Denial(Reason.MAX_ORDERS_PER_RUN, f"{approved} approved already, limit {allowed}")


def max_positions(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry in a new symbol if the desk would hold too many symbols after its exits."""
    held, allowed = _symbols_held(context), context.settings.max_positions
    if order.symbol in held or len(held) < allowed:
        return None
    return Denial(Reason.MAX_POSITIONS, f"{len(held)} symbols held already, limit {allowed}")


def _symbols_held(context: RiskContext) -> set[str]:
    """Return the symbols that the desk could hold once the orders approved so far have filled."""
    held = {each.symbol for each in context.portfolio.positions.values() if each.held > 0}
    for mine in context.snapshot.own_open_orders:
        if mine.side is Side.BUY and not is_terminal(mine):
            held.add(mine.symbol)
    for each in context.traded:
        if each.side is Side.BUY:
            held.add(each.symbol)
        elif each.qty >= each.position.held:
            held.discard(each.symbol)
    return held


def enough_cash(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs more than cash plus the exits' lowest proceeds."""
    cash = context.budget.cash
    if order.money <= cash:
        return None
    return Denial(Reason.INSUFFICIENT_CASH, f"cost {order.money:.2f}, spendable {cash:.2f}")


def within_capital(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs more than ``Capital`` less the desk's positions."""
    left = context.budget.capital_left
    if left is None or order.money <= left:
        return None
    return Denial(
        Reason.CAPITAL_EXCEEDED,
        f"cost {order.money:.2f}, left {left:.2f} of Capital after the desk's positions",
    )


def max_gross_exposure(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes all positions together too large a share of capital.

    Positions count at their value, open buys and entries at their worst prices. The desk is never
    short, so its gross exposure equals its net exposure.
    """
    left = context.budget.exposure_left
    if order.money <= left:
        return None
    return Denial(
        Reason.MAX_GROSS_EXPOSURE,
        f"cost {order.money:.2f}, left {left:.2f} after the desk's positions and open buys,"
        f" limit {tidy(context.settings.max_gross_exposure):f} of"
        f" {context.portfolio.capital:.2f}",
    )


def max_turnover(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that makes the run, exits included, trade too large a share of capital."""
    traded = sum((each.turnover for each in context.traded), NO_DOLLARS)
    capital, allowed = context.portfolio.capital, context.settings.max_turnover
    if traded + order.money <= allowed * capital:
        return None
    return Denial(
        Reason.MAX_TURNOVER,
        f"cost {order.money:.2f} on top of {traded:.2f} traded in this run, limit"
        f" {tidy(allowed):f} of {capital:.2f} = {allowed * capital:.2f}",
    )


#: Checks for exits and entries.
EVERY_ORDER: tuple[Check, ...] = (
    trading_allowed,
    symbol_fit,
    price_known,
    no_corporate_action,
    tradable,
    no_own_order_open,
    no_opposite_order_open,
)
#: Checks only for exits.
SELLS: tuple[Check, ...] = (ledger_matches, something_to_sell)
#: Checks for each entry by itself.
BUYS: tuple[Check, ...] = (
    no_replacement_open,
    ledger_matches,
    symbol_not_denied,
    named_in_input,
    far_from_close,
    price_fresh,
    price_near_close,
    stop_below_price,
    minimum_order,
    max_position_weight,
    max_order_notional,
)
#: Checks for an entry together with the orders that the run approved before it.
BUYS_TOGETHER: tuple[Check, ...] = (
    max_orders_per_run,
    max_positions,
    enough_cash,
    within_capital,
    max_gross_exposure,
    max_turnover,
    live_ramp,
)
#: The checks that compare an entry with a limit, and their reasons.
LIMITS: tuple[Check, ...] = (max_position_weight, max_order_notional, *BUYS_TOGETHER)
LIMIT_REASONS = frozenset(
    {
        Reason.MAX_POSITION_WEIGHT,
        Reason.MAX_ORDER_NOTIONAL,
        Reason.MAX_ORDERS_PER_RUN,
        Reason.MAX_POSITIONS,
        Reason.INSUFFICIENT_CASH,
        Reason.CAPITAL_EXCEEDED,
        Reason.MAX_GROSS_EXPOSURE,
        Reason.MAX_TURNOVER,
        Reason.LIVE_RAMP,
    }
)
#: Checks for a flatten's sales, which are market orders and need neither a price nor bars.
FLATTEN: tuple[Check, ...] = (
    *(each for each in EVERY_ORDER if each not in {price_known, symbol_fit}),
    *SELLS,
)


def first_denial(
    order: ProposedOrder, context: RiskContext, checks: tuple[Check, ...]
) -> Denial | None:
    """Return the denial of the first check that denies an order, or None if none does."""
    return next(filter(None, (check(order, context) for check in checks)), None)


def deny_alone(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Return the first denial of an order, regardless of the run's other orders."""
    own = SELLS if order.side is Side.SELL else BUYS
    return first_denial(order, context, (*EVERY_ORDER, *own))


def is_limit(denial: Denial) -> bool:
    """Whether a denial names a limit on the size of an entry, or on all entries together."""
    return denial.code in LIMIT_REASONS


def with_further_limits(first: Denial, order: ProposedOrder, context: RiskContext) -> Denial:
    """Add to an entry's denial the other limits that it breaks together with the approved orders.

    A person can then change all of them at once. Only a limit gets the addition, because an entry
    that another check denies may lack a price.
    """
    if not is_limit(first):
        return first
    found = (check(order, context) for check in LIMITS)
    further = "; ".join(str(each) for each in found if each and each.code != first.code)
    return Denial(first.code, f"{first.detail}; also {further}") if further else first
