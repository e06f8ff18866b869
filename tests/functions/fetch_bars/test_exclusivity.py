"""A flatten and another run exclude each other: both may give up, but they never both trade."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from algotrader.adapters import run_lock as module
from algotrader.adapters.run_lock import Claim
from algotrader.errors import InvalidInputError
from tests.functions.fetch_bars.conftest import ARN, World
from tests.functions.fetch_bars.runs import (
    FLATTEN,
    FLATTEN_JOURNAL,
    JOURNAL,
    OTHER_ARN,
    claim_of,
    claimed,
)


def others_ended(monkeypatch: pytest.MonkeyPatch, ago: timedelta | None) -> None:
    """Let Step Functions say how long ago the other execution ended, or None if it is unknown."""

    class Executions:
        def describe_execution(self, **_: str) -> dict[str, Any]:
            if ago is None:
                raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "Describe")
            return {"status": "FAILED", "stopDate": datetime.now(UTC) - ago}

    real = module.client
    monkeypatch.setattr(
        module, "client", lambda name: Executions() if name == "stepfunctions" else real(name)
    )


def test_a_flatten_waits_for_every_run_and_every_run_for_a_flatten(world: World) -> None:
    assert world.run().outcome == "OPEN"
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-day execution=one"):
        world.run(FLATTEN, arn=OTHER_ARN)
    assert claim_of(world, FLATTEN_JOURNAL).state == "failed"

    claimed(world, JOURNAL, "done")
    world.now = "2026-01-06T09:36:02-05:00"
    assert world.run(FLATTEN, arn=OTHER_ARN).outcome == "FLATTEN"
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-f0936"):
        world.run(FLATTEN | {"scheduled_time": "2026-01-06T14:35:30Z"})

    world.store.write(
        f"{JOURNAL}claim.json", Claim(ARN, "failed", datetime(2026, 1, 6, tzinfo=UTC))
    )
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-f0936"):
        world.run()
    assert claim_of(world, JOURNAL).state == "failed"
    claimed(world, FLATTEN_JOURNAL.replace("35", "36"), "done")
    assert world.run().outcome == "OPEN"


def test_a_refused_flatten_is_in_nobodys_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed(world, FLATTEN_JOURNAL, "failed")
    others_ended(monkeypatch, timedelta(seconds=1))
    world.now = "2026-01-06T09:36:02-05:00"

    assert world.run(FLATTEN).outcome == "FLATTEN"


@pytest.mark.parametrize("given", [FLATTEN, None])
def test_orders_of_a_run_that_was_done_a_moment_ago_are_waited_for(
    world: World, given: Any
) -> None:
    journal = JOURNAL if given else FLATTEN_JOURNAL
    for ago, is_quiet in ((50, False), (61, True)):
        ended = datetime.now(UTC) - timedelta(seconds=ago)
        claim = Claim(OTHER_ARN, "done", datetime(2026, 1, 6, 14, 36, tzinfo=UTC), ended)
        world.store.write(f"{journal}claim.json", claim)
        if is_quiet:
            assert world.run(given).outcome in {"OPEN", "FLATTEN"}
        else:
            with pytest.raises(InvalidInputError, match="RUN_UNDER_WAY"):
                world.run(given)


@pytest.mark.parametrize("given", [FLATTEN, None])
def test_orders_of_a_run_that_broke_a_moment_ago_are_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    journal = JOURNAL if given else FLATTEN_JOURNAL
    claimed(world, journal, "failed")
    world.store.write(f"{journal}decision.json", {})
    others_ended(monkeypatch, timedelta(seconds=20))
    with pytest.raises(InvalidInputError, match="RUN_UNDER_WAY"):
        world.run(given)

    others_ended(monkeypatch, timedelta(seconds=70))
    assert world.run(given).outcome in {"OPEN", "FLATTEN"}


def test_of_a_bell_and_a_flatten_at_once_at_most_one_trades(world: World) -> None:
    for attempt in range(5):
        world.now = f"2026-01-06T09:4{attempt}:00-05:00"
        world.environ["SLOTS"] = f"094{attempt}"
        start = threading.Barrier(2)
        outcomes: list[str] = []

        def ring(given: Any, arn: str, start: Any = start, into: Any = outcomes) -> None:
            start.wait()
            try:
                into.append(world.run(given, arn=arn).outcome)
            except InvalidInputError as error:
                into.append(error.code)

        threads = [
            threading.Thread(target=ring, args=each)
            for each in ((None, f"{ARN}-{attempt}"), (FLATTEN, f"{OTHER_ARN}-{attempt}"))
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert outcomes.count("RUN_UNDER_WAY") >= 1, outcomes
        for slot in (f"094{attempt}", f"f094{attempt}"):
            claimed(world, f"runs/2026-01-06/2026-01-06-{slot}/", "done")


def test_what_a_failed_run_had_decided_to_sell_is_not_sent_after_a_flatten(world: World) -> None:
    world.decide(world.run(), arn=OTHER_ARN)
    claimed(world, JOURNAL, "failed")
    claimed(world, FLATTEN_JOURNAL, "done")
    world.now = "2026-01-06T09:38:00-05:00"

    repeated = world.run(arn=f"{ARN}-again")

    # The run settles the orders that it sent and sends no more.
    assert repeated.run is not None
    assert repeated.run.deadline == datetime(2026, 1, 6, 14, 38, tzinfo=UTC)
    assert repeated.run.ended_because == "another run has traded since then"


def test_a_day_without_flatten_asks_for_no_other_claim(world: World) -> None:
    claimed(world, JOURNAL.replace("day", "0930"), "running")  # a slot's run has its own rule

    assert world.run().outcome == "OPEN"
