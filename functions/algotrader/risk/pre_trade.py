"""Owns the limits: each one a pure function that gives a reason code with its numbers, or None.

``docs/limits.md`` tells the user what each code means and what to do; a test compares both.
"""

from algotrader.risk.eligibility import (
    far_from_close,
    named_in_input,
    no_corporate_action,
    not_denied,
    tradable,
    trading_state,
)
from algotrader.risk.holdings import (
    ledger_matches,
    no_opposite_order_open,
    no_own_order_open,
    no_replacement_open,
    part_sold,
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
)
from algotrader.risk.prices import price_fresh, price_known, price_near_close, stop_below_price
from algotrader.risk.reasons import Denial, Reason

__all__ = [
    "Denial",
    "Reason",
    "enough_cash",
    "far_from_close",
    "ledger_matches",
    "max_gross_exposure",
    "max_order_notional",
    "max_orders_per_run",
    "max_position_weight",
    "max_turnover",
    "minimum_order",
    "named_in_input",
    "no_corporate_action",
    "no_opposite_order_open",
    "no_own_order_open",
    "no_replacement_open",
    "not_denied",
    "part_sold",
    "price_fresh",
    "price_known",
    "price_near_close",
    "something_to_sell",
    "stop_below_price",
    "tradable",
    "trading_state",
]
