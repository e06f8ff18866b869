"""Owns the posts of one call: each order once, until a limit, the budget or the time ends them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from algotrader.broker import Broker
from algotrader.errors import (
    BrokerRateLimitedError,
    BrokerUnavailableError,
    OrderStateUnknownError,
)
from algotrader.execution import Known, PostResult, trades_end
from algotrader.model import Decision, Leg, Order, OrderIntent, OrderRejected, Run, Side
from submit_orders.available_shares import AvailableShares

#: A call waits for the reset of the broker's limit only if it is this near, and at most this long
#: in all. Otherwise it returns the seconds to wait, and Step Functions waits.
SHORT_WAIT_SECONDS = 5.0
MOST_WAITED_SECONDS = 20.0


class Sender:
    """Sends orders in turn, and stops once the broker answers none for a while.

    Parameters
    ----------
    known : Known
        What the call has just read. The sender counts the time since then.
    """

    def __init__(
        self, run: Run, decision: Decision, broker: Broker, known: Known, log: Callable[..., None]
    ) -> None:
        self._run = run
        self._decision = decision
        self._broker = broker
        self._now = known.now
        self._log = log
        self._asked_at = time.monotonic()
        self._shares = AvailableShares(broker, time.monotonic)
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
        """Send each intent at most once, in their order.

        Raises
        ------
        OrderStateUnknownError
            At least one order got no clear answer. The call sent the others, or will send them
            only after that order must have shown.
        """
        unsent: tuple[str, ...] = ()
        wait_seconds = 0
        for number, intent in enumerate(intents):
            try:
                if self._is_over(intent):
                    break
                self._send(intent)
            except (BrokerRateLimitedError, BrokerUnavailableError) as error:
                self._log("Orders wait", client_order_id=intent.client_order_id, code=error.code)
                unsent = tuple(each.client_order_id for each in intents[number:])
                if isinstance(error, BrokerRateLimitedError):
                    wait_seconds = math.ceil(error.wait_seconds)
                break
        if self._unknown:
            raise OrderStateUnknownError(
                "ORDER_STATE_UNKNOWN",
                "The broker gave no clear answer for these orders. The run looks them up and sends "
                "the missing ones again with the same ids. If this continues, look for these ids "
                "at the broker.",
                client_order_ids=",".join(self._unknown),
            )
        return PostResult(
            accepted=tuple(self._accepted),
            rejected=tuple(self._rejected),
            shortages=self._shortages,
            unsent=unsent,
            wait_seconds=wait_seconds,
        )

    def _send(self, intent: OrderIntent) -> None:
        """Send an order, unless shares are short or its leg ends while the call waits.

        A 429 is a definite "not sent". If the reset is near, wait for it and try again.
        """
        while not self._is_over(intent):
            if intent.side is Side.SELL:
                available = self._shares.of(intent.symbol)
                if available < intent.qty:
                    self._shortages[intent.client_order_id] = available
                    return
            try:
                self._submit(intent)
            except BrokerRateLimitedError as error:
                self._waited_seconds += error.wait_seconds
                is_near = error.wait_seconds <= SHORT_WAIT_SECONDS
                if not is_near or self._waited_seconds > MOST_WAITED_SECONDS:
                    raise
                time.sleep(error.wait_seconds)
            else:
                return

    def _is_over(self, intent: OrderIntent) -> bool:
        """Whether the leg's time is over; the next call ends the plan and reports the orders."""
        is_stop = intent.leg is Leg.STOP
        ends = self._run.deadline if is_stop else trades_end(self._run, self._decision)
        return self._now + timedelta(seconds=time.monotonic() - self._asked_at) >= ends

    def _submit(self, intent: OrderIntent) -> None:
        order_id = intent.client_order_id
        try:
            answer = self._broker.submit(intent)
        except OrderStateUnknownError as error:
            self._unknown.append(order_id)
            self._log("Order answer unclear", client_order_id=order_id, code=error.code)
        else:
            if isinstance(answer, OrderRejected):
                self._rejected.append(answer)
                self._log("Order rejected", client_order_id=order_id, code=answer.code)
                return
            self._accepted.append(answer)
            self._log("Order accepted", client_order_id=order_id, status=answer.status)
        if intent.side is Side.SELL:
            self._shares.count_sent(intent)
