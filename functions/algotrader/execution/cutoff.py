"""Owns when a run stops posting: the deadline, the trading state, a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from algotrader.execution.values import Known
from algotrader.model import Cutoff, Decision, Leg, OrderIntent, Plan, Run, TradingState
from algotrader.session.timing import SETTLE

# Where holdings are protected, exits and entries end so long before the deadline that what they
# leave can still be given its stop: first their own cancels must show their end.
STOP_RESERVE = SETTLE + timedelta(seconds=30)


def trades_end(run: Run, decision: Decision) -> datetime:
    """Return the instant after which no exit and no entry is posted; stops may be until the
    deadline.

    A run that is shorter than three reserves keeps a third of its time for them.
    """
    if not decision.stops:
        return run.deadline
    return run.deadline - min(STOP_RESERVE, (run.deadline - run.started_at) / 3)


def cut_off_if_due(run: Run, decision: Decision, plan: Plan, known: Known) -> Plan:
    """End posting where the deadline or the trading state says so; once ended it stays ended."""
    now, ends = latest_now(run, plan, known), trades_end(run, decision)
    exits, entries = _limit_to_now(plan.exits_closed, now), _limit_to_now(plan.entries_closed, now)
    stops = _limit_to_now(plan.stops_closed, now)
    if known.trading_state is not TradingState.ACTIVE:
        cutoff = Cutoff(
            at=now,
            code=f"TRADING_{known.trading_state.value}",
            detail=known.trading_state_reason or f"trading state {known.trading_state.value}",
        )
        entries = entries or cutoff
        if known.trading_state is TradingState.HALTED:
            exits, stops = exits or cutoff, stops or cutoff
    if now >= ends:
        what = "no exit and no entry" if decision.stops else "nothing"
        cutoff = _deadline(run, now, ends, what)
        exits, entries = exits or cutoff, entries or cutoff
    if now >= run.deadline:
        stops = stops or _deadline(run, now, run.deadline, "nothing")
    return replace(plan, exits_closed=exits, entries_closed=entries, stops_closed=stops)


def _deadline(run: Run, now: datetime, ends: datetime, what: str) -> Cutoff:
    detail = f"{what} is posted after {ends.isoformat()}"
    if run.ended_because:
        detail += f": {run.ended_because}"
    return Cutoff(at=now, code="DEADLINE_PASSED", detail=detail)


def cutoff_of(plan: Plan, intent: OrderIntent) -> Cutoff | None:
    """Return what has ended posting for an order; None while it may be sent."""
    if intent.leg is Leg.STOP:
        return plan.stops_closed
    return plan.entries_closed if intent.leg is Leg.ENTRY else plan.exits_closed


def is_settle_window_over(run: Run, cutoff: Cutoff | None, now: datetime) -> bool:
    """Whether an order that is still open has had its time to show the end of its cancel."""
    return cutoff is not None and now >= max(run.deadline, cutoff.at) + SETTLE


def latest_now(run: Run, plan: Plan, known: Known) -> datetime:
    """Take the later of the broker's clock and the waiting told so far: a clock that stands still
    must not keep a run alive.
    """
    return max(known.now, run.started_at + timedelta(seconds=plan.waited_seconds))


def _limit_to_now(cutoff: Cutoff | None, now: datetime) -> Cutoff | None:
    """Count from now what a clock that had jumped ahead has ended, or the run would wait for it."""
    return cutoff and replace(cutoff, at=min(cutoff.at, now))
