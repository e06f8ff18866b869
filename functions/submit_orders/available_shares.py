"""Owns the shares that the account has available for sale, read a moment before each sell."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from algotrader.broker import Broker
from algotrader.model import OrderIntent, Position
from algotrader.model.units import ZERO

#: A list of positions that is older than this no longer counts.
OLDEST_SECONDS = 5.0


class AvailableShares:
    """The available shares by symbol, from one list of positions that is read again once it is old.

    Parameters
    ----------
    clock : callable
        Seconds of a clock that only runs forward.
    """

    def __init__(self, broker: Broker, clock: Callable[[], float]) -> None:
        self._broker = broker
        self._clock = clock
        self._positions: dict[str, Position] = {}
        self._asked_at: float | None = None
        self._sent: dict[str, Decimal] = {}

    def of(self, symbol: str) -> Decimal:
        """Return a symbol's available shares, less the shares that this call has sent to sell."""
        asked_at = self._clock()
        if self._asked_at is None or asked_at - self._asked_at >= OLDEST_SECONDS:
            self._positions, self._asked_at = self._broker.positions(), asked_at
        position = self._positions.get(symbol)
        available = position.qty_available if position else ZERO
        return max(available - self._sent.get(symbol, ZERO), ZERO)

    def count_sent(self, sell: OrderIntent) -> None:
        """Subtract a sell that this call sends, which later lists may not show yet."""
        self._sent[sell.symbol] = self._sent.get(sell.symbol, ZERO) + sell.qty

    def count_unsent(self, sell: OrderIntent) -> None:
        """Add back a sell that the broker certainly did not accept."""
        self._sent[sell.symbol] -= sell.qty
