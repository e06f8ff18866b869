"""Owns the enumerations: modes, states, sides, legs, order types, stages."""

from __future__ import annotations

from enum import StrEnum


class TradingMode(StrEnum):
    """The destination of orders: none, the paper account, or the live account."""

    DRY_RUN = "dry-run"
    PAPER = "paper"
    LIVE = "live"


class TradingState(StrEnum):
    """The trading that the kill switch allows."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Side(StrEnum):
    """The direction of an order."""

    BUY = "buy"
    SELL = "sell"


class Leg(StrEnum):
    """The purpose of an order within a run; part of its client order id."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    FLATTEN = "flatten"


class OrderType(StrEnum):
    """The type of an order; ``limit`` is a marketable limit, and ``stop`` protects a position.

    ``notional`` is the template's word for buys by value, which are market orders at the broker.
    """

    MARKET = "market"
    LIMIT = "limit"
    NOTIONAL = "notional"
    STOP = "stop"


class TimeInForce(StrEnum):
    """The lifetime of an order: one day, or until canceled (at most 90 days at Alpaca)."""

    DAY = "day"
    GTC = "gtc"


class ActivityKind(StrEnum):
    """The kind of a row in the account's statement, by its effect on profit and books."""

    CASH_FLOW = "cash flow"  # a deposit or withdrawal, which is not profit
    SHARE_FLOW = "share flow"  # shares came or went without an order; the statement has no value
    SHARE_CHANGE = "share change"  # a corporate action changed shares; its cash is profit
    DIVIDEND = "dividend"  # a dividend, or a tax or fee on it
    COST = "interest or fee"  # interest paid or received, and fees
    OTHER = "other"  # its effect on profit is unknown
