"""Owns the effect of an ex-date on a price: splits, and the value that goes to the holder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from algotrader.model import CorporateAction
from algotrader.model.units import ONE, ZERO


def split_ratio(actions: Iterable[CorporateAction], symbol: str) -> Decimal:
    """Compute the product of a symbol's split ratios; 1 without a split."""
    ratio = ONE
    for each in actions:
        if each.symbol == symbol and each.ratio is not None:
            ratio *= each.ratio
    return ratio


def value_that_left(
    actions: Iterable[CorporateAction], prices: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Compute the dollars that left each symbol's price, per share after the day's splits.

    Parameters
    ----------
    prices : mapping of str to Decimal
        Prices of the other shares that holders get; without a price they count as 0.
    """
    found: dict[str, Decimal] = {}
    for each in actions:
        if each.is_distribution:
            shares = sum((new.rate * prices.get(new.symbol, ZERO) for new in each.shares), ZERO)
            found[each.symbol] = found.get(each.symbol, ZERO) + each.cash + shares
    return found


def less_dividends(
    closes: Mapping[str, Decimal], actions: Iterable[CorporateAction], adjustment: str
) -> dict[str, Decimal]:
    """Subtract today's dividends from the last closes, unless the bars are adjusted for dividends.

    Parameters
    ----------
    actions : iterable of CorporateAction
        Actions with an ex-date after the closes.
    adjustment : str
        The template's Adjustment.
    """
    found = dict(closes)
    if {"dividend", "all"} & {*adjustment.split(",")}:
        return found
    for each in actions:
        if each.is_cash_dividend and each.cash < found.get(each.symbol, ZERO):
            found[each.symbol] -= each.cash
    return found
