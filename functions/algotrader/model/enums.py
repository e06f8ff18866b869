"""Owns the enumerations: modes, states, sides, legs, order types, stages."""

from __future__ import annotations

from enum import StrEnum


class TradingMode(StrEnum):
    """Where orders go: nowhere, to the paper account, or to the live one."""

    DRY_RUN = "dry-run"
    PAPER = "paper"
    LIVE = "live"


class TradingState(StrEnum):
    """The trading that the kill switch allows."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Side(StrEnum):
    """Direction of an order."""

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
    """How an order is priced; ``limit`` is a marketable limit, ``stop`` protects a position.

    ``notional`` is the template's word for buys by value; at the broker they are market orders.
    """

    MARKET = "market"
    LIMIT = "limit"
    NOTIONAL = "notional"
    STOP = "stop"


class TimeInForce(StrEnum):
    """How long an order lasts: for the day, or until canceled (90 days at most at Alpaca)."""

    DAY = "day"
    GTC = "gtc"


class ActivityKind(StrEnum):
    """The meaning of a row of the account's statement for profit and for the books."""

    CASH_FLOW = "cash flow"  # a deposit or withdrawal, which is not profit
    SHARE_FLOW = "share flow"  # shares that came or went; the statement does not value them
    SHARE_CHANGE = "share change"  # an event or an option moved shares without an order
    DIVIDEND = "dividend"  # or a tax or fee on one
    OTHER = "other"


class Stage(StrEnum):
    """The stage of a run's plan: it sends entries only after cancels and exits have ended."""

    EXITS = "exits"
    ENTRIES = "entries"
