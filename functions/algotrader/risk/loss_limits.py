"""Owns the loss limits: after a breach the desk only sells until a person resumes it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from algotrader.model import LossLimits, Track, TradingState
from algotrader.model.units import tidy
from algotrader.risk.reasons import Reason


def breached_limits(track: Track, limits: LossLimits) -> dict[Reason, str]:
    """Return the loss limits that the desk has reached, each with its numbers."""
    found = {}
    lost = track.day.counted_from - track.profit
    worth = track.day.worth
    if lost > 0 and lost >= limits.daily_loss * worth:
        share = f"{lost / worth * 100:.2f} %" if worth > 0 else "all"
        found[Reason.DAILY_LOSS] = (
            f"{share} lost in session {track.day.session.isoformat()}, {lost:.2f} of {worth:.2f},"
            f" limit {tidy(limits.daily_loss * 100):f} %"
        )
    fallen = track.drawdown
    if fallen > 0 and fallen >= limits.drawdown:
        found[Reason.DRAWDOWN] = (
            f"{fallen * 100:.2f} % below the peak, index {track.index:.4f} of {track.peak:.4f},"
            f" limit {tidy(limits.drawdown * 100):f} %"
        )
    return found


def state_after(
    state: TradingState, reason: str, reached: Mapping[Reason, str]
) -> tuple[TradingState, str]:
    """Return the state that a run applies, never weaker than the state that is set, and why."""
    if state is not TradingState.ACTIVE or not reached:
        return state, reason
    words = (f"{code.value}: {detail}" for code, detail in reached.items())
    return TradingState.REDUCING, "; ".join(words)


def rebase(track: Track, reached: Mapping[Reason, str]) -> Track:
    """Measure the rest of the day from here once the run has reported the day's loss.

    Otherwise a desk that a person resumes on the same day would stop immediately. After a resume
    the desk may lose as much again. A drawdown is not rebased: it lasts until the desk recovers or
    a person resets the peak.
    """
    if Reason.DAILY_LOSS not in reached:
        return track
    return replace(track, day=replace(track.day, counted_from=track.profit))
