"""Owns the account's orders: how they are added, found, canceled, adjusted and ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR

from local.paper_broker import rules
from local.paper_broker.data import Split
from local.paper_broker.values import CENT, ApiError, Order

NOT_FOUND = 40410000


class Book:
    """All accepted orders, including those that have ended."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._by_client_id: dict[str, Order] = {}
        self._open: dict[str, Order] = {}

    @property
    def all(self) -> list[Order]:
        """Every order, oldest first."""
        return list(self._orders.values())

    @property
    def open(self) -> list[Order]:
        """The orders that can still fill, oldest first."""
        return list(self._open.values())

    def add(self, order: Order) -> None:
        """Add an accepted order."""
        self._orders[order.id] = order
        self._by_client_id[order.client_order_id] = order
        self._open[order.id] = order

    def is_taken(self, client_order_id: str | None) -> bool:
        """Return whether a client order id was ever used."""
        return client_order_id in self._by_client_id

    def find(self, order_id: str) -> Order:
        """Find an order by the broker's id, or raise a 404."""
        return _found(self._orders, order_id)

    def find_by_client_id(self, client_order_id: str) -> Order:
        """Find an order by the client's id, or raise a 404."""
        return _found(self._by_client_id, client_order_id)

    def ask_to_cancel(self, order_id: str, now: datetime) -> None:
        """Mark an order for `settle_cancels`, or raise a 404 or 422."""
        order = self.find(order_id)
        if not order.is_open:
            raise ApiError(422, rules.INVALID, f'order is already in "{order.status}" state')
        if order.hangs:
            return
        if order.cancel_requested_at is None:
            order.cancel_requested_at = order.updated_at = now
        order.status = "pending_cancel"

    def settle_cancels(self, at: datetime, delay: timedelta) -> None:
        """Cancel the orders whose cancellation was requested at least ``delay`` ago."""
        for order in self.open:
            asked = order.cancel_requested_at
            if asked is not None and not order.hangs and asked + delay <= at:
                self.end(order, "canceled", at)

    def hang(self, order_id: str, status: str, now: datetime) -> None:
        """Keep an open order in a status forever; a cancel is accepted and has no effect."""
        order = self.find(order_id)
        if order.is_open:
            order.hangs, order.status = True, status
            order.updated_at = max(now, order.updated_at)

    def end(self, order: Order, status: str, at: datetime) -> None:
        """End an order with a final status, such as ``filled``, ``canceled`` or ``replaced``."""
        at = max(at, order.updated_at)
        order.status, order.updated_at = status, at
        if status == "canceled":
            order.canceled_at = at
        elif status == "expired":
            order.expired_at = at
        elif status == "rejected":
            order.failed_at = at
        elif status == "replaced":
            order.replaced_at = at
        del self._open[order.id]

    def split(self, split: Split) -> None:
        """Adjust a symbol's open orders as Alpaca does: quantities, and only GTC limits' prices.

        Alpaca promises new prices for limit orders that are good until canceled, and for no others.
        A stop keeps its price, so after a split it sells at the open (alpaca-py#469).
        """
        for order in self.open:
            if order.ticket.symbol != split.symbol:
                continue
            if order.qty is not None:
                order.qty = order.qty * split.new_rate / split.old_rate
                order.filled_qty = order.filled_qty * split.new_rate / split.old_rate
            ticket = order.ticket
            if order.limit_price and (ticket.type, ticket.time_in_force) == ("limit", "gtc"):
                rounding = ROUND_FLOOR if order.is_buy else ROUND_CEILING
                order.limit_price = (order.limit_price / split.ratio).quantize(CENT, rounding)


def _found(orders: dict[str, Order], order_id: str) -> Order:
    if order_id not in orders:
        raise ApiError(404, NOT_FOUND, f"order not found for {order_id}")
    return orders[order_id]
