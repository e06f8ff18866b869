"""Owns the limits on losses: once one is reached, the desk only sells until a person resumes it.

``docs/limits.md`` tells the user what each code means and what to do; a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from algotrader.model import LossLimits, Track, TradingState
from algotrader.model.units import tidy


class Brake(StrEnum):
    """Why the desk sets itself to REDUCING."""

    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"


def breached_limits(track: Track, limits: LossLimits) -> dict[Brake, str]:
    """Return the limits that are reached, each with its numbers."""
    found = {}
    lost = track.day.counted_from - track.profit
    worth = track.day.worth
    if lost > 0 and lost >= limits.daily_loss * worth:
        share = f"{lost / worth * 100:.2f} %" if worth > 0 else "all"
        found[Brake.DAILY_LOSS] = (
            f"{share} lost in session {track.day.session.isoformat()}, {lost:.2f} of {worth:.2f},"
            f" allowed {tidy(limits.daily_loss * 100):f} %"
        )
    fallen = track.drawdown
    if fallen > 0 and fallen >= limits.drawdown:
        found[Brake.DRAWDOWN] = (
            f"{fallen * 100:.2f} % below the peak, index {track.index:.4f} of {track.peak:.4f},"
            f" allowed {tidy(limits.drawdown * 100):f} %"
        )
    return found


def state_after(
    state: TradingState, reason: str, reached: Mapping[Brake, str]
) -> tuple[TradingState, str]:
    """Return the trading state that a run obeys, and why: never a weaker one than was set."""
    if state is not TradingState.ACTIVE or not reached:
        return state, reason
    words = (f"{code.value}: {detail}" for code, detail in reached.items())
    return TradingState.REDUCING, "; ".join(words)


def rebase(track: Track, reached: Mapping[Brake, str]) -> Track:
    """Count the rest of the day from here, once its loss was told.

    Else a desk that a person resumes on the same day would stop at once. So it may lose as much
    again. A drawdown needs no such rule: it stays until it is made good, or the peak is reset.
    """
    if Brake.DAILY_LOSS not in reached:
        return track
    return replace(track, day=replace(track.day, counted_from=track.profit))
