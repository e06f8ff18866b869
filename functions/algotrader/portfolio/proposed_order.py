"""Owns the order that a target asks for, with the figures that its checks and its words need."""

from __future__ import annotations

from dataclasses import dataclass

from algotrader.model import LatestPrice, Side
from algotrader.model.units import Dollars, Fraction, Price, Shares
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.sizing import Size, Wanted


@dataclass(frozen=True, slots=True)
class ProposedOrder:
    """An order that a target asks for, before any limit.

    Attributes
    ----------
    price : LatestPrice or None
        None if there is no usable one.
    reference, worst_price : Price
        What a share is valued at, and what it costs at most or brings at least; 0 if unknown.
    qty : Shares
        What there is to send, after all cuts.
    step : Shares
        Entries are multiples of it.
    stop : Price or None
        The protective stop that the symbol is to have.
    cut_to : str
        What ``qty`` was cut to, in words; empty if it is all that is wanted, or all of it that
        whole cents or steps allow.
    notional : Dollars or None
        Of an order by value, its dollars.
    """

    weight: Fraction
    position: DeskPosition
    price: LatestPrice | None
    wanted: Wanted
    qty: Shares
    reference: Price
    worst_price: Price
    step: Shares
    stop: Price | None = None
    cut_to: str = ""
    notional: Dollars | None = None

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.position.symbol

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.wanted.side

    @property
    def money(self) -> Dollars:
        """What a buy may cost, or what a sell brings at least."""
        return Size(self.qty, self.notional).cost(worst=self.worst_price)

    @property
    def turnover(self) -> Dollars:
        """What it adds to the run's turnover: the cost of an entry, the worth of an exit."""
        return self.money if self.side is Side.BUY else Dollars(self.qty * self.reference)
