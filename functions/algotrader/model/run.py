"""Owns the values of a run: its identity, and the data for its decision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model.account import Account, Ledger, Order, Position
from algotrader.model.enums import TradingMode, TradingState
from algotrader.model.market import Asset, Bar, Clock, CorporateAction, LatestPrice, Session, Unfit
from algotrader.model.performance import Performance, StrategyStart

#: The slot of a deployment with one run per session, and the slot of a report.
DAY_SLOT, REPORT_SLOT = "day", "report"
#: First letter of a flatten's slot, so that a flatten's ids never equal another run's.
FLATTEN_PREFIX = "f"


class Run(Struct, frozen=True):
    """One run of the desk.

    Attributes
    ----------
    run_id : str
        ``<session>-<slot>``; every attempt at a session and slot has the same id.
    journal : str
        Prefix of this run's S3 keys, ending in ``/``.
    sends_orders : bool
        False for a dry run, any run of a dry-run deployment, and a report, unless the report
        cancels stops.
    entry_symbols : tuple of str or None
        Symbols that this run may buy; None for all deployed symbols. The run may sell any symbol
        that the desk holds.
    deadline : datetime
        The run sends no orders after this instant.
    ended_because : str
        Why a take-over sends no more orders; empty if it may send some, and for other runs.
    """

    run_id: str
    session: date
    slot: str
    desk: str
    mode: TradingMode
    execution_arn: str
    journal: str
    sends_orders: bool
    entry_symbols: tuple[str, ...] | None
    started_at: datetime
    deadline: datetime
    ended_because: str = ""

    @property
    def takes_claim(self) -> bool:
        """Whether the run takes the claim; its journal is then the run's own folder.

        The journal of a dry run or a manual report is a folder below the run's own.
        """
        return self.journal.endswith(f"/{self.run_id}/")

    def may_enter(self, deployed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the deployed symbols that this run may buy."""
        return deployed if self.entry_symbols is None else self.entry_symbols

    @property
    def is_report(self) -> bool:
        """Whether the run reports the day's profit or loss."""
        return self.slot == REPORT_SLOT

    @property
    def is_flatten(self) -> bool:
        """Whether the run sells all holdings; its slot is ``f`` and a time of day."""
        return self.slot.startswith(FLATTEN_PREFIX)


class Snapshot(Struct, frozen=True):
    """The account and the market at the start of the run; the decision uses no later data.

    Attributes
    ----------
    own_open_orders, foreign_open_orders : tuple of Order
        Open orders whose client order id has this desk's prefix, and all other open orders.
    last_closes : dict of str to Decimal
        Close of the newest completed bar, with the feed's adjustment.
    ledger : Ledger
        The desk's holdings according to its own orders.
    corporate_actions : tuple of CorporateAction
        Actions with an ex-date after the previous session and up to this one.
    last_session_pnl : Decimal or None
        The account's profit in the last full session, without deposits and withdrawals; None if
        unknown.
    since_close_pnl : Decimal or None
        The same profit since the previous close; None if unknown.
    close_equity : Decimal or None
        The account's equity at the previous close, the base of ``since_close_pnl`` in percent.
    warnings : tuple of str
        Paragraphs for the e-mail about unreadable data and figures that disagree.
    performance : Performance or None
        Profit of desk and account since the previous close; None if not measured.
    started : StrategyStart or None
        When the strategy began to trade; None in a flatten and in a report.
    stopped : tuple of Order
        The desk's stops, with only the fills that no earlier run reported in ``filled_qty``.
    other_desks : dict of str to dict of str to Decimal
        Shares that other desks own: by symbol, then by desk. Only symbols that this desk manages
        are listed.
    causes : dict of str to str
        By symbol: possible causes of a difference between the account and the desks' books. Only
        messages use them.
    stops_at_risk : dict of str to CorporateAction
        By symbol: the action of the next session over which the desk's open stop must not rest.
    stops_canceled : dict of str to CorporateAction
        By symbol: the action over which the desk canceled its stop without placing a new one. Only
        a report looks for them.
    closures : tuple of date
        Days since the previous session that the calendar lists but on which the exchange stayed
        closed.
    unfit : dict of str to Unfit
        Symbols and references whose bars or permissions the run cannot use.
    next_session : date or None
        The session after this one; None if the broker's calendar ends here.
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
    since_close_pnl: Decimal | None = None
    close_equity: Decimal | None = None
    performance: Performance | None = None
    started: StrategyStart | None = None
    stopped: tuple[Order, ...] = ()
    other_desks: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    closures: tuple[date, ...] = ()
    unfit: dict[str, Unfit] = field(default_factory=dict)
    stops_at_risk: dict[str, CorporateAction] = field(default_factory=dict)
    stops_canceled: dict[str, CorporateAction] = field(default_factory=dict)
    next_session: date | None = None

    @property
    def is_after_close(self) -> bool:
        """Whether the session had ended when the run began."""
        return self.clock.now >= self.session.close


class FeatureValue(Struct, frozen=True):
    """The last and the previous value of one indicator of one symbol; never NaN."""

    last: float
    previous: float


class Features(Struct, frozen=True):
    """Indicators of a run.

    Attributes
    ----------
    as_of : date
        The newest bar's session.
    values : dict of str to dict of str to FeatureValue
        By symbol, then by the name that the strategy gave. A symbol is here or in ``unfit``.
    files : dict of str to str
        The SHA-256 of each of the user's files that the strategy read, by name.
    unfit : dict of str to Unfit
        Symbols that have an indicator without a value.
    definitions : int
        The `algotrader.indicators.DEFINITIONS_VERSION` with which the values were computed; 0 in
        features computed before the definitions had a version.
    bars : dict of str to Bar
        The newest completed bar of each symbol in ``values``.
    """

    as_of: date
    values: dict[str, dict[str, FeatureValue]]
    files: dict[str, str] = field(default_factory=dict)
    unfit: dict[str, Unfit] = field(default_factory=dict)
    definitions: int = 0
    bars: dict[str, Bar] = field(default_factory=dict)
