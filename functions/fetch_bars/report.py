"""Owns what a report gathers: the account, the desk and their profit; nothing for trading alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from algotrader.adapters.store import Store
from algotrader.model import Account, Snapshot
from fetch_bars.measure import measure
from fetch_bars.opening import Opening
from fetch_bars.snapshot import last_session_pnl, scene_of
from fetch_bars.switch import apply_restriction


def report(opening: Opening, environ: Mapping[str, str], store: Store) -> Snapshot:
    """Ask the broker for what the P&L needs; the strategy's bars and the assets are left alone."""
    scene = scene_of(opening, environ, store)
    holdings, feed = scene.books.ledger.holdings, opening.settings.data_feed
    snapshot = replace(
        scene.snapshot,
        prices=opening.broker.latest_prices(holdings, feed) if holdings else {},
        last_session_pnl=last_session_pnl(opening),
        warnings=(*scene.snapshot.warnings, *_blocked(opening.account)),
    )
    return apply_restriction(measure(opening, environ, store, scene.books, snapshot))


def _blocked(account: Account) -> tuple[str, ...]:
    if not account.blocked_by:
        return ()
    flags = ", ".join(account.blocked_by)
    return (f"The account may not trade ({flags}): the next trading run will fail.",)
