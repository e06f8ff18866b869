"""A live desk trades only when its switch allows it, and unknown words halt every desk."""

from __future__ import annotations

import pytest

from algotrader.model import TradingMode, TradingState
from algotrader.risk.trading_state import default_state, effective_state, parse_state


@pytest.mark.parametrize("mode", TradingMode)
def test_without_a_switch_only_a_live_desk_is_halted(mode: TradingMode) -> None:
    expected = TradingState.HALTED if mode == TradingMode.LIVE else TradingState.ACTIVE
    assert default_state(mode) is expected
    assert effective_state(None, mode) is expected


@pytest.mark.parametrize("mode", TradingMode)
@pytest.mark.parametrize("state", TradingState)
def test_a_switch_is_obeyed_in_every_mode(state: TradingState, mode: TradingMode) -> None:
    assert effective_state(f" {state.value} by hand\n", mode) is state
    assert parse_state(f" {state.value} by hand\n") == (state, "by hand")
    assert parse_state(state.value) == (state, "")


@pytest.mark.parametrize("mode", TradingMode)
@pytest.mark.parametrize("text", ["", " ", "active", "ACTIVE,", "GO", "by hand ACTIVE"])
def test_an_unknown_trading_state_halts_the_desk(text: str, mode: TradingMode) -> None:
    assert parse_state(text) is None
    assert effective_state(text, mode) is TradingState.HALTED
