"""Owns what a report gathers: the account, the desk and their profit; nothing for trading alone."""

from __future__ import annotations

from collections.abc import Mapping

from algotrader.adapters.artifacts import Artifacts
from algotrader.arming import warnings_of
from algotrader.model import Snapshot
from fetch_bars.gather import (
    actions_since,
    books_at_the_bell,
    last_session_pnl,
    own_and_foreign,
)
from fetch_bars.opening import Opening
from fetch_bars.performance import measured
from fetch_bars.switch import trading_state


def report(opening: Opening, environ: Mapping[str, str], artifacts: Artifacts) -> Snapshot:
    """Ask the broker for what the P&L needs; the strategy's bars and the assets are left alone."""
    broker, run, settings = opening.broker, opening.run, opening.settings
    state, reason = trading_state(opening, environ)
    listed = broker.open_orders()
    positions = broker.positions()
    books = books_at_the_bell(opening, artifacts)
    own, foreign = own_and_foreign(listed, books, run.desk)
    holdings = books.ledger.holdings
    snapshot = Snapshot(
        clock=opening.clock,
        session=opening.rung.session,
        previous_session=opening.rung.previous_session,
        trading_state=state,
        trading_state_reason=reason,
        account=opening.account,
        positions=positions,
        own_open_orders=own,
        foreign_open_orders=foreign,
        prices=broker.latest_prices(holdings, settings.data_feed) if holdings else {},
        last_closes={},
        assets={},
        ledger=books.ledger,
        corporate_actions=actions_since(opening, books),
        last_session_pnl=last_session_pnl(opening),
        warnings=(*books.warnings, *warnings_of(opening.arming, opening.clock.now)),
    )
    return measured(opening, environ, artifacts, books, snapshot)
