"""Owns every reason not to trade, and the denial that carries one with its numbers.

``docs/limits.md`` explains each reason and what the user can do; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Reason(StrEnum):
    """A reason not to trade, in the order of the checks.

    The pre-trade checks use the reasons up to ``LIVE_RAMP``. Submit Orders denies approved orders
    with ``STOP_FILLED`` and ``DEADLINE_PASSED``. The last two reasons set the desk to REDUCING.
    """

    TRADING_HALTED = "TRADING_HALTED"
    TRADING_REDUCING = "TRADING_REDUCING"
    SYMBOL_UNFIT = "SYMBOL_UNFIT"
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
    MAX_POSITIONS = "MAX_POSITIONS"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    CAPITAL_EXCEEDED = "CAPITAL_EXCEEDED"
    MAX_GROSS_EXPOSURE = "MAX_GROSS_EXPOSURE"
    MAX_TURNOVER = "MAX_TURNOVER"
    LIVE_RAMP = "LIVE_RAMP"
    STOP_FILLED = "STOP_FILLED"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"


class Denial(Struct, frozen=True):
    """A reason not to trade, and a detail with its numbers."""

    code: Reason
    detail: str

    def __str__(self) -> str:
        """Format code and detail, as messages and records show them."""
        return f"{self.code}: {self.detail}"
