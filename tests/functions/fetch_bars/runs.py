"""Owns helpers that read a run's result and end a run with success or failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from algotrader.adapters.run_lock import Claim
from algotrader.adapters.stored_bars import get_bars
from algotrader.contracts import (
    Artifact,
    Failure,
    FetchBarsResult,
    NotifyEvent,
    canonical_json,
    encode,
)
from algotrader.model import Bars, Decision, Order, Run, Settings, Snapshot, Submission, Track
from algotrader.orders.ids import desk_id
from algotrader.orders.statuses import is_terminal
from algotrader.services.books import track_key
from notify.report import report
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.fetch_bars.conftest import ARN, World

FLATTEN = {"flatten": True}
JOURNAL = "runs/2026-01-06/2026-01-06-day/"
FLATTEN_JOURNAL = "runs/2026-01-06/2026-01-06-f0935/"
OTHER_ARN = ARN + "-other"
DESK = desk_id(ACCOUNT["account_number"], "desk")
TRACK_KEY = track_key(DESK)
BROKE = Failure("Submit Orders", "States.Timeout", "It timed out.")


def snapshot_of(world: World, result: FetchBarsResult) -> Snapshot:
    assert result.snapshot is not None
    return world.store.get(result.snapshot, Snapshot)


def track_of(world: World) -> Track:
    found = world.store.read(TRACK_KEY, Track)
    assert found is not None
    return found


def settings_of(world: World, result: FetchBarsResult) -> Settings:
    assert result.settings is not None
    return world.store.get(result.settings, Settings)


def bars_of(world: World, result: FetchBarsResult) -> dict[str, Bars]:
    assert result.bars is not None
    return get_bars(world.store, result.bars)


def handed_on(result: FetchBarsResult) -> bytes:
    """Return the input of the next step, as Step Functions carries it."""
    return canonical_json((result.settings, result.snapshot, result.bars))


def run_of(result: FetchBarsResult) -> Run:
    assert result.run is not None
    return result.run


def claim_of(world: World, journal: str = JOURNAL) -> Claim | None:
    return world.store.read(f"{journal}claim.json", Claim)


def claimed(world: World, journal: str, state: str, arn: str = OTHER_ARN) -> None:
    """Let another execution hold the run's lock."""
    at = datetime(2026, 1, 6, 14, 36, tzinfo=UTC)
    ended = None if state == "running" else at  # long ago by the machine's clock
    world.store.write(f"{journal}claim.json", Claim(arn, state, at, ended))


def fail(world: World) -> None:
    claim = claim_of(world)
    assert claim is not None
    world.store.write(f"{JOURNAL}claim.json", Claim(claim.execution_arn, "failed", claim.at))


def at_the_bell(world: World, day: int, given: dict[str, Any] | None = None) -> FetchBarsResult:
    world.now = f"2026-01-{day:02}T09:35:00-05:00"
    return world.run(given)


class Topic:
    """A notifier that keeps the texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def publish(self, subject: str, sms: str, email: str) -> None:
        del subject, email
        self.texts.append(sms)


def ended(
    world: World,
    result: FetchBarsResult,
    failure: Failure | None = None,
    orders: tuple[Order, ...] | None = (),
    decision: Decision | None = None,
) -> str:
    """Report a run through the real Notify and return its text.

    Parameters
    ----------
    orders : tuple of Order or None
        The orders that Submit Orders saw last, or None if the run did not reach it.
    """
    topic = Topic()
    submission = None
    if orders is not None:
        is_open = tuple(each.client_order_id for each in orders if not is_terminal(each))
        submission = Submission(orders, denied=(), rejected=(), unsettled=is_open, account=None)
    report(
        NotifyEvent(
            execution_arn=ARN,
            input={},
            run=result.run,
            settings=result.settings,
            snapshot=result.snapshot,
            features=None,
            decision=None if decision is None else Artifact(inline=encode(decision)),
            submission=None if submission is None else Artifact(inline=encode(submission)),
            failure=failure,
        ),
        world.store,
        [topic],
        warn=lambda *_, **__: None,
    )
    return topic.texts[0]
