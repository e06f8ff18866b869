"""Owns what a run may send: the kill switch, a live desk's arming, the broker's restriction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from algotrader.adapters.settings import read_trading_state
from algotrader.model import Snapshot, TradingState
from fetch_bars.opening import Opening


def trading_state(opening: Opening, environ: Mapping[str, str]) -> tuple[TradingState, str]:
    """Read the trading state and its reason; a live desk that is not armed is halted."""
    name = environ["TRADING_STATE_PARAMETER"]
    state, reason = read_trading_state(name, opening.settings.mode)
    arming = opening.arming
    if arming is not None and arming.problem and state is not TradingState.HALTED:
        return TradingState.HALTED, arming.problem
    return state, reason


def apply_restriction(snapshot: Snapshot) -> Snapshot:
    """Let a run only sell when the broker lets its account only sell, and say so.

    The broker would reject the buys. The switch itself stays as it is, so that the desk buys again
    once the broker lifts the restriction. This comes after the limits on losses, which set the
    switch of a desk that is ACTIVE.
    """
    reasons = ", ".join(snapshot.account.only_sells_for)
    if not reasons:
        return snapshot
    warning = (
        f"The broker lets this account only sell ({reasons}), so the desk buys nothing. Look at "
        "the account on Alpaca's dashboard, or ask their support."
    )
    warned = replace(snapshot, warnings=(*snapshot.warnings, warning))
    if snapshot.trading_state is not TradingState.ACTIVE:
        return warned
    reason = f"account may only sell: {reasons}"
    return replace(warned, trading_state=TradingState.REDUCING, trading_state_reason=reason)
