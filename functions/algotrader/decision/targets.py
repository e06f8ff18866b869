"""Owns the target weights of a decision, and their reduction to what unfit holdings leave."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model.units import ZERO, Fraction, tidy
from algotrader.portfolio.capital import PortfolioState
from algotrader.strategy import Market, Portfolio, Strategy
from algotrader.strategy.comments import Comments
from algotrader.strategy.evaluate import SUM_TOLERANCE, adds_nothing, evaluate_weights


class Targets(Struct, frozen=True):
    """The target weights, with the run's decision and remarks about the whole set.

    Attributes
    ----------
    asked : dict of str to Decimal
        As the strategy returned them, or an empty dict if the run did not call it.
    weights : dict of str to Decimal
        The targets; scaled down if they and the unfit holdings together exceed 1.
    keeps_all : bool
        Whether the run keeps everything, because too few symbols are fit for the strategy.
    remarks : tuple of str
        Sentences about the whole set.
    comments : Comments
        What the strategy says about its weights.
    """

    asked: dict[str, Decimal]
    weights: dict[str, Decimal]
    keeps_all: bool = False
    remarks: tuple[str, ...] = ()
    comments: Comments = field(default_factory=Comments)


def find_targets(
    strategy: Strategy,
    name: str,
    symbols: tuple[str, ...],
    market: Market,
    portfolio: Portfolio,
    desk: PortfolioState,
) -> Targets:
    """Call the strategy for its weights, unless fewer symbols are fit than its ``min_fit``.

    Raises
    ------
    StrategyError
        As `evaluate_weights`.
    """
    least = _least_fit(strategy.min_fit, len(symbols))
    if len(market.symbols) < least:
        remark = (
            f"{len(market.symbols)} of {len(symbols)} symbols are fit and the strategy needs"
            f" {tidy(least):f}, so the run keeps everything"
        )
        return Targets({}, {}, keeps_all=True, remarks=(remark,))
    asked, comments = evaluate_weights(strategy, name, symbols, market, portfolio)
    wanted = {symbol: weight for symbol, weight in asked.items() if symbol not in market.unfit}
    room = _room((each for each in symbols if each in market.unfit), desk)
    total = sum(wanted.values(), ZERO)
    if total <= room + SUM_TOLERANCE or adds_nothing(wanted, portfolio):
        return Targets(asked, asked, comments=comments)
    factor = room / total
    scaled = {symbol: weight * factor for symbol, weight in wanted.items()}
    remark = (
        f"unfit holdings weigh {1 - room:.4f} of capital, so the run scales the other targets from"
        f" {total:.4f} in all to {room:.4f}"
    )
    return Targets(asked, asked | scaled, remarks=(remark,), comments=comments)


def _least_fit(min_fit: float, count: int) -> Decimal:
    """Return the minimum number of fit symbols; a float is a fraction of all symbols."""
    return Decimal(repr(min_fit)) * (count if isinstance(min_fit, float) else 1)


def _room(unfit: Iterable[str], desk: PortfolioState) -> Fraction:
    """Return the part of desk capital that the unfit holdings leave."""
    if desk.capital <= 0:
        return Fraction(Decimal(1))
    kept = sum((desk.value_of(symbol) for symbol in unfit), ZERO)
    return Fraction(max(1 - kept / desk.capital, ZERO))
