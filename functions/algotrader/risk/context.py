"""Owns the context of a pre-trade check: everything that it uses besides the order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from algotrader.model import Order, Run, Settings, Snapshot, Unfit
from algotrader.portfolio.capital import BuyingBudget, PortfolioState
from algotrader.portfolio.proposed_order import ProposedOrder


class RiskContext(Struct, frozen=True):
    """The data that one run's checks use.

    Attributes
    ----------
    budget : BuyingBudget
        The money left for the next entry if the orders in ``traded`` fill.
    traded : tuple of ProposedOrder
        The orders that the run has approved so far: exits, then entries by priority.
    unfit : Mapping of str to Unfit
        Symbols whose data the run cannot use.
    """

    run: Run
    settings: Settings
    snapshot: Snapshot
    portfolio: PortfolioState
    budget: BuyingBudget
    traded: tuple[ProposedOrder, ...] = ()
    unfit: Mapping[str, Unfit] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The broker's clock."""
        return self.snapshot.clock.now

    def own_orders(self, symbol: str) -> list[Order]:
        """Return the desk's own open orders in a symbol."""
        return [each for each in self.snapshot.own_open_orders if each.symbol == symbol]

    def foreign_orders(self, symbol: str) -> list[Order]:
        """Return the open orders in a symbol that do not carry the desk's ids."""
        return [each for each in self.snapshot.foreign_open_orders if each.symbol == symbol]

    def after_entry(self, order: ProposedOrder) -> RiskContext:
        """Return the context of the next entry."""
        return replace(
            self, budget=self.budget.after_buy(cost=order.money), traded=(*self.traded, order)
        )
