"""Owns the order of the step: open the run, claim it, gather or take over, write the journal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from msgspec import Struct

from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.claim import Grip, finish, is_under_way, take_claim
from algotrader.bell import NEW_YORK
from algotrader.contracts import BarColumns, FetchBarsEvent, FetchBarsResult
from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.model import Bar, Run, Settings, Snapshot
from fetch_bars.alone import check_alone, is_overtaken
from fetch_bars.flatten import gather_for_flatten
from fetch_bars.gather import gather
from fetch_bars.opening import Opening, journal_of, open_run
from fetch_bars.report import report


class Fetched(Struct, frozen=True):
    """``fetched.json``: all that a decision depends on, beside the bars."""

    run: Run
    settings: Settings
    snapshot: Snapshot


class Bought(Struct, frozen=True):
    """An entry of a stored decision, as far as a take-over looks at it."""

    symbol: str


class Decided(Struct, frozen=True):
    """``decision.json``, as far as a take-over looks at it."""

    entries: tuple[Bought, ...] = ()


def fetch(
    event: FetchBarsEvent, environ: Mapping[str, str], artifacts: Artifacts
) -> FetchBarsResult:
    """Open a run and gather all that it needs.

    Returns
    -------
    FetchBarsResult
        CLOSED and DUPLICATE carry a message alone, REPORT and FLATTEN no bars.

    Raises
    ------
    DeskError
        Any leaf of `errors` but those of orders. What is raised once the run was claimed leaves
        the claim failed, so that a new execution may repeat the run.
    """
    opening = open_run(event, environ)
    if isinstance(opening, str):
        return FetchBarsResult(outcome="CLOSED", message=opening)
    run = opening.run
    if not run.takes_claim:
        return _gathered(opening, environ, artifacts)
    if not opening.report_only:
        _check_slot_is_not_over(opening, artifacts)
    claimed = take_claim(artifacts, run, run.started_at)
    if claimed.grip is Grip.REFUSED:
        message = f"Run {run.run_id} belongs to execution {claimed.holder}; nothing to do."
        return FetchBarsResult(outcome="DUPLICATE", message=message)
    try:
        if not opening.report_only:
            check_alone(run, artifacts)
        if claimed.grip is not Grip.NEW and not opening.report_only:
            repeated = _taken_over(opening, artifacts)
            if repeated is not None:
                return repeated
        return _gathered(opening, environ, artifacts)
    except Exception:
        # The first error is the one to tell; an unmarked claim is settled by asking Step Functions.
        with suppress(Exception):
            finish(artifacts, run, "failed")
        raise


def _gathered(
    opening: Opening, environ: Mapping[str, str], artifacts: Artifacts
) -> FetchBarsResult:
    run, settings = opening.run, opening.settings
    if opening.report_only:
        snapshot = report(opening, environ, artifacts)
        return _result("REPORT", artifacts, Fetched(run, settings, snapshot), None)
    if run.is_flatten:
        told = gather_for_flatten(opening, environ, artifacts)
        return _result("FLATTEN", artifacts, Fetched(run, settings, told), None)
    snapshot, bars = gather(opening, environ, artifacts)
    return _result("OPEN", artifacts, Fetched(run, settings, snapshot), bars)


def _check_slot_is_not_over(opening: Opening, artifacts: Artifacts) -> None:
    """Refuse a slot while the run of a later one is under way, or its bell may still come.

    Two runs at once would buy the same twice, since neither sees the orders that the other has yet
    to send. The deadline keeps the earlier run out of the later one's time; this, a late bell's or
    a hand's run of an earlier slot.
    """
    run, settings = opening.run, opening.settings
    now = opening.clock.now.astimezone(NEW_YORK)
    expected = (now - timedelta(seconds=settings.max_bell_age_seconds)).strftime("%H%M")
    for later in (each for each in settings.slots if run.slot < each <= now.strftime("%H%M")):
        other = replace(run, journal=journal_of(run.session, later))
        under_way = is_under_way(artifacts, other)
        if under_way or (under_way is None and later >= expected):
            raise InvalidInputError(
                "SLOT_OVER",
                "A later slot is due, and two runs at once would buy the same twice: nothing was "
                "traded. Start the later one, or wait until it is over.",
                slot=run.slot,
                later=later,
            )


def _taken_over(opening: Opening, artifacts: Artifacts) -> FetchBarsResult | None:
    """Go on with what an earlier execution gathered, once its decision stands; else None.

    The same snapshot, bars and deadline give the same decision, and so the same orders. Where
    another run has traded since, or a live desk is not armed any more, its deadline is now: what it
    sent is settled, and no more is sent.
    """
    run = opening.run
    decided = artifacts.read(f"{run.journal}decision.json", Decided)
    if decided is None:
        return None
    fetched = artifacts.read(f"{run.journal}fetched.json", Fetched)
    bars = artifacts.read(f"{run.journal}bars.json", dict[str, BarColumns])
    if fetched is None or (bars is None and not run.is_flatten):
        return None
    if (fetched.run.desk, fetched.run.mode) != (run.desk, run.mode):
        raise ConfigurationError(
            "RUN_OF_ANOTHER_DESK",
            "Another account, strategy or mode was deployed when this run decided. Deploy that "
            "again to finish it, or let the next session trade with the new one.",
            run_id=run.run_id,
            begun_by=f"{fetched.run.desk}/{fetched.run.mode.value}",
            deployed=f"{run.desk}/{run.mode.value}",
        )
    beyond = sorted({each.symbol for each in decided.entries} - set(run.entry_symbols))
    if beyond:
        raise InvalidInputError(
            "RUN_DECIDED_MORE",
            "When this run decided it was to buy these too, and a decision is taken once. Start it "
            "again with the same input and Symbols as then, or let the next session trade.",
            run_id=run.run_id,
            symbols=", ".join(beyond[:10]),
        )
    mine = replace(fetched.run, execution_arn=run.execution_arn)
    is_disarmed = opening.arming is not None and opening.arming.until is None
    if is_disarmed or is_overtaken(fetched.run, artifacts):
        mine = replace(mine, deadline=min(mine.deadline, opening.clock.now))
    return FetchBarsResult(
        outcome="FLATTEN" if run.is_flatten else "OPEN",
        message=f"Run {run.run_id} goes on with the decision that it had taken.",
        run=mine,
        settings=fetched.settings,
        bars=None if bars is None else artifacts.put(mine, "bars", bars),
        snapshot=artifacts.put(mine, "snapshot", fetched.snapshot),
    )


def _result(
    outcome: Literal["OPEN", "REPORT", "FLATTEN"],
    artifacts: Artifacts,
    fetched: Fetched,
    bars: dict[str, tuple[Bar, ...]] | None,
) -> FetchBarsResult:
    """Write the journal and hand the values on."""
    run = fetched.run
    handed_on = None
    if bars is not None:
        columns = {name: BarColumns.from_bars(each) for name, each in bars.items()}
        handed_on = artifacts.put(run, "bars", columns)
        artifacts.write(f"{run.journal}bars.json", columns)
    artifacts.write(f"{run.journal}fetched.json", fetched)
    return FetchBarsResult(
        outcome=outcome,
        message=f"Run {run.run_id} is open.",
        run=run,
        settings=fetched.settings,
        bars=handed_on,
        snapshot=artifacts.put(run, "snapshot", fetched.snapshot),
    )
