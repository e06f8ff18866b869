"""Owns the adjustment of past bars for splits and dividends that are known by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from local.paper_broker.data import DailyBar, Dividend, Split

ONE = Decimal(1)
WORDS = ("raw", "split", "dividend", "spin-off", "all")


@dataclass(frozen=True, slots=True)
class Factor:
    """The factors on the prices and the volume of bars before ``ex_date``."""

    ex_date: date
    price: Decimal
    volume: Decimal


def factors(
    bars: Sequence[DailyBar],
    splits: Sequence[Split],
    dividends: Sequence[Dividend],
    words: frozenset[str],
) -> list[Factor]:
    """Return a symbol's factors by ex-date, ascending.

    A split of ratio r divides earlier prices by r. A dividend d multiplies them by ``1 - d /
    close``. That close is the one before the ex-date, adjusted for a split on the ex-date.

    Parameters
    ----------
    bars : sequence of DailyBar
        Unadjusted, ascending.
    splits, dividends : sequences
        The symbol's known splits and dividends.
    words : frozenset of str
        The requested adjustments, from `WORDS`.
    """
    found = []
    if words & {"split", "all"}:
        found += [Factor(it.ex_date, ONE / it.ratio, it.ratio) for it in splits]
    if words & {"dividend", "all"}:
        ratios = {it.ex_date: it.ratio for it in splits}
        closes = {
            bar.session: before.close / ratios.get(bar.session, ONE)
            for before, bar in pairwise(bars)
        }
        paid: dict[date, Decimal] = {}
        for it in dividends:
            paid[it.ex_date] = paid.get(it.ex_date, Decimal(0)) + it.amount
        found += [
            Factor(day, ONE - amount / closes[day], ONE)
            for day, amount in paid.items()
            if day in closes
        ]
    return sorted(found, key=lambda factor: factor.ex_date)


def factor_at(found: Sequence[Factor], session: date) -> tuple[Decimal, Decimal]:
    """Return a session's factors on prices and volume: the products of all later factors."""
    price = volume = ONE
    for factor in found:
        if factor.ex_date > session:
            price *= factor.price
            volume *= factor.volume
    return price, volume
