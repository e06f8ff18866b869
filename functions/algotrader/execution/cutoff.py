"""Owns the cutoffs after which a run posts no orders: deadline and trading state."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from algotrader.execution.values import Known
from algotrader.model import Cutoff, Decision, Leg, OrderIntent, Plan, Run, TradingState
from algotrader.risk.eligibility import REASON_OF_STATE
from algotrader.risk.reasons import Reason
from algotrader.session.timing import SETTLE

# If the decision has stops, exits and entries end this long before the deadline. The time is enough
# for their cancels to end and for the run to place the stops.
STOP_RESERVE = SETTLE + timedelta(seconds=30)

# An entry that waits for a sale's cash takes the available cash this long before trading ends, so
# that the run can still send it and it can fill.
LAST_ALLOCATION = timedelta(seconds=60)


def trades_end(run: Run, decision: Decision) -> datetime:
    """Return the instant after which the run posts no exits and no entries.

    The run may post stops until the deadline. The time reserved for the stops is `STOP_RESERVE`,
    but at most a third of the run's time.
    """
    if not decision.stops:
        return run.deadline
    return run.deadline - min(STOP_RESERVE, (run.deadline - run.started_at) / 3)


def last_allocations(run: Run, decision: Decision) -> tuple[datetime, datetime]:
    """Return the two instants at which entries stop waiting: first for exits, then for the account.

    The first instant is `LAST_ALLOCATION` before the end of trading, but at most a third of the
    trading time before it. From then on, entries take the available cash. The second instant is
    halfway from the first to the end. From then on, entries do not even wait for the account to
    show the newest fills.
    """
    ends = trades_end(run, decision)
    margin = min(LAST_ALLOCATION, (ends - run.started_at) / 3)
    return ends - margin, ends - margin / 2


def cut_off_if_due(run: Run, decision: Decision, plan: Plan, known: Known) -> Plan:
    """Return the plan with a cutoff for each leg that must end now; a cutoff is permanent."""
    now, ends = latest_now(run, plan, known), trades_end(run, decision)
    exits, entries = _limit_to_now(plan.exits_closed, now), _limit_to_now(plan.entries_closed, now)
    stops = _limit_to_now(plan.stops_closed, now)
    if code := REASON_OF_STATE.get(known.trading_state):
        cutoff = Cutoff(
            at=now,
            code=code,
            detail=known.trading_state_reason or f"trading state {known.trading_state.value}",
        )
        entries = entries or cutoff
        if known.trading_state is TradingState.HALTED:
            exits, stops = exits or cutoff, stops or cutoff
    if now >= ends:
        what = "no exits and no entries" if decision.stops else "nothing"
        cutoff = _deadline(run, now, ends, what)
        exits, entries = exits or cutoff, entries or cutoff
    if now >= run.deadline:
        stops = stops or _deadline(run, now, run.deadline, "nothing")
    return replace(plan, exits_closed=exits, entries_closed=entries, stops_closed=stops)


def _deadline(run: Run, now: datetime, ends: datetime, what: str) -> Cutoff:
    detail = f"the run posts {what} after {ends.isoformat()}"
    if run.ended_because:
        detail += f": {run.ended_because}"
    return Cutoff(at=now, code=Reason.DEADLINE_PASSED, detail=detail)


def cutoff_of(plan: Plan, intent: OrderIntent) -> Cutoff | None:
    """Return the cutoff of an order's leg; None while the run may send the order."""
    if intent.leg is Leg.STOP:
        return plan.stops_closed
    return plan.entries_closed if intent.leg is Leg.ENTRY else plan.exits_closed


def is_settle_window_over(run: Run, cutoff: Cutoff | None, now: datetime) -> bool:
    """Whether an open order has had enough time to show the result of its cancel."""
    return cutoff is not None and now >= max(run.deadline, cutoff.at) + SETTLE


def latest_now(run: Run, plan: Plan, known: Known) -> datetime:
    """Return the later of the broker's clock and the run's start plus the time waited.

    A frozen clock therefore cannot keep a run alive.
    """
    return max(known.now, run.started_at + timedelta(seconds=plan.waited_seconds))


def _limit_to_now(cutoff: Cutoff | None, now: datetime) -> Cutoff | None:
    """Move a future cutoff back to now: the clock had jumped ahead when the run set the cutoff."""
    return cutoff and replace(cutoff, at=min(cutoff.at, now))
