"""Owns the values of the exchange and of the market data."""

from __future__ import annotations

from array import array
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from algotrader.model.units import ZERO

if TYPE_CHECKING:
    Column = array[float]
else:
    Column = array  # which has no parameters at run time before Python 3.12


class Bars(Struct, frozen=True):
    """Completed bars of one symbol, as columns of equal length, oldest first.

    Prices are floats, because bars only feed float64 indicators and never an order's price.

    Attributes
    ----------
    timeframe : str
        Length of each bar.
    at : tuple of datetime
        Start of each bar in UTC, strictly ascending. A daily bar starts at its session's open, so
        the instant's date in New York is the session.
    open, high, low, close : array of float
        Dollars, in type code ``d``; NaN if the broker sent no number.
    volume : array of float
        Shares, in type code ``d``; NaN if the broker sent no number.
    """

    timeframe: Literal["1Day"]
    at: tuple[datetime, ...]
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    def __len__(self) -> int:
        """Count the bars."""
        return len(self.at)

    def newest(self, count: int) -> Bars:
        """Return at most this many of the newest bars."""
        return Bars(
            timeframe=self.timeframe,
            at=self.at[-count:],
            open=self.open[-count:],
            high=self.high[-count:],
            low=self.low[-count:],
            close=self.close[-count:],
            volume=self.volume[-count:],
        )

    def last(self) -> Bar:
        """Return the newest bar."""
        return Bar(self.open[-1], self.high[-1], self.low[-1], self.close[-1], self.volume[-1])


class Bar(Struct, frozen=True):
    """One completed bar of one symbol: prices in dollars, volume in shares; never NaN."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Session(Struct, frozen=True):
    """One trading session of the exchange; ``date`` is its New York date."""

    date: date
    open: datetime
    close: datetime


class Clock(Struct, frozen=True):
    """The broker's clock, the only clock that the desk uses."""

    now: datetime
    is_open: bool


class LatestPrice(Struct, frozen=True):
    """The last trade of a symbol and when it happened."""

    price: Decimal
    at: datetime


class Asset(Struct, frozen=True):
    """The broker's permissions for a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool


class Unfit(Struct, frozen=True):
    """Why the run cannot trust a symbol's data: it buys nothing in it and keeps a holding.

    Attributes
    ----------
    code : str
        The reason's code, such as ``BARS_STALE``.
    detail : str
        The reason in words for a person, with its age if it has one.
    """

    code: str
    detail: str

    def __str__(self) -> str:
        """Format code and detail, as messages and records show them."""
        return f"{self.code}: {self.detail}"


#: The kind after which only the symbol differs.
NAME_CHANGE = "name_change"
#: Kinds of corporate action after which the holder keeps the shares, and is owed something in
#: addition.
CASH_DIVIDEND, CAPITAL_GAINS = "cash_dividend", "capital_gains_distribution"
SPIN_OFF, RIGHTS = "spin_off", "rights_distribution"
#: A kind that changes a symbol but no price.
NAME_CHANGE = "name_change"
#: An everyday word for a kind of corporate action, by the end of the kind's name.
_NOUNS = {"split": "split", "off": "spin-off", "merger": "merger", "dividend": "dividend"}


class NewShares(Struct, frozen=True):
    """Shares of another symbol that a corporate action gives for each share."""

    symbol: str
    rate: Decimal


class CorporateAction(Struct, frozen=True):
    """A corporate action of a symbol.

    Attributes
    ----------
    kind : str
        A kind above, or a name that only a person reads, such as ``forward_split``.
    ratio : Decimal or None
        Factor by which a split multiplies quantities; None for any other action.
    others : tuple of str
        The other symbols involved: a new name, a merger's buyer, a spun-off company.
    cash : Decimal
        Dollars that the holder gets per share; 0 if none, or if it is paid in another currency.
    shares : tuple of NewShares
        Other shares that the holder gets per share.
    payable : date or None
        The day on which the holder gets the cash or the shares; None if unknown.
    is_special : bool
        Whether the broker flags a cash dividend as special.
    becomes : str or None
        The symbol that replaces this one, as in a name change or a merger; empty if its shares
        become cash or nothing. None if this symbol remains in use.
    """

    symbol: str
    kind: str
    ex_date: date
    ratio: Decimal | None
    others: tuple[str, ...] = ()
    cash: Decimal = ZERO
    shares: tuple[NewShares, ...] = ()
    payable: date | None = None
    is_special: bool = False
    becomes: str | None = None

    @property
    def is_name_change(self) -> bool:
        """Whether the symbol only has a new name."""
        return self.kind == NAME_CHANGE

    @property
    def is_cash_dividend(self) -> bool:
        """Whether this pays only cash, so that it changes no quantity and no order."""
        return self.kind in {CASH_DIVIDEND, CAPITAL_GAINS}

    @property
    def is_distribution(self) -> bool:
        """Whether the holder keeps the shares and gets cash or other shares in addition."""
        is_known = self.is_cash_dividend or self.kind in {SPIN_OFF, RIGHTS}
        return is_known and bool(self.cash or self.shares)

    @property
    def is_conversion(self) -> bool:
        """Whether cash or other shares take the place of the shares, as in a merger."""
        return not self.is_distribution and bool(self.cash or self.shares)

    @property
    def noun(self) -> str:
        """One word for the action, for a text message."""
        return _NOUNS.get(self.kind.rpartition("_")[2], "corporate action")

    @property
    def description(self) -> str:
        """The action and its ex-date, for a person."""
        return f"{self.kind.replace('_', ' ')} on {self.ex_date.isoformat()}"
