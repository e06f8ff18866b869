"""Owns the values of the paper broker's account engine: orders, activities, refusals, options."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

#: Statuses in which an order can hang: it neither fills nor ends.
HANGING_STATUSES = ("pending_cancel", "done_for_day", "held")
OPEN_STATUSES = frozenset({"accepted", "pending_new", "new", "partially_filled", *HANGING_STATUSES})
EVERY_SYMBOL = "*"
TRAILING_STOP = "trailing_stop"
ZERO, CENT = Decimal(0), Decimal("0.01")


class ActivityKind(StrEnum):
    """The kind of an account activity, in Alpaca's words."""

    FILL = "FILL"
    DIVIDEND = "DIV"
    SPLIT = "SPLIT"
    DEPOSIT = "CSD"
    WITHDRAWAL = "CSW"
    JOURNAL = "JNL"
    CASH_JOURNAL = "JNLC"
    CASH_TRANSFER = "ACATC"
    INTEREST = "INT"
    FEE = "FEE"
    CRYPTO_FEE = "CFEE"
    THIRD_PARTY_CHARGE = "PTC"
    THIRD_PARTY_REBATE = "PTR"
    ON_CHAIN = "OCT"


class ApiError(Exception):
    """The broker's refusal, sent as Alpaca's error body.

    Parameters
    ----------
    status : int
        HTTP status.
    code : int or None
        Alpaca's code, or None if Alpaca sends none.
    message : str
        Alpaca's message.
    **details : object
        More fields of the body.
    """

    def __init__(self, status: int, code: int | None, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Ticket:
    """A client's order request, well-formed but not yet accepted."""

    client_order_id: str | None
    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    extended_hours: bool
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None

    @property
    def trails(self) -> bool:
        """Whether the order is a trailing stop."""
        return self.type == TRAILING_STOP


@dataclass(slots=True)
class Order:
    """An accepted order, which changes over time."""

    id: str
    client_order_id: str
    ticket: Ticket
    qty: Decimal | None  # None for a notional order until it is first priced
    limit_price: Decimal | None  # a split changes the quantity, and the price of a GTC limit order
    stop_price: Decimal | None  # a trailing stop's follows its mark; None before its first price
    session: date  # the first session in which it can fill
    taken_at: datetime  # when its request came; not unique
    submitted_at: datetime  # unique
    updated_at: datetime
    expires_at: datetime
    status: str
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO  # sum of quantity times price
    triggered: bool = False  # whether a price has reached its stop price
    hangs: bool = False  # whether it keeps its status, and never fills or ends
    mark: Decimal | None = None  # a trailing stop's best price since it was submitted
    filled_at: datetime | None = None
    expired_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    canceled_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self.status in OPEN_STATUSES

    @property
    def is_buy(self) -> bool:
        """Whether the order is a buy."""
        return self.ticket.side == "buy"

    @property
    def remaining(self) -> Decimal:
        """The shares that can still fill; 0 for a notional order before its first price."""
        return (self.qty - self.filled_qty) if self.qty is not None else ZERO


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of the account's statement; ``net`` is the change in cash in dollars."""

    id: str
    kind: ActivityKind
    at: datetime
    net: Decimal
    symbol: str | None = None
    qty: Decimal | None = None  # shares that filled, that paid a dividend, or that a split added
    price: Decimal | None = None  # a fill's price, or a dividend's amount per share
    order_id: str | None = None
    side: str | None = None
    cumulative: Decimal | None = None
    leaves: Decimal | None = None


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The treatment of orders by the exchange, which can change while the broker is running.

    In a list of symbols, ``*`` means every symbol.

    Attributes
    ----------
    slippage_bps : Decimal
        How much worse than the latest price a marketable order fills, in basis points.
    fill_delay_seconds : float
        Simulated seconds between acceptance and the first fill.
    fill_parts : int
        Number of parts in which an order fills, one at each request.
    fill_fraction : Decimal
        The largest part of an order that ever fills.
    never_fill, reject : tuple of str
        Symbols whose orders never fill, and symbols whose orders are accepted and then rejected.
    untradable, unfractionable : tuple of str
        Symbols that the broker does not trade, and symbols that trade only in whole shares.
    cancel_delay_seconds : float
        Simulated seconds that an order stays in ``pending_cancel``.
    price_age_seconds : float
        Age of the latest trade while the exchange is open.
    shorting : bool
        Whether a sell may open a short position.
    trading_blocked, account_blocked, trade_suspended_by_user : bool
        The account's flags.
    restricted_to_liquidation : bool
        Whether the account may only sell; GET /v2/account then has a reason.
    """

    slippage_bps: Decimal = Decimal(2)
    fill_delay_seconds: float = 0.0
    fill_parts: int = 1
    fill_fraction: Decimal = Decimal(1)
    never_fill: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    untradable: tuple[str, ...] = ()
    unfractionable: tuple[str, ...] = ()
    cancel_delay_seconds: float = 0.0
    price_age_seconds: float = 3.0
    shorting: bool = False
    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False
    restricted_to_liquidation: bool = False


class FaultHit(msgspec.Struct, frozen=True):
    """A fault that applied to a request; ``client_order_id`` is None if it sent no order."""

    fault: str
    request: str
    client_order_id: str | None


def names(symbols: tuple[str, ...], symbol: str) -> bool:
    """Return whether a `Behaviour`'s list of symbols includes a symbol."""
    return symbol in symbols or EVERY_SYMBOL in symbols


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """The account's initial state.

    Attributes
    ----------
    cash : Decimal
        Dollars.
    holdings : dict of str to Decimal
        Shares that the user already holds, by symbol, bought at the latest price.
    multiplier : int
        2 for a margin account; 1 for an account that can spend only its cash.
    seed : str
        The seed of all ids; the same seed and the same requests produce the same ids.
    """

    cash: Decimal = Decimal(100_000)
    holdings: dict[str, Decimal] = field(default_factory=dict)
    multiplier: int = 2
    seed: str = "algo-trader"
