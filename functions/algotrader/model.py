"""Owns the frozen values that the whole desk speaks in; no behaviour beyond what they imply.

Units, unless a field says otherwise: prices and cash in US dollars, quantities in shares, weights
as fractions of desk capital (0.25 is 25 %), instants as aware UTC datetimes. Money is ``Decimal``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class TradingMode(StrEnum):
    """Where orders go: nowhere, to the paper account, or to the live one."""

    DRY_RUN = "dry-run"
    PAPER = "paper"
    LIVE = "live"


class TradingState(StrEnum):
    """What the kill switch allows."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class Leg(StrEnum):
    """The place of an order within a run, part of its client order id."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    FLATTEN = "flatten"


class OrderType(StrEnum):
    """How an order is priced; ``limit`` is a marketable limit."""

    MARKET = "market"
    LIMIT = "limit"


class Stage(StrEnum):
    """Where a run's plan stands: entries are sent only after the exits have ended."""

    EXITS = "exits"
    ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class Bar:
    """One completed daily bar of one symbol.

    Floats, since a bar only feeds float64 indicators: no order is priced from it.
    """

    session: date
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Session:
    """One trading session of the exchange; ``date`` is its New York date."""

    date: date
    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The broker's clock, the only one that the desk trades by."""

    now: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class LatestPrice:
    """The last trade of a symbol and when it happened."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Asset:
    """What the broker allows for a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The broker's account; ``last_equity`` is equity at the previous session's close."""

    number: str
    status: str
    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal
    non_marginable_buying_power: Decimal
    adjustments: Decimal  # today's deposits less withdrawals
    blocked_by: tuple[str, ...]  # names of the broker's flags that forbid trading, empty when none


@dataclass(frozen=True, slots=True)
class Position:
    """What the account holds of a symbol, the user's own shares included; short is negative."""

    symbol: str
    qty: Decimal
    qty_available: Decimal
    avg_entry_price: Decimal


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A corporate action of a symbol; ``ratio`` is what a split multiplies quantities by."""

    symbol: str
    kind: str
    ex_date: date
    ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the broker knows it; ``status`` is Alpaca's own word."""

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

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can happen to it; a status that we do not know is not terminal."""
        return self.status in TERMINAL_STATUSES


TERMINAL_STATUSES = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that a plan may send: every term that the broker will be given, and why."""

    client_order_id: str
    symbol: str
    side: Side
    leg: Leg
    qty: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    reference_price: Decimal  # the latest price that sized and priced it
    why: str


@dataclass(frozen=True, slots=True)
class OrderDenied:
    """Our own refusal of an order: a reason code and a detail that carries its numbers."""

    symbol: str
    side: Side
    qty: Decimal
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The broker's definite refusal of an order that we sent."""

    client_order_id: str
    symbol: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What the desk itself owns of a symbol, and what it paid for it in all."""

    qty: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the desk owns: a fold over its own orders submitted up to ``through``."""

    desk: str
    through: datetime | None
    holdings: dict[str, Holding]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployed template says, taken once per run so that all steps obey the same one.

    Attributes
    ----------
    capital : Decimal or None
        Cap on the desk's capital in dollars; None means no cap.
    max_position_weight, cash_reserve, no_trade_band : Decimal
        Fractions: of desk capital, of spendable cash, of desk capital.
    max_gross_exposure, max_turnover : Decimal
        Fractions of desk capital: what all positions may be worth, what one run may trade.
    deny_symbols : tuple of str
        Symbols in which no run may raise exposure.
    max_price_deviation : Decimal
        How far from its last close a latest price may be that an entry relies on; a fraction of it.
    min_order_notional : Decimal
        The least that an entry may cost, in dollars.
    min_minutes_to_close : int
        Entries need so many minutes until the session's close.
    max_price_age_seconds : int
        Oldest latest price that an entry may rely on.
    max_bar_age_sessions : int
        Oldest newest bar, counted in sessions; 1 is the session before today's.
    max_missing_bars : int
        Sessions without a bar that are tolerated within a symbol's look-back.
    bars_feed, data_feed : str
        Feeds of the daily bars and of the latest prices.
    slots : tuple of str
        ``("day",)`` or New York times of day as ``HHMM``, ascending.
    """

    stack: str
    mode: TradingMode
    live_account_number: str
    strategy: str
    strategy_parameters: dict[str, bool | int | float | str]
    symbols: tuple[str, ...]
    capital: Decimal | None
    max_position_weight: Decimal
    max_order_notional: Decimal
    max_orders_per_run: int
    max_gross_exposure: Decimal
    max_turnover: Decimal
    min_order_notional: Decimal
    deny_symbols: tuple[str, ...]
    max_price_deviation: Decimal
    min_minutes_to_close: int
    cash_reserve: Decimal
    max_price_age_seconds: int
    max_bar_age_sessions: int
    max_missing_bars: int
    no_trade_band: Decimal
    order_type: OrderType
    limit_offset_bps: int
    fractional_shares: bool
    bars_feed: str
    data_feed: str
    adjustment: str
    slots: tuple[str, ...]
    max_bell_age_seconds: int
    run_deadline_seconds: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the desk.

    Attributes
    ----------
    run_id : str
        ``<session>-<slot>``; names a place, never a moment.
    journal : str
        Prefix in the bucket, ending in ``/``, under which this run writes.
    sends_orders : bool
        False for a dry run, in a dry-run deployment, and for a report.
    entry_symbols : tuple of str
        Symbols in which this run may raise exposure; exits are free of it.
    deadline : datetime
        After it nothing is posted.
    """

    run_id: str
    session: date
    slot: str
    desk: str
    mode: TradingMode
    execution_arn: str
    journal: str
    sends_orders: bool
    entry_symbols: tuple[str, ...]
    started_at: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the broker knew at the bell, gathered once; the decision's only view of the world.

    Attributes
    ----------
    own_open_orders, foreign_open_orders : tuple of Order
        Open orders whose client order id carries this desk's prefix, and all others.
    last_closes : dict of str to Decimal
        Close of the newest completed bar, as the feed adjusted it.
    ledger : Ledger
        What the desk owns by its own orders.
    corporate_actions : tuple of CorporateAction
        Those with an ex-date after the previous session and up to this one.
    last_session_pnl : Decimal or None
        The account's profit in the last full session; None when the broker did not tell.
    warnings : tuple of str
        What could not be learned, one sentence each, for the e-mail.
    """

    clock: Clock
    session: Session
    previous_session: date
    trading_state: TradingState
    trading_state_reason: str
    account: Account
    positions: dict[str, Position]
    own_open_orders: tuple[Order, ...]
    foreign_open_orders: tuple[Order, ...]
    prices: dict[str, LatestPrice]
    last_closes: dict[str, Decimal]
    assets: dict[str, Asset]
    ledger: Ledger
    corporate_actions: tuple[CorporateAction, ...]
    last_session_pnl: Decimal | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """The last and the previous value of one indicator of one symbol; NaN never gets here."""

    last: float
    previous: float


@dataclass(frozen=True, slots=True)
class Features:
    """Indicators at the bell: ``values[symbol][name]``; ``as_of`` is the newest bar's session."""

    as_of: date
    values: dict[str, dict[str, FeatureValue]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the desk wants of this run, and why; a pure function of features, snapshot, settings.

    Attributes
    ----------
    target_weights : dict of str to Decimal
        The strategy's answer, as fractions of desk capital.
    exits, entries : tuple of OrderIntent
        Approved orders. Entries are the most that may be bought: after the exits are terminal
        they may be cut to the cash then there, never raised.
    cancels : tuple of str
        Client order ids of the desk's own open orders to be canceled first.
    denied : tuple of OrderDenied
        Orders that the desk refused itself.
    why : dict of str to str
        One sentence for every managed symbol, also for those where nothing is done.
    """

    run_id: str
    strategy: str
    desk_capital: Decimal
    spendable: Decimal
    target_weights: dict[str, Decimal]
    exits: tuple[OrderIntent, ...]
    entries: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    denied: tuple[OrderDenied, ...]
    why: dict[str, str]


@dataclass(frozen=True, slots=True)
class Closure:
    """From ``at`` on nothing is posted, for the reason that the code names."""

    at: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next call of Submit Orders may send; Step Functions writes it down before that.

    Attributes
    ----------
    sequence : int
        0 for the plan that Decide Orders made, then one more each time the terms of its orders
        change; the journal keeps one plan a number, so that parallel or later calls agree.
    polls : int
        Calls in a row that changed no terms; sets the back-off.
    waited_seconds : int
        Seconds of waiting that the run was told so far: it ends even if the broker's clock stands.
    orders : tuple of OrderIntent
        Every order of this run that may stand at the broker by now, and those to send next.
    cancels : tuple of str
        Client order ids of the desk's orders to cancel before anything is sent.
    denied, rejected : tuples
        What this run has refused, or the broker has, since the decision.
    exits_closed, entries_closed : Closure or None
        Set once posting has ended for that leg.
    """

    run_id: str
    sequence: int
    stage: Stage
    polls: int
    waited_seconds: int
    orders: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    denied: tuple[OrderDenied, ...]
    rejected: tuple[OrderRejected, ...]
    exits_closed: Closure | None
    entries_closed: Closure | None


@dataclass(frozen=True, slots=True)
class Submission:
    """The state of the run's orders after a call of Submit Orders."""

    orders: tuple[Order, ...]
    denied: tuple[OrderDenied, ...]
    rejected: tuple[OrderRejected, ...]
    unsettled: tuple[str, ...]  # client order ids whose end the run did not see
    account: Account | None  # as of the last call that asked for it
