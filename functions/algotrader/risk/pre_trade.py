"""Owns the order in which the desk looks at its limits, and names the first that an order breaks.

To add a limit, add its check to a tuple here and its code at the same place in `Reason`.
"""

from __future__ import annotations

from collections.abc import Callable

from algotrader.model import Side
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.eligibility import (
    far_from_close,
    named_in_input,
    no_corporate_action,
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
from algotrader.risk.order_size import (
    enough_cash,
    max_gross_exposure,
    max_order_notional,
    max_orders_per_run,
    max_position_weight,
    max_turnover,
    minimum_order,
    within_capital,
)
from algotrader.risk.prices import price_fresh, price_known, price_near_close, stop_below_price
from algotrader.risk.ramp import live_ramp
from algotrader.risk.reasons import Denial

Check = Callable[[ProposedOrder, RiskContext], Denial | None]

#: What binds exits and entries alike.
EVERY_ORDER: tuple[Check, ...] = (
    trading_allowed,
    price_known,
    no_corporate_action,
    tradable,
    no_own_order_open,
    no_opposite_order_open,
)
#: What binds exits.
SELLS: tuple[Check, ...] = (ledger_matches, something_to_sell)
#: What binds each entry by itself.
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
#: What binds the entries of a run together, given the orders that it has approved before.
BUYS_TOGETHER: tuple[Check, ...] = (
    max_orders_per_run,
    enough_cash,
    within_capital,
    max_gross_exposure,
    max_turnover,
    live_ramp,
)
#: What binds the sale of a flatten: a market order needs no price.
FLATTEN: tuple[Check, ...] = (
    *(each for each in EVERY_ORDER if each is not price_known),
    *SELLS,
)


def first_denial(
    order: ProposedOrder, context: RiskContext, checks: tuple[Check, ...]
) -> Denial | None:
    """Return what the first check says that denies an order; None if none does."""
    for check in checks:
        denial = check(order, context)
        if denial is not None:
            return denial
    return None


def deny_alone(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Return the first limit that an order breaks by itself, whatever else the run does."""
    own = SELLS if order.side is Side.SELL else BUYS
    return first_denial(order, context, (*EVERY_ORDER, *own))
