"""Owns the data types for the broker's account and for the desk's part of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model.enums import Side
from algotrader.model.units import ZERO


class Account(Struct, frozen=True):
    """The broker's account; ``last_equity`` is the equity at the previous session's close.

    Attributes
    ----------
    adjustments : Decimal
        Today's deposits less withdrawals.
    blocked_by : tuple of str
        Names of the broker's flags that forbid trading; empty if none is set.
    only_sells_for : tuple of str
        The broker's reasons why the account may only sell; empty if it may buy.
    last_equity_on : date or None
        Session of ``last_equity``; None if the broker does not say.
    pending_fees : Decimal
        Fees in dollars that the broker has not booked yet.
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
    last_equity_on: date | None = None
    pending_fees: Decimal = ZERO


class SessionEquity(Struct, frozen=True):
    """The account's equity in dollars at two successive closes.

    Attributes
    ----------
    cash_flows : Decimal or None
        Deposits less withdrawals that the broker counts between the closes; None if unknown.
    """

    before: Decimal
    after: Decimal
    cash_flows: Decimal | None


class Fill(Struct, frozen=True):
    """A fill of any of the account's orders; ``amount`` is the change in cash, in dollars."""

    activity_id: str
    at: datetime
    amount: Decimal


class Position(Struct, frozen=True):
    """The account's shares of a symbol, including the user's own; negative if short."""

    symbol: str
    qty: Decimal
    qty_available: Decimal
    avg_entry_price: Decimal


class Order(Struct, frozen=True):
    """An order as the broker reports it.

    Attributes
    ----------
    status : str
        The broker's own status word; `algotrader.orders.statuses` says what it means.
    qty : Decimal or None
        Shares; None for a notional order.
    notional : Decimal or None
        Dollars of a notional order; None for an order by quantity.
    extended_hours : bool
        Whether the order may fill outside regular hours; the desk's own orders never do.
    canceled_at : datetime or None
        When the order was canceled; None if it was not.
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
    filled_at: datetime | None  # the last fill's instant; None before the first fill
    stop_price: Decimal | None = None
    time_in_force: str = "day"
    replaces: str | None = None  # the broker's id of the order that this one replaced
    notional: Decimal | None = None
    extended_hours: bool = False
    canceled_at: datetime | None = None


class Holding(Struct, frozen=True):
    """The desk's own shares of a symbol, and their total cost in dollars."""

    qty: Decimal
    cost: Decimal


class Ledger(Struct, frozen=True):
    """The desk's holdings, computed from its own orders submitted up to ``through``.

    Attributes
    ----------
    realized : dict of str to Decimal
        By symbol, in dollars: proceeds of all the desk's sells less their average cost.
    """

    desk: str
    through: datetime | None
    holdings: dict[str, Holding]
    realized: dict[str, Decimal] = field(default_factory=dict)


class Adjustment(Struct, frozen=True):
    """Shares that a person gave to a desk or took from it, without an order.

    Attributes
    ----------
    qty : Decimal
        Shares that the desk gets; negative if it gives them up.
    price : Decimal
        Cost per share in dollars; ignored for shares that the desk gives up.
    worth : Decimal or None
        Market value per share in dollars at that time, so that the move itself makes no profit;
        None if unknown.
    at : datetime
        Time of the move, by the broker's clock.
    """

    id: str
    desk: str
    symbol: str
    qty: Decimal
    price: Decimal
    at: datetime
    reason: str
    worth: Decimal | None = None
