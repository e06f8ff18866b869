"""Owns the posts of one call: each order once, until a limit, the budget or the time ends them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

from algotrader.broker import Broker
from algotrader.errors import (
    BrokerRateLimitedError,
    BrokerUnavailableError,
    DeskError,
    OrderStateUnknownError,
)
from algotrader.execution import Known, PostResult, trades_end
from algotrader.model import Decision, Leg, Order, OrderIntent, OrderRejected, Run, Side
from submit_orders.available_shares import AvailableShares
from submit_orders.connections import RunAll

#: A call waits for the reset of the broker's limit only if it is this near, and at most this long
#: in all. Otherwise it returns the seconds to wait, and Step Functions waits.
SHORT_WAIT_SECONDS = 5.0
MOST_WAITED_SECONDS = 20.0
#: A call names orders as unsent only within this time. Later, an execution that still has this plan
#: may send them again (`execution.posting.RESEND_POLLS`), and another call must not do it as well.
UNSENT_SECONDS = 40.0
#: Errors after which the broker certainly does not have the order.
NOT_SENT = (BrokerRateLimitedError, BrokerUnavailableError)
Answer = Order | OrderRejected | DeskError | None


class Sender:
    """Sends orders at the same time, and stops once the broker answers none for a while.

    Parameters
    ----------
    brokers : tuple of Broker
        One for each order that may be under way at the same time.
    known : Known
        What the call has just read. The sender counts the time since then.
    """

    def __init__(
        self,
        run: Run,
        decision: Decision,
        brokers: tuple[Broker, ...],
        run_all: RunAll,
        known: Known,
        log: Callable[..., None],
    ) -> None:
        self._run = run
        self._decision = decision
        self._brokers = brokers
        self._run_all = run_all
        self._now = known.now
        self._log = log
        self._asked_at = time.monotonic()
        self._shares = AvailableShares(brokers[0], time.monotonic)
        self._waited_seconds = 0.0
        self._accepted: list[Order] = []
        self._rejected: list[OrderRejected] = []
        self._shortages: dict[str, Decimal] = {}
        self._unknown: list[str] = []

    def read_positions(self, intents: tuple[OrderIntent, ...]) -> None:
        """Read the positions if the call may sell.

        If the read fails, the call has no lease yet, and its retry can still send.
        """
        for sell in (each for each in intents if each.side is Side.SELL):
            self._shares.of(sell.symbol)
            break

    def send(self, intents: tuple[OrderIntent, ...]) -> PostResult:
        """Send each intent at most once; each sell has its answer before the first buy leaves.

        Raises
        ------
        OrderStateUnknownError
            At least one order got no clear answer. The call sent the others, or will send them
            only after that order must have shown.
        """
        waiting = deque(intents)
        wait_seconds = 0.0
        while waiting:
            try:
                batch = self._next_batch(waiting)
                self._send_batch(batch, waiting)
            except NOT_SENT as error:
                self._log("Orders wait", orders=len(waiting), code=error.code)
                if isinstance(error, BrokerRateLimitedError):
                    wait_seconds = error.wait_seconds
                break
        if self._unknown:
            raise OrderStateUnknownError(
                "ORDER_STATE_UNKNOWN",
                "The broker gave no clear answer for these orders. The run looks them up and sends "
                "the missing ones again with the same ids. If this continues, look for these ids "
                "at the broker.",
                client_order_ids=",".join(self._unknown),
            )
        is_only_sender = time.monotonic() - self._asked_at < UNSENT_SECONDS
        unsent = tuple(each.client_order_id for each in waiting)
        return PostResult(
            accepted=tuple(self._accepted),
            rejected=tuple(self._rejected),
            shortages=self._shortages,
            unsent=unsent if is_only_sender else (),
            wait_seconds=math.ceil(wait_seconds),
        )

    def _next_batch(self, waiting: deque[OrderIntent]) -> list[OrderIntent]:
        """Take the next orders of one side, without those that are over or lack shares."""
        batch: list[OrderIntent] = []
        while waiting and len(batch) < len(self._brokers):
            intent = waiting[0]
            if batch and intent.side is not batch[0].side:
                break
            if not self._is_over(intent):
                try:
                    has_shares = intent.side is Side.BUY or self._reserve(intent)
                except NOT_SENT:
                    if batch:  # the next round reads the positions again
                        break
                    raise
                if has_shares:
                    batch.append(intent)
            waiting.popleft()
        return batch

    def _send_batch(self, batch: list[OrderIntent], waiting: deque[OrderIntent]) -> None:
        """Send orders at the same time; put those that the broker did not take back in front.

        A 429 is a definite "not sent". If the reset is near, wait for it.
        """
        answers = self._run_all(
            [
                partial(self._submit, broker, intent)
                for broker, intent in zip(self._brokers, batch, strict=False)
            ]
        )
        for intent, answer in zip(batch, answers, strict=True):
            self._note(intent, answer)
        left = [
            intent
            for intent, answer in zip(batch, answers, strict=True)
            if isinstance(answer, NOT_SENT)
        ]
        waiting.extendleft(reversed(left))
        for answer in answers:
            if isinstance(answer, DeskError) and not isinstance(
                answer, (OrderStateUnknownError, BrokerRateLimitedError)
            ):
                raise answer
        limited = [each for each in answers if isinstance(each, BrokerRateLimitedError)]
        if limited:
            self._wait_or_raise(max(limited, key=lambda each: each.wait_seconds))

    def _submit(self, broker: Broker, intent: OrderIntent) -> Answer:
        """Send one order in its own thread; return None if its leg has ended."""
        if self._is_over(intent):
            return None
        try:
            return broker.submit(intent)
        except DeskError as error:
            return error  # the call first notes the other orders' answers

    def _note(self, intent: OrderIntent, answer: Answer) -> None:
        order_id = intent.client_order_id
        if isinstance(answer, Order):
            self._accepted.append(answer)
            self._log("Order accepted", client_order_id=order_id, status=answer.status)
        elif isinstance(answer, OrderStateUnknownError):
            self._unknown.append(order_id)
            self._log("Order answer unclear", client_order_id=order_id, code=answer.code)
        elif intent.side is Side.SELL:
            self._shares.count_unsent(intent)
        if isinstance(answer, OrderRejected):
            self._rejected.append(answer)
            self._log("Order rejected", client_order_id=order_id, code=answer.code)

    def _reserve(self, sell: OrderIntent) -> bool:
        """Reserve a sell's shares; note the shortage and return False if there are too few."""
        available = self._shares.of(sell.symbol)
        if available < sell.qty:
            self._shortages[sell.client_order_id] = available
            return False
        self._shares.count_sent(sell)
        return True

    def _wait_or_raise(self, limited: BrokerRateLimitedError) -> None:
        self._waited_seconds += limited.wait_seconds
        is_near = limited.wait_seconds <= SHORT_WAIT_SECONDS
        if not is_near or self._waited_seconds > MOST_WAITED_SECONDS:
            raise limited
        time.sleep(limited.wait_seconds)

    def _is_over(self, intent: OrderIntent) -> bool:
        """Whether the leg's time is over; the next call ends the plan and reports the orders."""
        is_stop = intent.leg is Leg.STOP
        ends = self._run.deadline if is_stop else trades_end(self._run, self._decision)
        return self._now + timedelta(seconds=time.monotonic() - self._asked_at) >= ends
