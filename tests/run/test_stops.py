"""A run trades only once, whichever state an execution stops in, and even in parallel."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import SESSION, Bench

STATES = (
    "Fetch Bars",
    "Compute Indicators",
    "Decide Orders",
    "Submit Orders",
    "Wait For Fills",
    "Notify",
)
PATIENCE_SECONDS = 60


@pytest.fixture
def fresh(bench: Bench) -> Iterator[PaperBrokerProcess]:
    """Return a new broker behind the bench's proxy; its orders fill after two seconds."""
    with bench.own_broker(clock_scale=10, behaviour={"fill_delay_seconds": 2.0}) as process:
        yield process


def stop_in(bench: Bench, stack: Stack, arn: str, state: str) -> str:
    """Stop an execution as soon as it enters a state; return the final status."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        entered = [
            each["stateEnteredEventDetails"]["name"]
            for each in stack.history(arn)
            if "stateEnteredEventDetails" in each
        ]
        if state in entered:
            bench.aws.client("stepfunctions").stop_execution(executionArn=arn)
            break
        time.sleep(0.01)
    return str(stack.wait(arn)["status"])


@pytest.mark.parametrize("state", STATES)
def test_a_run_that_was_stopped_is_finished_by_the_same_input(
    bench: Bench, fresh: PaperBrokerProcess, state: str
) -> None:
    stack = bench.deploy()
    ended = stop_in(bench, stack, stack.start({}), state)
    # A function that was running at the stop continues while the next execution takes over.
    end = stack.wait(stack.start({}))
    assert ended in {"ABORTED", "SUCCEEDED"}  # a state may be over before the stop arrives
    assert end["status"] == "SUCCEEDED", end.get("cause")
    ids = [each["client_order_id"] for each in fresh.orders()]
    assert len(ids) == len(set(ids)) == 3
    assert {each["status"] for each in fresh.orders()} == {"filled"}


def test_a_run_by_hand_at_the_same_time_as_the_scheduled_one_trades_once(
    bench: Bench, fresh: PaperBrokerProcess, deployed: Stack
) -> None:
    day = SESSION.isoformat()
    arns = [deployed.start(each) for each in ({"scheduled_time": bench.bell}, {}, {})]
    ends = [deployed.wait(each) for each in arns]
    assert [each["status"] for each in ends] == ["SUCCEEDED"] * 3
    assert sum("already holds run" in each["output"] for each in ends) == 2
    ids = [each["client_order_id"] for each in fresh.orders()]
    assert len(ids) == len(set(ids)) == 3
    assert all(f"-{day}-day-" in each for each in ids)
