"""Owns when a run stops posting: the deadline, the trading state, a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from algotrader.model import Closure, Leg, OrderIntent, Plan, Run, TradingState
from algotrader.submission.values import Known

# How long a cancel, or an order that was sent at the last moment, may take to show its end. An
# accepted order is visible by its id within 30 s, so what is not found by then was never accepted.
SETTLE = timedelta(seconds=60)


def close_if_due(run: Run, plan: Plan, known: Known) -> Plan:
    """End posting where the deadline or the trading state says so; once ended it stays ended."""
    now = now_of(run, plan, known)
    exits, entries = _not_ahead(plan.exits_closed, now), _not_ahead(plan.entries_closed, now)
    if known.trading_state is not TradingState.ACTIVE:
        closure = Closure(
            at=now,
            code=f"TRADING_{known.trading_state.value}",
            detail=known.trading_state_reason or f"trading state {known.trading_state.value}",
        )
        entries = entries or closure
        if known.trading_state is TradingState.HALTED:
            exits = exits or closure
    if now >= run.deadline:
        closure = Closure(
            at=now,
            code="DEADLINE_PASSED",
            detail=f"nothing is posted after {run.deadline.isoformat()}",
        )
        exits, entries = exits or closure, entries or closure
    return replace(plan, exits_closed=exits, entries_closed=entries)


def closure_of(plan: Plan, intent: OrderIntent) -> Closure | None:
    """Give what has ended posting for an order; None while it may be sent."""
    return plan.entries_closed if intent.leg is Leg.ENTRY else plan.exits_closed


def given_up(run: Run, closure: Closure | None, now: datetime) -> bool:
    """Whether an order that is still open has had its time to show the end of its cancel."""
    return closure is not None and now >= max(run.deadline, closure.at) + SETTLE


def now_of(run: Run, plan: Plan, known: Known) -> datetime:
    """Take the later of the broker's clock and the waiting told so far: a clock that stands still
    must not keep a run alive.
    """
    return max(known.now, run.started_at + timedelta(seconds=plan.waited_seconds))


def _not_ahead(closure: Closure | None, now: datetime) -> Closure | None:
    """Count from now what a clock that had jumped ahead has ended, or the run would wait for it."""
    return closure and replace(closure, at=min(closure.at, now))
