"""Owns what a flatten gathers: what the desk holds and what is in its way, and no bars."""

from __future__ import annotations

from collections.abc import Mapping

from algotrader.adapters.artifacts import Artifacts
from algotrader.errors import DeskError
from algotrader.model import LatestPrice, Snapshot
from fetch_bars.differences import compare
from fetch_bars.gather import (
    actions_since,
    books_at_the_bell,
    keep_checkpoints,
    last_session_pnl,
    own_and_foreign,
)
from fetch_bars.opening import Opening
from fetch_bars.switch import trading_state


def gather_for_flatten(
    opening: Opening, environ: Mapping[str, str], artifacts: Artifacts
) -> Snapshot:
    """Ask the broker for what the sale of all holdings needs.

    It works without bars, and without prices: a market order has no need of one.
    """
    broker, run = opening.broker, opening.run
    state, reason = trading_state(opening, environ)
    positions = broker.positions()
    listed = broker.open_orders()
    books = books_at_the_bell(opening, artifacts)
    own, foreign = own_and_foreign(listed, books, run.desk)
    actions = actions_since(opening, books)
    held = sorted(each for each, it in books.ledger.holdings.items() if it.qty != 0)
    compared = compare(broker, books, positions, held, actions, run.session, opening.settings.stack)
    assets, pnl = broker.assets(held), last_session_pnl(opening)
    prices, unknown = _prices(opening, held)  # last: what hangs here must not cost the sale
    snapshot = Snapshot(
        clock=opening.clock,
        session=opening.rung.session,
        previous_session=opening.rung.previous_session,
        trading_state=state,
        trading_state_reason=reason,
        account=opening.account,
        positions=compared.positions,
        own_open_orders=own,
        foreign_open_orders=foreign,
        prices=prices,
        last_closes={},
        assets=assets,
        ledger=books.ledger,
        corporate_actions=actions,
        last_session_pnl=pnl,
        warnings=(*books.warnings, *compared.warnings, *unknown),
        other_desks=compared.other_desks,
        causes=compared.causes,
    )
    if run.sends_orders:
        keep_checkpoints(books, artifacts)
    return snapshot


def _prices(opening: Opening, symbols: list[str]) -> tuple[dict[str, LatestPrice], tuple[str, ...]]:
    """Ask for latest prices, which only explain the orders: a data feed that is down stops none."""
    try:
        return opening.broker.latest_prices(symbols, opening.settings.data_feed), ()
    except DeskError as error:
        return {}, (f"Latest prices could not be read ({error.code}); the sale needs none.",)
