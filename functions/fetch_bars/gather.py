"""Owns what a run gathers at the bell: the snapshot that it decides by, and the bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from algotrader.adapters.store import Store
from algotrader.errors import ConfigurationError
from algotrader.model import Asset, Bar, Snapshot
from algotrader.session.bar_checks import usable_bars
from fetch_bars.differences import compare
from fetch_bars.measure import measure
from fetch_bars.opening import Opening
from fetch_bars.snapshot import keep_checkpoints, last_session_pnl, scene_of
from fetch_bars.stop_fills import stops_to_tell
from fetch_bars.switch import apply_restriction


def gather(
    opening: Opening, environ: Mapping[str, str], store: Store
) -> tuple[Snapshot, dict[str, tuple[Bar, ...]]]:
    """Ask the broker for all that the run decides by.

    Returns
    -------
    Snapshot, dict of str to tuple of Bar
        Bars of the deployed symbols; one that the desk still holds but that was taken out of the
        template has a price and no bars.

    Raises
    ------
    ConfigurationError
        ``SYMBOL_UNKNOWN``, ``SYMBOL_NOT_TRADABLE`` or ``ADJUSTMENTS_UNREADABLE``.
    InsufficientHistoryError, StaleBarsError
        See `algotrader.session.bar_checks`.
    """
    broker, settings, run = opening.broker, opening.settings, opening.run
    scene = scene_of(opening, environ, store)
    books, seen = scene.books, scene.snapshot
    managed = {*settings.symbols, *books.ledger.holdings}
    compared = compare(
        broker,
        books,
        seen.positions,
        managed,
        seen.corporate_actions,
        run.session,
        settings.stack,
    )
    assets = broker.assets(managed)
    _check_assets(settings.symbols, assets)
    bars = _bars(opening)
    snapshot = replace(
        seen,
        positions=compared.positions,
        prices=broker.latest_prices(managed, settings.data_feed),
        last_closes={name: Decimal(repr(each[-1].close)) for name, each in bars.items()},
        assets=assets,
        last_session_pnl=last_session_pnl(opening),
        warnings=(*seen.warnings, *compared.warnings),
        other_desks=compared.other_desks,
        causes=compared.causes,
        stopped=stops_to_tell(opening, books, store),
    )
    snapshot = apply_restriction(measure(opening, environ, store, books, snapshot))
    if run.sends_orders:
        keep_checkpoints(books, store)
    return snapshot, bars


def _check_assets(symbols: tuple[str, ...], assets: Mapping[str, Asset]) -> None:
    unknown = [each for each in symbols if each not in assets]
    barred = [each for each in symbols if each in assets and not assets[each].tradable]
    if unknown or barred:
        raise ConfigurationError(
            "SYMBOL_UNKNOWN" if unknown else "SYMBOL_NOT_TRADABLE",
            "Fix the template's Symbols: the broker does not know these, or does not let them be "
            "traded. Nothing was traded.",
            symbols=", ".join((unknown or barred)[:10]),
            count=len(unknown or barred),
        )


def _bars(opening: Opening) -> dict[str, tuple[Bar, ...]]:
    settings, demand = opening.settings, opening.demand
    completed = opening.completed[-demand.sessions :]
    found = opening.broker.bars(
        settings.symbols, completed[0], completed[-1], settings.bars_feed, settings.adjustment
    )
    return usable_bars(found, settings.symbols, completed, demand)
