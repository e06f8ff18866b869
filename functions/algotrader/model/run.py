"""Owns a run, and all that it decides by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from algotrader.model.account import Account, Ledger, Order, Position
from algotrader.model.enums import TradingMode, TradingState
from algotrader.model.market import Asset, Clock, CorporateAction, LatestPrice, Session
from algotrader.model.performance import Performance, StrategyStart

#: How the slot of a flatten begins, so that none of its names is ever another run's.
FLATTEN_PREFIX = "f"


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
    ended_because : str
        Why a take-over may post nothing more; empty if it may, and in every other run.
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
    ended_because: str = ""

    @property
    def takes_claim(self) -> bool:
        """Whether one execution alone may have it: it writes into the run's own folder.

        Dry runs, and reports by hand, write into a folder below it.
        """
        return self.journal.endswith(f"/{self.run_id}/")

    @property
    def is_flatten(self) -> bool:
        """Whether it sells all that the desk holds; its slot is ``f`` and a time of day."""
        return self.slot.startswith(FLATTEN_PREFIX)


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
        The account's profit in the last full session; None if the broker did not tell.
    warnings : tuple of str
        What could not be learned, or does not agree, a paragraph each, for the e-mail.
    performance : Performance or None
        What the desk and the account made since the close before; None if nothing measured it.
    started : StrategyStart or None
        Since when the strategy trades; None in a flatten and a report, which have none.
    stopped : tuple of Order
        The desk's stops that sold what no run before has told; as filled the untold shares alone.
    other_desks : dict of str to dict of str to Decimal
        Shares that other desks own by their own orders: by symbol, then by desk. Symbols that
        this desk manages alone.
    causes : dict of str to str
        By symbol: what may have made the account differ from the desks' books; a hint for a
        person, never counted.
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
    performance: Performance | None = None
    started: StrategyStart | None = None
    stopped: tuple[Order, ...] = ()
    other_desks: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """The last and the previous value of one indicator of one symbol; NaN never gets here."""

    last: float
    previous: float


@dataclass(frozen=True, slots=True)
class Features:
    """Indicators at the bell: ``values[symbol][name]``; ``as_of`` is the newest bar's session.

    ``files`` is the SHA-256 of each of the user's files that the strategy read, by its name.
    """

    as_of: date
    values: dict[str, dict[str, FeatureValue]]
    files: dict[str, str] = field(default_factory=dict)
