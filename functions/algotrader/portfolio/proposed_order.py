"""Owns the order that a target asks for, with the figures for its checks and explanations."""

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
        The value of a share, and the highest cost or lowest proceeds; 0 if unknown.
    qty : Shares
        Shares to send, after all cuts.
    step : Shares
        Entries are multiples of it.
    stop : Price or None
        The protective stop that the symbol should have.
    cut_to : str
        What limited ``qty``, in words; empty if it is the wanted quantity, apart from rounding to
        cents or steps.
    notional : Dollars or None
        Dollars of an order by value; None for others.
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
        """The highest cost of a buy, or the lowest proceeds of a sell."""
        return Size(self.qty, self.notional).cost(worst=self.worst_price)

    @property
    def turnover(self) -> Dollars:
        """The order's part of the run's turnover: the cost of an entry, the worth of an exit."""
        return self.money if self.side is Side.BUY else Dollars(self.qty * self.reference)
