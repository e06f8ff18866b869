"""Owns what a finished run has to tell, gathered and sorted, before any text is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from algotrader.ids import parse_client_order_id
from algotrader.messages.breakdown import Breakdown
from algotrader.model import (
    Account,
    Decision,
    Order,
    OrderDenied,
    OrderIntent,
    Performance,
    Run,
    Settings,
    Side,
    Snapshot,
    Submission,
    TradingMode,
)

REPORT_SLOT = "report"
DAY_SLOT = "day"

_REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is known of a run at its end; None is what it never got to.

    Attributes
    ----------
    submitted : bool
        Whether Submit Orders ever answered, also when its answer cannot be read any more.
    breakdown : Breakdown or None
        Where and why the run broke; None when it succeeded.
    record : str
        Where the run's record lies, empty when there is none.
    notes : tuple of str
        What could not be done while telling, one sentence each.
    """

    execution_arn: str
    run: Run | None = None
    settings: Settings | None = None
    snapshot: Snapshot | None = None
    decision: Decision | None = None
    submission: Submission | None = None
    submitted: bool = False
    breakdown: Breakdown | None = None
    record: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_report(self) -> bool:
        """Whether the run only reports the day's profit or loss."""
        return self.run is not None and self.run.slot == REPORT_SLOT

    @property
    def is_dry(self) -> bool:
        """Whether the run decides and sends no order."""
        return self.run is not None and not self.run.sends_orders and not self.is_report

    @property
    def mode(self) -> str:
        """The word for where orders go: ``PAPER``, ``LIVE`` or ``DRY RUN``; empty when unknown."""
        if self.run is None:
            return ""
        if self.is_dry or self.run.mode is TradingMode.DRY_RUN:
            return "DRY RUN"
        return self.run.mode.value.upper()

    @property
    def when(self) -> str:
        """The session, and the slot when there are several; empty when unknown."""
        if self.run is None:
            return ""
        session = self.run.session.isoformat()
        return session if self.run.slot == DAY_SLOT else f"{session} {self.run.slot}"

    @property
    def account(self) -> Account | None:
        """The newest view of the account."""
        if self.submission is not None and self.submission.account is not None:
            return self.submission.account
        return None if self.snapshot is None else self.snapshot.account

    @property
    def day_pnl(self) -> Decimal | None:
        """Profit since the previous close in dollars, without deposits and withdrawals."""
        account, performance = self.account, self.performance
        if account is None or self.snapshot is None:
            return None
        deposits: Decimal | None = account.adjustments
        if performance is not None:
            if account is self.snapshot.account:
                return performance.account_profit
            deposits = performance.deposits
        if deposits is None:
            return None
        if performance is not None:  # what came in while the run went on
            deposits += account.adjustments - self.snapshot.account.adjustments
        parts = (account.equity, account.last_equity, deposits)
        if not all(part.is_finite() for part in parts):
            return None
        return account.equity - account.last_equity - deposits

    @property
    def performance(self) -> Performance | None:
        """What was made since the previous close, as measured when the run began."""
        return None if self.snapshot is None else self.snapshot.performance

    @property
    def intents(self) -> tuple[OrderIntent, ...]:
        """What the decision approved, exits first."""
        return () if self.decision is None else (*self.decision.exits, *self.decision.entries)

    @property
    def denied(self) -> tuple[OrderDenied, ...]:
        """What the desk refused, at the decision or since, each once."""
        at_decision = () if self.decision is None else self.decision.denied
        since = () if self.submission is None else self.submission.denied
        return tuple(dict.fromkeys((*at_decision, *since)))

    @property
    def orders(self) -> tuple[Order, ...]:
        """The run's orders as the broker last showed them, sells first."""
        if self.submission is None:
            return ()
        return tuple(sorted(self.submission.orders, key=lambda order: order.side is Side.BUY))

    @property
    def filled(self) -> tuple[Order, ...]:
        """Orders with at least one fill."""
        return tuple(order for order in self.orders if order.filled_qty > 0)

    @property
    def unfilled_symbols(self) -> tuple[str, ...]:
        """Symbols of orders that ended without a fill and were not rejected."""
        return tuple(
            order.symbol
            for order in self.orders
            if order.is_terminal and order.filled_qty <= 0 and order.status != _REJECTED
        )

    @property
    def rejected_symbols(self) -> tuple[str, ...]:
        """Symbols of orders that the broker refused, at once or later, each id once."""
        if self.submission is None:
            return ()
        late = {o.client_order_id: o.symbol for o in self.orders if o.status == _REJECTED}
        at_once = {each.client_order_id: each.symbol for each in self.submission.rejected}
        return tuple((at_once | late).values())

    @property
    def unsettled_symbols(self) -> tuple[str, ...]:
        """Symbols of orders whose end the run did not see, each id once."""
        if self.submission is None:
            return ()
        working = {o.client_order_id: o.symbol for o in self.orders if not o.is_terminal}
        named = {each: _symbol_of(each) for each in self.submission.unsettled}
        return tuple((named | working).values())


def _symbol_of(client_order_id: str) -> str:
    place = parse_client_order_id(client_order_id)
    return client_order_id if place is None else place.symbol
