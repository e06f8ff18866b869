"""Owns the values of a finished run that its messages show."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from algotrader.messages.failure import FailureReport
from algotrader.model import (
    Account,
    CorporateAction,
    Decision,
    Order,
    OrderDenied,
    OrderIntent,
    Performance,
    Run,
    Settings,
    Side,
    Snapshot,
    StrategyStart,
    Submission,
    TradingMode,
    TradingState,
    Unfit,
)
from algotrader.model.run import DAY_SLOT, FLATTEN_PREFIX
from algotrader.orders.own_orders import is_stop, remaining, symbol_of
from algotrader.orders.statuses import REJECTED, REPLACED, is_terminal

# Codes of `algotrader.risk.reasons`, which the messages may not import.
TRADING_HALTED, INSUFFICIENT_CASH = "TRADING_HALTED", "INSUFFICIENT_CASH"


class RunReport(Struct, frozen=True):
    """Everything known about a run at its end; a value that the run did not produce is None.

    Attributes
    ----------
    submitted : bool
        Whether Submit Orders returned at least once, even if its result is now unreadable.
    failure : FailureReport or None
        Where and why the run failed, or None if it succeeded.
    record : str
        Address of the run's record, or an empty string if there is none.
    notes : tuple of str
        One sentence for each thing that Notify could not do.
    """

    execution_arn: str
    run: Run | None = None
    settings: Settings | None = None
    snapshot: Snapshot | None = None
    decision: Decision | None = None
    submission: Submission | None = None
    submitted: bool = False
    failure: FailureReport | None = None
    record: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_report(self) -> bool:
        """Whether the run only reports the day's profit or loss."""
        return self.run is not None and self.run.is_report

    @property
    def is_dry(self) -> bool:
        """Whether the run decides but sends no order."""
        return self.run is not None and not self.run.sends_orders and not self.is_report

    @property
    def is_flatten(self) -> bool:
        """Whether the run sells everything that the desk holds."""
        return self.run is not None and self.run.is_flatten

    @property
    def changed_strategy(self) -> StrategyStart | None:
        """The start of a strategy that replaced another one, or None if the strategy is not new."""
        started = None if self.snapshot is None else self.snapshot.started
        return started if started is not None and started.replaced else None

    @property
    def is_ramped(self) -> bool:
        """Whether the live ramp applies to a new strategy."""
        return self.settings is not None and self.settings.is_ramped

    @property
    def mode(self) -> str:
        """Where orders go: ``PAPER``, ``LIVE`` or ``DRY RUN``, or an empty string if unknown."""
        if self.run is None:
            return ""
        if self.is_dry or self.run.mode is TradingMode.DRY_RUN:
            return "DRY RUN"
        return self.run.mode.value.upper()

    @property
    def when(self) -> str:
        """The session, and the slot if there are several, or an empty string if unknown."""
        if self.run is None:
            return ""
        session = self.run.session.isoformat()
        slot = self.run.slot.removeprefix(FLATTEN_PREFIX) if self.is_flatten else self.run.slot
        return session if slot == DAY_SLOT else f"{session} {slot}"

    @property
    def account(self) -> Account | None:
        """The newest view of the account."""
        if self.submission is not None and self.submission.account is not None:
            return self.submission.account
        return None if self.snapshot is None else self.snapshot.account

    @property
    def day_pnl(self) -> Decimal | None:
        """The account's profit in dollars from the previous close to the run's start, or None."""
        return None if self.snapshot is None else self.snapshot.since_close_pnl

    @property
    def performance(self) -> Performance | None:
        """Profit and loss since the previous close, measured when the run began."""
        return None if self.snapshot is None else self.snapshot.performance

    @property
    def unfit(self) -> dict[str, Unfit]:
        """The symbols whose data the run could not use, and why."""
        if self.decision is not None:
            return self.decision.unfit
        return {} if self.snapshot is None else self.snapshot.unfit

    @property
    def strategy_note(self) -> str:
        """What the strategy says about the whole run; empty if it says nothing."""
        return "" if self.decision is None else self.decision.note

    @property
    def intents(self) -> tuple[OrderIntent, ...]:
        """The orders that the decision approved, exits first."""
        return () if self.decision is None else (*self.decision.exits, *self.decision.entries)

    @property
    def denied(self) -> tuple[OrderDenied, ...]:
        """The orders that the desk denied, at the decision or later, without repeats."""
        at_decision = () if self.decision is None else self.decision.denied
        since = () if self.submission is None else self.submission.denied
        return tuple(dict.fromkeys((*at_decision, *since)))

    @property
    def is_halted(self) -> bool:
        """Whether the trading state was HALTED when the run began."""
        return self.snapshot is not None and self.snapshot.trading_state is TradingState.HALTED

    @property
    def halted_orders(self) -> tuple[OrderDenied, ...]:
        """The orders that a halted desk would send, sells first."""
        halted = [each for each in self.denied if each.code == TRADING_HALTED]
        return tuple(sorted(halted, key=lambda each: each.side is Side.BUY))

    @property
    def kept_for_lack_of_cash(self) -> tuple[OrderDenied, ...]:
        """The denied buys that would only have raised a holding, had there been cash."""
        held = {} if self.snapshot is None else self.snapshot.ledger.holdings
        return tuple(
            each
            for each in self.denied
            if each.code == INSUFFICIENT_CASH
            and each.side is Side.BUY
            and each.symbol in held
            and held[each.symbol].qty > 0
        )

    @property
    def holdings(self) -> dict[str, Decimal] | None:
        """The desk's shares by symbol after the run's fills.

        It is None if the run did not read them.
        """
        if self.snapshot is None:
            return None
        held = {symbol: each.qty for symbol, each in self.snapshot.ledger.holdings.items()}
        for order in self.filled:
            change = order.filled_qty if order.side is Side.BUY else -order.filled_qty
            held[order.symbol] = held.get(order.symbol, Decimal(0)) + change
        return {symbol: qty for symbol, qty in sorted(held.items()) if qty > 0}

    @property
    def orders(self) -> tuple[Order, ...]:
        """The run's orders as the broker last showed them, sells first.

        If the run canceled an earlier order, its fills before the decision do not count, because
        an earlier run has reported them.
        """
        if self.submission is None:
            return ()
        since = map(self._since_decision, self.submission.orders)
        return tuple(sorted(since, key=lambda order: order.side is Side.BUY))

    @property
    def sent(self) -> tuple[Order, ...]:
        """The orders that this run sent."""
        canceled = () if self.decision is None else self.decision.cancels
        return tuple(order for order in self.orders if order.client_order_id not in canceled)

    @property
    def trades(self) -> tuple[Order, ...]:
        """The run's orders, without stops that have no fill."""
        return tuple(order for order in self.orders if order.filled_qty > 0 or not is_stop(order))

    @property
    def stops(self) -> tuple[Order, ...]:
        """The protective stops that the run placed, as the broker last showed them."""
        wished = () if self.decision is None else self.decision.stops
        ids = {each.client_order_id for each in wished}
        return tuple(order for order in self.orders if order.client_order_id in ids)

    @property
    def no_stop(self) -> dict[str, str]:
        """By symbol, why a holding lacks its stop or might lack it."""
        if self.decision is None:
            return {}
        found = dict(self.decision.unprotected)
        if self.submission is not None:
            found |= self.submission.unprotected
        elif self.failure is not None and not self.is_dry:
            unsure = "the run failed before it could place the stop"
            found |= {each.symbol: unsure for each in self.decision.stops}
        return dict(sorted(found.items()))

    @property
    def no_stop_over(self) -> dict[str, CorporateAction]:
        """By symbol, the corporate action over which this or a previous report canceled a stop."""
        if self.snapshot is None or not self.is_report:
            return {}
        found = dict(self.snapshot.stops_canceled)
        stops = self._stops_to_cancel
        for symbol, action in self.snapshot.stops_at_risk.items():
            ended = [each for each in stops.get(symbol, []) if each is not None]
            if symbol not in self.stop_rests_over and remaining(ended) > 0:
                found[symbol] = action
        return dict(sorted(found.items()))

    @property
    def stop_rests_over(self) -> dict[str, CorporateAction]:
        """By symbol, the next session's action over which a stop stays open after the close."""
        if self.snapshot is None or not self.is_report or not self.snapshot.is_after_close:
            return {}
        stops = self._stops_to_cancel
        return {
            symbol: action
            for symbol, action in sorted(self.snapshot.stops_at_risk.items())
            if not all(each and is_terminal(each) for each in stops.get(symbol, [None]))
        }

    @property
    def rests(self) -> str:
        """How certain it is that the stops of `stop_rests_over` are open."""
        is_certain = self.failure is None or self.failure.before_orders
        return "STOP RESTS" if is_certain else "STOP MAY REST"

    @property
    def _stops_to_cancel(self) -> dict[str, list[Order | None]]:
        """The stops that a report cancels, by symbol; None if the broker does not show the stop."""
        orders = () if self.submission is None else self.submission.orders
        shown = {each.client_order_id: each for each in orders}
        found: dict[str, list[Order | None]] = {}
        for each in () if self.decision is None else self.decision.cancels:
            found.setdefault(symbol_of(each), []).append(shown.get(each))
        return found

    @property
    def filled(self) -> tuple[Order, ...]:
        """The run's orders with at least one fill."""
        return tuple(order for order in self.orders if order.filled_qty > 0)

    @property
    def unfilled_symbols(self) -> tuple[str, ...]:
        """Symbols of orders that ended without a fill, except rejected and replaced orders."""
        return tuple(
            order.symbol
            for order in self.trades
            if is_terminal(order)
            and order.filled_qty <= 0
            and not self._filled_before(order)
            and order.status not in {REJECTED, REPLACED}
        )

    @property
    def replaced_symbols(self) -> tuple[str, ...]:
        """Symbols of orders that somebody outside the desk replaced."""
        return tuple(order.symbol for order in self.trades if order.status == REPLACED)

    @property
    def rejected_symbols(self) -> tuple[str, ...]:
        """Symbols of orders that the broker rejected, immediately or later, one per order."""
        if self.submission is None:
            return ()
        late = {o.client_order_id: o.symbol for o in self.trades if o.status == REJECTED}
        at_once = {each.client_order_id: each.symbol for each in self.submission.rejected}
        return tuple((at_once | late).values())

    @property
    def unsettled(self) -> dict[str, str]:
        """By client order id: symbol and status of each order still open when the run ended."""
        if self.submission is None:
            return {}
        shown = {each.client_order_id: each for each in self.orders}
        working = [each.client_order_id for each in self.trades if not is_terminal(each)]
        return {
            each: _in_words(each, shown.get(each))
            for each in (*self.submission.unsettled, *working)
        }

    def _filled_before(self, order: Order) -> Decimal:
        before = {} if self.decision is None else self.decision.filled_before
        return before.get(order.client_order_id, Decimal(0))

    def _since_decision(self, order: Order) -> Order:
        before = self._filled_before(order)
        if not before:
            return order
        wanted = None if order.qty is None else order.qty - before
        return replace(order, qty=wanted, filled_qty=order.filled_qty - before)


def _in_words(client_order_id: str, order: Order | None) -> str:
    if order is None:
        return f"{symbol_of(client_order_id) or client_order_id} not shown"
    return f"{order.symbol} {'stop ' if is_stop(order) else ''}{order.status}"
