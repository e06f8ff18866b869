"""Owns the meaning of the kill switch's parameter."""

from __future__ import annotations

from algotrader.model import TradingMode, TradingState

REASON_LENGTH = 200


def default_state(mode: TradingMode) -> TradingState:
    """Return the trading state to apply if the parameter is missing: a live desk then halts."""
    return TradingState.HALTED if mode is TradingMode.LIVE else TradingState.ACTIVE


def parse_state(text: str) -> tuple[TradingState, str] | None:
    """Parse a state and the reason after it, or return None if the first word is not a state."""
    word, _, reason = text.strip().partition(" ")
    return (TradingState(word), reason) if word in {*TradingState} else None


def effective_state(text: str | None, mode: TradingMode) -> TradingState:
    """Return the state that a run applies: the default without a parameter, HALTED if unknown."""
    if text is None:
        return default_state(mode)
    said = parse_state(text)
    return TradingState.HALTED if said is None else said[0]
