"""Owns the step's sequence: open the run, claim it, gather or take over, write the journal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.run_lock import LockState, acquire, finish, is_under_way
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import put_bars
from algotrader.contracts import Artifact, FetchBarsEvent, FetchBarsResult, stamp_version
from algotrader.decision.stops_over_actions import may_cancel_stops
from algotrader.errors import InvalidInputError
from algotrader.model import Run, Settings, Snapshot
from algotrader.session.trigger import NEW_YORK
from fetch_bars.exclusivity import check_alone
from fetch_bars.gather import gather_to_flatten, gather_to_report, gather_to_trade
from fetch_bars.opening import Opening, journal_of, open_run
from fetch_bars.take_over import take_over

#: How long a report waits for the stops that it cancels to end.
CANCEL_TIME = timedelta(minutes=2)


class Fetched(Struct, frozen=True):
    """``fetched.json``: everything that a decision depends on; ``bars`` may name an S3 object."""

    run: Run
    settings: Settings
    snapshot: Snapshot
    bars: Artifact | None


def fetch(event: FetchBarsEvent, environ: Mapping[str, str], store: Store) -> FetchBarsResult:
    """Open a run and gather everything that it needs.

    Returns
    -------
    FetchBarsResult
        CLOSED and DUPLICATE carry only a message. REPORT, CANCEL_STOPS and FLATTEN carry no bars.

    Raises
    ------
    DeskError
        Any error of `errors` that is not about an order. After an error, the step marks the run's
        claim as failed, so a new execution can repeat the run.
    """
    opening = open_run(event, environ, store)
    if isinstance(opening, str):
        return FetchBarsResult(outcome="CLOSED", message=opening)
    run = opening.run
    if not run.takes_claim:
        return _gather(opening, environ, store)
    if not opening.report_only:
        _check_slot_is_not_over(opening, store)
    claimed = acquire(store, run, run.started_at)
    if claimed.state is LockState.REFUSED:
        message = f"Execution {claimed.holder} already holds run {run.run_id}. Nothing to do."
        return FetchBarsResult(outcome="DUPLICATE", message=message)
    try:
        if not opening.report_only:
            check_alone(run, store)
        if claimed.state is not LockState.NEW:
            repeated = take_over(opening, claimed.holders, store)
            if repeated is not None:
                return repeated
        return _gather(opening, environ, store)
    except Exception:
        # Report the first error. If this mark is missing, the next execution asks Step Functions
        # how this one ended.
        with suppress(Exception):
            finish(store, run, "failed")
        raise


def _gather(opening: Opening, environ: Mapping[str, str], store: Store) -> FetchBarsResult:
    """Gather the run's data, write the journal, and return what the next step needs."""
    run, settings = opening.run, opening.settings
    outcome: Literal["OPEN", "REPORT", "CANCEL_STOPS", "FLATTEN"] = "OPEN"
    bars = None
    if opening.report_only:
        outcome, snapshot = "REPORT", gather_to_report(opening, environ, store)
        if may_cancel_stops(run, settings, snapshot):
            outcome, run = "CANCEL_STOPS", _to_cancel(run)
    elif run.is_flatten:
        outcome, snapshot = "FLATTEN", gather_to_flatten(opening, environ, store)
    else:
        snapshot, found = gather_to_trade(opening, environ, store)
        bars = put_bars(store, run, found)
    fetched = Fetched(run, settings, snapshot, bars)
    store.write(f"{run.journal}fetched.json", stamp_version(fetched))
    return FetchBarsResult(
        outcome=outcome,
        message=f"Run {run.run_id} is open.",
        run=run,
        settings=store.put(run, "settings", settings),
        bars=bars,
        snapshot=store.put(run, "snapshot", snapshot),
    )


def _to_cancel(run: Run) -> Run:
    """Let a report cancel stops, but not wait long for a cancel that hangs."""
    deadline = min(run.deadline, run.started_at + CANCEL_TIME)
    return replace(run, sends_orders=True, deadline=deadline)


def _check_slot_is_not_over(opening: Opening, store: Store) -> None:
    """Refuse a slot if a later slot's run is under way or is about to start.

    Neither run could see the orders that the other has not sent yet, so both might buy the same
    shares. A scheduled run's deadline ends it before the next slot. This check stops a run that
    starts late or by hand.
    """
    run, settings = opening.run, opening.settings
    now = opening.clock.now.astimezone(NEW_YORK)
    expected = (now - timedelta(seconds=settings.max_bell_age_seconds)).strftime("%H%M")
    for later in (each for each in settings.slots if run.slot < each <= now.strftime("%H%M")):
        other = replace(run, journal=journal_of(run.session, later))
        under_way = is_under_way(store, other)
        if under_way or (under_way is None and later >= expected):
            raise InvalidInputError(
                "SLOT_OVER",
                "A later slot is due. Two runs at the same time could buy the same shares twice, "
                "so nothing was traded. Start the later slot, or wait until it is over.",
                slot=run.slot,
                later=later,
            )
