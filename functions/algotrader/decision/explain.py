"""Owns the explanations of a decision: why it sends, denies or omits an order, with the numbers."""

from __future__ import annotations

from algotrader.model import Unfit
from algotrader.model.units import ZERO, Fraction, format_dollars, tidy
from algotrader.portfolio.capital import PortfolioState
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.holdings import ledger_mismatch
from algotrader.risk.reasons import Denial


def why_order(order: ProposedOrder, portfolio: PortfolioState) -> str:
    """Explain why the run sends an order."""
    value = "" if order.notional is None else f" for {order.notional:.2f} dollars"
    text = f"{order.side.value} {order.qty:f}{value}: {terms(order, portfolio)}"
    if order.cut_to:
        text += f"; cut from {order.wanted.qty:f} to {order.cut_to}"
    return text + and_difference(order.position)


def why_denied(order: ProposedOrder, denial: Denial, portfolio: PortfolioState) -> str:
    """Explain why the desk denies an order."""
    return f"denied {order.side.value} {order.wanted.qty:f}: {denial} ({terms(order, portfolio)})"


def why_nothing(position: DeskPosition, *, weight: Fraction, context: RiskContext) -> str:
    """Explain why a symbol has no order."""
    if position.held == 0:
        return f"nothing to do: target 0, holds 0{and_difference(position)}"
    portfolio, band = context.portfolio, context.settings.no_trade_band
    capital = portfolio.capital
    drift = weight * capital - portfolio.value_of(position.symbol)
    share = abs(drift) / capital * 100 if capital > 0 else ZERO
    if abs(drift) < band * capital:
        bound = f"within the {tidy(band * 100):f} % band"
    else:
        bound = "less than the smallest order"
    return (
        f"hold {tidy(position.held):f}: drift {share:.2f} % is {bound}"
        f" (target {tidy(weight):f} of {capital:.2f}){and_difference(position)}"
    )


def why_unfit(position: DeskPosition, unfit: Unfit, *, weight: Fraction) -> str:
    """Explain why a run leaves an unfit symbol and its holding alone."""
    holds = f"keeps {tidy(position.held):f}" if position.held > 0 else "holds 0"
    ignored = f", ignores its weight {tidy(weight):f}" if weight > 0 else ""
    return f"unfit, {holds}{ignored}: {unfit}{and_difference(position)}"


def why_kept(position: DeskPosition, remark: str) -> str:
    """Explain why a run keeps a symbol's holding without calling the strategy."""
    return f"keeps {tidy(position.held):f}: {remark}{and_difference(position)}"


def why_flatten(order: ProposedOrder) -> str:
    """Explain how much of a holding a flatten sells."""
    latest = (
        "no latest price" if order.price is None else f"latest {format_dollars(order.price.price)}"
    )
    held = order.position.held
    rest = f", of which {order.qty:f} can be sold" if order.qty < held else ""
    return (
        f"sell {order.qty:f}: flatten, at market, {latest}; holds {tidy(held):f}{rest}"
        f"{and_difference(order.position)}"
    )


def terms(order: ProposedOrder, portfolio: PortfolioState) -> str:
    """Format the inputs of an order: target, prices and holding."""
    price = "no price" if order.price is None else format_dollars(order.reference)
    return (
        f"target {tidy(order.weight):f} of {portfolio.capital:.2f} at {price}, worst"
        f" {format_dollars(order.worst_price)}; holds {tidy(order.position.held):f}"
    )


def and_difference(position: DeskPosition) -> str:
    """Format the difference between account and books as the end of a reason.

    Return an empty string if there is none.
    """
    denial = ledger_mismatch(position)
    return f"; {denial}" if denial else ""
