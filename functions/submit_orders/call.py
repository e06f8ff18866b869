"""Owns one call to Submit Orders: store the decision, look up orders, post the missing ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.run_lock import decision_key
from algotrader.adapters.store import Store
from algotrader.broker import Broker
from algotrader.contracts import sha256_of, stamp_version
from algotrader.errors import (
    BrokerRateLimitedError,
    ConfigurationError,
    DecisionConflictError,
    DeskError,
    InvalidInputError,
)
from algotrader.execution import (
    NOTHING_POSTED,
    Known,
    Step,
    adopt,
    advance,
    check_terms,
    cut_off_if_due,
    matches_decided,
    orders_due,
    orders_to_cancel,
    orders_to_post,
    wait_for_broker,
)
from algotrader.model import (
    Decision,
    Order,
    Plan,
    Run,
    Settings,
    TradingMode,
    TradingState,
)
from algotrader.orders.ids import desk_id
from submit_orders.connections import RunAll
from submit_orders.order_look_up import OrderLookUp
from submit_orders.plan_journal import PlanJournal
from submit_orders.send_lease import SendLease
from submit_orders.sender import Sender

# A call spends at most this many seconds on cancels and keeps the rest for its posts.
CANCELS_SECONDS = 25.0


def check_run_may_send(run: Run, settings: Settings, deployed_mode: str) -> None:
    """Refuse a run that sends no orders or that started in another trading mode.

    Raises
    ------
    ConfigurationError
        ``RUN_SENDS_NO_ORDERS`` or ``TRADING_MODE_CHANGED``.
    """
    if not run.sends_orders or run.mode is TradingMode.DRY_RUN:
        raise ConfigurationError(
            "RUN_SENDS_NO_ORDERS",
            "A run that sends no orders must not reach Submit Orders. Report this as a bug.",
            run_id=run.run_id,
        )
    if not run.mode.value == settings.mode.value == deployed_mode:
        raise ConfigurationError(
            "TRADING_MODE_CHANGED",
            "A deploy changed the trading mode during the run. Start a new execution.",
            run=run.mode.value,
            settings=settings.mode.value,
            deployed=deployed_mode,
        )


class SubmitCall(Struct, frozen=True):
    """One call for one run; ``make`` with the same plan is safe to repeat.

    Attributes
    ----------
    lease : SendLease
        Belongs to this attempt; a retry has another one.
    broker : Broker
        Answers reads, and cancels orders.
    senders : tuple of Broker
        Send orders, at the same time.
    """

    run: Run
    settings: Settings
    decision: Decision
    store: Store
    plans: PlanJournal
    lease: SendLease
    broker: Broker
    senders: tuple[Broker, ...]
    run_all: RunAll
    trading_state: Callable[[], tuple[TradingState, str]]
    log: Callable[..., None]

    def make(self, plan: Plan) -> Step:
        """Advance a plan by one call.

        Raises
        ------
        DecisionConflictError, OrderConflictError
            The journal or the broker has another decision, plan or order. Nothing was posted.
        OrderStateUnknownError
            At least one order got no clear answer; the others were sent. Call again with the same
            plan, and the next call looks the order up.
        BrokerRateLimitedError
            The broker still answers 429 after the run's deadline.
        """
        began_at = time.monotonic()
        self._store_decision()
        try:
            return self._advance(plan)
        except BrokerRateLimitedError as error:
            # A call acquires its lease after all its reads, so this one has sent nothing.
            if self.run.started_at + timedelta(seconds=plan.waited_seconds) >= self.run.deadline:
                raise
            wait, spent = math.ceil(error.wait_seconds), math.ceil(time.monotonic() - began_at)
            self.log("The broker's limit is exhausted", wait_seconds=wait)
            return wait_for_broker(plan, wait_seconds=wait, spent_seconds=spent)

    def _advance(self, plan: Plan) -> Step:
        look_up = OrderLookUp(self.run, self.broker, self.lease)
        listed = look_up.list_since_start()
        orders = look_up.find_canceled(plan, listed)
        self.plans.check(plan, orders)
        before = self.plans.before(plan, orders)
        orders |= look_up.find_planned(plan, before, listed)
        known = self._learn(plan, orders, listed)
        later = self.plans.after(plan, known.orders)
        if later is not None:
            # Another call has already written the next plan, so the next call sends that plan.
            return adopt(later, self.decision, plan, known)
        plan = cut_off_if_due(self.run, self.decision, plan, known)
        check_terms(plan, self.decision, known)
        sender = Sender(self.run, self.decision, self.senders, self.run_all, known, self.log)
        self._cancel(orders_to_cancel(self.run, self.decision, plan, known), plan.polls)
        intents = orders_due(plan, before, orders_to_post(plan, known))
        sender.read_positions(intents)
        may_send = bool(intents) and self.lease.acquire(plan, known.now)
        posted = sender.send(intents) if may_send else NOTHING_POSTED
        accepted = {order.client_order_id: order for order in posted.accepted}
        check_terms(plan, self.decision, replace(known, orders={**known.orders, **accepted}))
        step = advance(self.run, self.settings, self.decision, plan, known, posted)
        if step.plan.sequence > plan.sequence and not self.plans.create(step.plan):
            later = self.plans.after(plan, known.orders)
            if later is not None:
                return adopt(later, self.decision, plan, known)
        return step

    def _store_decision(self) -> None:
        """Store the decision before the first order; raise if the run has stored another one."""
        key = decision_key(self.run)
        if self.store.create(key, stamp_version(self.decision)):
            return
        try:
            stored = self.store.read_versioned(key, Decision)
        except InvalidInputError:
            stored = None
        if stored is None or sha256_of(stored) != sha256_of(self.decision):
            raise DecisionConflictError(
                "DECISION_CONFLICT",
                "This run has already stored another decision, so nothing was sent. Check the "
                "decision in the journal. The next session starts a new run.",
                run_id=self.run.run_id,
                journal=key,
            )

    def _learn(self, plan: Plan, orders: dict[str, Order], listed: dict[str, Order]) -> Known:
        """Read the account, the trading state, and the clock."""
        wanted = {*plan.cancels, *(intent.client_order_id for intent in plan.orders)}
        decided = (*self.decision.exits, *self.decision.entries)
        beyond = {
            each.client_order_id: order
            for each in decided
            if each.client_order_id not in wanted
            and (order := listed.get(each.client_order_id)) is not None
            and matches_decided(each, order)
        }
        # Read the account after the orders, so its cash includes their fills.
        asked_at = time.monotonic()
        account = self.broker.account()
        live_number = self.settings.live_account_number
        if desk_id(account.number, self.settings.stack) != self.run.desk or (
            self.run.mode is TradingMode.LIVE and account.number != live_number
        ):
            raise ConfigurationError(
                "ACCOUNT_CHANGED",
                "The keys now belong to a different account than at the start of the run. "
                "Restore the right keys and start a new execution.",
                account=account.number,
            )
        # Read the kill switch and the clock last, just before the first order.
        state, reason = self.trading_state()
        now = self.broker.clock().now
        return Known(
            now=now,
            trading_state=state,
            trading_state_reason=reason,
            account=account,
            orders=orders,
            beyond_plan=beyond,
            account_age=timedelta(seconds=time.monotonic() - asked_at),
        )

    def _cancel(self, orders: tuple[Order, ...], polls: int) -> None:
        """Request each cancel once, and continue if one fails.

        The next call reads the order and tries again. Each call begins with a different order, so
        a slow cancel cannot use up the time of the same orders in every call.
        """
        first = polls % len(orders) if orders else 0
        asked_at = time.monotonic()
        for order in (*orders[first:], *orders[:first]):
            if time.monotonic() - asked_at >= CANCELS_SECONDS:
                break
            try:
                self.broker.cancel(order.broker_id)
            except DeskError as error:
                self.log("Cancel unclear", client_order_id=order.client_order_id, code=error.code)
                if isinstance(error, BrokerRateLimitedError):
                    break
            else:
                self.log("Cancel requested", client_order_id=order.client_order_id)
