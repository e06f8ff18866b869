"""Owns the synthetic trades: up to four a minute, which together give the minute's bar again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from local.paper_broker.data import MinuteBar
from local.paper_broker.market import MINUTE

#: When a minute's trades happen, in seconds: its open, its two extremes and its close.
SECONDS = (0, 20, 40, 59)


class Tick(NamedTuple):
    """A trade of some shares at a price in dollars; ``number`` counts the trades of a session."""

    at: datetime
    price: Decimal
    size: int
    number: int


def ticks(minutes: Sequence[MinuteBar], opens: datetime) -> list[Tick]:
    """Return the trades of a session's minutes, ascending.

    A minute that closes below its open reaches its high first; any other minute reaches its low
    first. The trades share the minute's volume. A minute without volume has no trade.
    """
    found: list[Tick] = []
    for minute in minutes:
        extremes = (minute.low, minute.high)
        if minute.close < minute.open:
            extremes = (minute.high, minute.low)
        prices = (minute.open, *extremes, minute.close)
        size = minute.volume // len(prices)
        sizes = (minute.volume - size * (len(prices) - 1), size, size, size)
        start = opens + minute.minute * MINUTE
        found += [
            Tick(
                start + timedelta(seconds=seconds),
                price,
                shares,
                minute.minute * len(SECONDS) + place + 1,
            )
            for place, (seconds, price, shares) in enumerate(
                zip(SECONDS, prices, sizes, strict=True)
            )
            if shares
        ]
    return found
