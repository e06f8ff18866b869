"""Owns what the exchange and the market data say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """One completed daily bar of one symbol.

    Floats, since a bar only feeds float64 indicators: no order is priced from it.
    """

    session: date
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Session:
    """One trading session of the exchange; ``date`` is its New York date."""

    date: date
    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The broker's clock, the only one that the desk trades by."""

    now: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class LatestPrice:
    """The last trade of a symbol and when it happened."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Asset:
    """What the broker allows for a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A corporate action of a symbol.

    Attributes
    ----------
    ratio : Decimal or None
        What a split multiplies quantities by; None if it changes more, or nothing, of that kind.
    others : tuple of str
        The other symbols that it touches: a name's successor, a merger's buyer, what is spun off.
    """

    symbol: str
    kind: str
    ex_date: date
    ratio: Decimal | None
    others: tuple[str, ...] = ()

    @property
    def is_cash_dividend(self) -> bool:
        """Whether it changes neither quantities nor what an order means, unlike all others."""
        return self.kind.lower() in {"cash_dividend", "cash_dividends"}
