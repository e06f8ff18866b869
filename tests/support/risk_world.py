"""Owns a proposed order in IBM and the context of its checks, which allows everything."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.model import Run, Settings, Side, Snapshot
from algotrader.model.units import ONE_SHARE
from algotrader.portfolio.capital import portfolio_state
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.portfolio.sizing import Wanted
from algotrader.risk.context import RiskContext
from tests.support.desk_world import RUN, prices, settings, snapshot

D = Decimal


def desk_holds(
    book: str = "0", account: str | None = None, held: str | None = None, sellable: str = "0"
) -> DeskPosition:
    """Return the desk's position in IBM; by default, the account has the same position."""
    return DeskPosition(
        symbol="IBM",
        book_qty=D(book),
        account_qty=D(book if account is None else account),
        held=D(book if held is None else held),
        sellable=D(sellable),
    )


def proposed(side: Side = Side.BUY, qty: str = "10", **changes: Any) -> ProposedOrder:
    """Return a proposed order in IBM at a latest price of 100 dollars."""
    plain = ProposedOrder(
        weight=D("0.1"),
        position=desk_holds(),
        price=prices(IBM="100")["IBM"],
        wanted=Wanted(side, D(qty), D(qty)),
        qty=D(qty),
        reference=D(100),
        worst_price=D(100),
        step=ONE_SHARE,
    )
    return replace(plain, **changes)


def costing(dollars: str, **changes: Any) -> ProposedOrder:
    """Return a buy of one share with a given worst price."""
    return proposed(qty="1", worst_price=D(dollars), **changes)


def context(
    at: Snapshot | None = None, under: Settings | None = None, of: Run = RUN
) -> RiskContext:
    """Return the context of a run's checks before the first approval."""
    under, at = under or settings(), at or snapshot()
    portfolio = portfolio_state(under, at)
    return RiskContext(of, under, at, portfolio, portfolio.budget)


def with_capital(dollars: str, of: RiskContext) -> RiskContext:
    return replace(of, portfolio=replace(of.portfolio, capital=D(dollars)))


def with_budget(of: RiskContext, **left: Any) -> RiskContext:
    return replace(of, budget=replace(of.budget, **left))
