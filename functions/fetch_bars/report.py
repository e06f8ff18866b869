"""Owns what a report gathers: the account and its profit, and nothing that only trading needs."""

from __future__ import annotations

from collections.abc import Mapping

from algotrader.adapters.settings import read_trading_state
from algotrader.ledger import empty
from algotrader.model import Snapshot
from fetch_bars.gather import last_session_pnl, own_and_foreign
from fetch_bars.opening import Opening


def report(opening: Opening, environ: Mapping[str, str]) -> Snapshot:
    """Ask the broker for what the P&L needs; bars, prices and assets are left alone."""
    broker, run = opening.broker, opening.run
    state, reason = read_trading_state(environ["TRADING_STATE_PARAMETER"], opening.settings.mode)
    own, foreign = own_and_foreign(broker.open_orders(), run.desk)
    return Snapshot(
        clock=opening.clock,
        session=opening.rung.session,
        previous_session=opening.rung.previous_session,
        trading_state=state,
        trading_state_reason=reason,
        account=opening.account,
        positions=broker.positions(),
        own_open_orders=own,
        foreign_open_orders=foreign,
        prices={},
        last_closes={},
        assets={},
        ledger=empty(run.desk),
        corporate_actions=(),
        last_session_pnl=last_session_pnl(opening),
        warnings=(),
    )
