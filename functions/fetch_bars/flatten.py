"""Owns what a flatten gathers: what the desk holds and what is in its way, and no bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from algotrader.adapters.store import Store
from algotrader.errors import DeskError
from algotrader.model import LatestPrice, Snapshot, TradingState
from fetch_bars.differences import compare
from fetch_bars.opening import Opening
from fetch_bars.snapshot import keep_checkpoints, last_session_pnl, scene_of
from fetch_bars.stop_fills import stops_to_tell
from fetch_bars.switch import apply_restriction


def gather_for_flatten(opening: Opening, environ: Mapping[str, str], store: Store) -> Snapshot:
    """Ask the broker for what the sale of all holdings needs.

    It works without bars, and without prices: a market order has no need of one.
    """
    broker, run = opening.broker, opening.run
    scene = scene_of(opening, environ, store)
    books = scene.books
    seen = scene.snapshot if run.sends_orders else _as_if_reducing(scene.snapshot)
    held = sorted(each for each, it in books.ledger.holdings.items() if it.qty != 0)
    compared = compare(
        broker,
        books,
        seen.positions,
        held,
        seen.corporate_actions,
        run.session,
        opening.settings.stack,
    )
    assets, pnl = broker.assets(held), last_session_pnl(opening)
    prices, unknown = _prices(opening, held)  # last: what hangs here must not cost the sale
    snapshot = replace(
        seen,
        positions=compared.positions,
        prices=prices,
        assets=assets,
        last_session_pnl=pnl,
        warnings=(*seen.warnings, *compared.warnings, *unknown),
        other_desks=compared.other_desks,
        causes=compared.causes,
        stopped=stops_to_tell(opening, books, store),
    )
    if run.sends_orders:
        keep_checkpoints(books, store)
    return apply_restriction(snapshot)


def _as_if_reducing(seen: Snapshot) -> Snapshot:
    """Return what a dry run decides from: what a flatten would sell, which sets REDUCING first."""
    state, reason = seen.trading_state, seen.trading_state_reason
    now = f"{state.value}: {reason}" if reason else state.value
    return replace(
        seen,
        trading_state=TradingState.REDUCING,
        trading_state_reason=f"as a flatten sets it, now {now}",
    )


def _prices(opening: Opening, symbols: list[str]) -> tuple[dict[str, LatestPrice], tuple[str, ...]]:
    """Ask for latest prices, which only explain the orders: a data feed that is down stops none."""
    try:
        return opening.broker.latest_prices(symbols, opening.settings.data_feed), ()
    except DeskError as error:
        return {}, (f"Latest prices could not be read ({error.code}); the sale needs none.",)
