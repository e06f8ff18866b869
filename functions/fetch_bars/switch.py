"""Owns what the kill switch allows at the bell: the trading state, and a live desk's arming."""

from __future__ import annotations

from collections.abc import Mapping

from algotrader.adapters.settings import read_trading_state
from algotrader.model import TradingState
from fetch_bars.opening import Opening


def trading_state(opening: Opening, environ: Mapping[str, str]) -> tuple[TradingState, str]:
    """Read the trading state and its reason; a live desk that is not armed is halted."""
    name = environ["TRADING_STATE_PARAMETER"]
    state, reason = read_trading_state(name, opening.settings.mode)
    arming = opening.arming
    if arming is not None and arming.problem and state is not TradingState.HALTED:
        return TradingState.HALTED, arming.problem
    return state, reason
