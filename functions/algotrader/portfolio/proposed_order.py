"""Owns the order that leads to a target, with the figures for its checks and explanations."""

from __future__ import annotations

from msgspec import Struct

from algotrader.model import LatestPrice, Side
from algotrader.model.units import Dollars, Fraction, Price, Shares
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.sizing import Size, Wanted


class ProposedOrder(Struct, frozen=True):
    """An order that leads to a target, before the limits are checked.

    Attributes
    ----------
    price : LatestPrice or None
        None if there is no usable price.
    reference, worst_price : Price
        The value of a share, and its highest cost or lowest proceeds; 0 if unknown.
    qty : Shares
        Shares to send, after all cuts.
    step : Shares
        An entry's quantity is a multiple of this step.
    stop : Price or None
        The protective stop that the symbol should have.
    cut_to : str
        The limit that reduced ``qty``, in words, or an empty string if none did, apart from
        rounding.
    notional : Dollars or None
        Dollars of an order by value, or None for others.
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
        """The order's part of the run's turnover: the cost of an entry, or the value of an exit."""
        return self.money if self.side is Side.BUY else Dollars(self.qty * self.reference)
