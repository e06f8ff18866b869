"""Owns the broker's account and what the desk owns in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from algotrader.model.enums import Side


@dataclass(frozen=True, slots=True)
class Account:
    """The broker's account; ``last_equity`` is equity at the previous session's close.

    Attributes
    ----------
    adjustments : Decimal
        Today's deposits less withdrawals.
    blocked_by : tuple of str
        Names of the broker's flags that forbid trading; empty if none does.
    only_sells_for : tuple of str
        The broker's reasons for which the account may only sell; empty if it may buy.
    """

    number: str
    status: str
    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal
    non_marginable_buying_power: Decimal
    adjustments: Decimal
    blocked_by: tuple[str, ...]
    only_sells_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """What the account holds of a symbol, the user's own shares included; short is negative."""

    symbol: str
    qty: Decimal
    qty_available: Decimal
    avg_entry_price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the broker knows it; ``status`` is Alpaca's own word.

    Attributes
    ----------
    qty : Decimal or None
        Shares; None of an order by value.
    notional : Decimal or None
        Dollars of an order by value.
    extended_hours : bool
        Whether it may trade outside regular hours; the desk's own never do.
    """

    broker_id: str
    client_order_id: str
    symbol: str
    side: Side
    order_type: str
    qty: Decimal | None
    limit_price: Decimal | None
    status: str
    filled_qty: Decimal
    filled_avg_price: Decimal | None
    submitted_at: datetime
    filled_at: datetime | None  # the last fill's instant, None while nothing is filled
    stop_price: Decimal | None = None
    time_in_force: str = "day"
    replaces: str | None = None  # the broker's id of the order that this one was put in place of
    notional: Decimal | None = None
    extended_hours: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can happen to it; a status that we do not know is not terminal.

        ``docs/orders.md`` has a row for each of Alpaca's statuses; a test compares.
        """
        return self.status in TERMINAL_STATUSES


TERMINAL_STATUSES = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


@dataclass(frozen=True, slots=True)
class Holding:
    """What the desk itself owns of a symbol, and what it paid for it in all."""

    qty: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the desk owns: a fold over its own orders submitted up to ``through``.

    Attributes
    ----------
    realized : dict of str to Decimal
        What its sells brought beyond their average cost, by symbol, since it began; dollars.
    """

    desk: str
    through: datetime | None
    holdings: dict[str, Holding]
    realized: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Shares that a person gave to a desk or took from it, which no order of the desk tells of.

    Attributes
    ----------
    qty : Decimal
        Shares that the desk gets; below 0 if it gives them up.
    price : Decimal
        Dollars that a share is taken to have cost; of no meaning for those given up.
    worth : Decimal or None
        Dollars that a share was worth then, so that what moves is no profit; None if unknown.
    at : datetime
        By the broker's clock.
    """

    id: str
    desk: str
    symbol: str
    qty: Decimal
    price: Decimal
    at: datetime
    reason: str
    worth: Decimal | None = None
