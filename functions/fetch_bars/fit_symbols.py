"""Owns which symbols and references a run can use, and why it cannot use the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from algotrader.errors import DeskError
from algotrader.model import Asset, Bars, CorporateAction, Unfit
from algotrader.model.settings import STOP
from algotrader.model.units import finite
from algotrader.services.books import Books
from algotrader.session.bar_checks import check_bars
from algotrader.session.fitness import (
    CODES_OF_A_SYMBOL_THAT_ENDED,
    check_assets,
    check_feed,
    check_names,
    require_fit,
)
from fetch_bars.opening import Opening

#: How far back to search for the rename or merger that ended a symbol.
_ACTIONS_BACK = timedelta(days=5 * 365)


class SortedSymbols(Struct, frozen=True):
    """The template's symbols and the strategy's references, fit and unfit.

    Attributes
    ----------
    bars : dict of str to Bars
        The bars of the fit symbols.
    last_closes : dict of str to Decimal
        As in the snapshot; an unfit symbol's may be old.
    """

    bars: dict[str, Bars]
    unfit: dict[str, Unfit]
    last_closes: dict[str, Decimal]


def sort_symbols(opening: Opening, books: Books, assets: Mapping[str, Asset]) -> SortedSymbols:
    """Read the bars of symbols and references, and set aside those that the run cannot use.

    Raises
    ------
    ConfigurationError, InsufficientHistoryError, StaleBarsError
        If the feed is late, if no symbol is fit, or if one is unfit and ``UnfitSymbols`` is
        ``stop``.
    """
    settings, demand = opening.settings, opening.requirements
    symbols = (*settings.symbols, *opening.reference)
    completed = opening.completed[-demand.sessions :]
    known = [each for each in symbols if each in assets]
    bars = (
        opening.broker.bars(known, completed, settings.bars_feed, settings.adjustment)
        if known
        else {}
    )
    unfit = check_assets(symbols, assets, only_seen=opening.reference)
    checked = check_bars(bars, (each for each in symbols if each not in unfit), completed, demand)
    unfit |= checked.unfit
    ended = {name for name, each in unfit.items() if each.code in CODES_OF_A_SYMBOL_THAT_ENDED}
    recent = (each for each in books.actions if each.ex_date <= opening.run.session)
    actions = (*_older_actions(opening, ended), *recent)
    replaced = check_names(symbols, actions, bars, only_seen=opening.reference)
    unfit |= replaced
    fit = {name: each for name, each in checked.fit.items() if name not in replaced}
    check_feed(
        fit,
        {name: each for name, each in checked.unfit.items() if name not in replaced},
        bars,
        completed,
        demand,
        held=books.ledger.holdings.keys(),
        max_share=settings.max_stale_share,
    )
    require_fit(settings.symbols, unfit, stops=settings.unfit_symbols == STOP)
    return SortedSymbols(fit, dict(sorted(unfit.items())), _newest_closes(bars))


def _older_actions(opening: Opening, symbols: Collection[str]) -> tuple[CorporateAction, ...]:
    """Read the actions that may explain why symbols ended.

    Return an empty tuple if they cannot be read.
    """
    if not symbols:
        return ()
    today = opening.run.session
    try:
        found = opening.broker.corporate_actions(symbols, today - _ACTIONS_BACK, today)
    except DeskError:
        return ()  # the list only explains; the symbols stay unfit
    return found or ()


def _newest_closes(bars: Mapping[str, Bars]) -> dict[str, Decimal]:
    closes = {name: finite(Decimal(repr(each.close[-1]))) for name, each in bars.items()}
    return {name: close for name, close in closes.items() if close > 0}
