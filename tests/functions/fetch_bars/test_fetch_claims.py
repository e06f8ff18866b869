"""The run's lock decides between executions: duplicates, take-overs and past slots."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from algotrader.adapters.run_lock import Claim
from algotrader.errors import ConfigurationError, InvalidInputError
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.fetch_bars.conftest import ARN, World
from tests.functions.fetch_bars.runs import OTHER_ARN, claim_of, fail, handed_on, run_of


def test_a_second_execution_of_a_bell_is_a_duplicate(world: World) -> None:
    world.run()

    result = world.run(arn=OTHER_ARN)

    assert (result.outcome, result.run, result.snapshot) == ("DUPLICATE", None, None)
    assert ARN in result.message


def test_of_two_executions_at_once_one_is_the_duplicate(world: World) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def ring(arn: str) -> None:
        start.wait()
        outcomes.append(world.run(arn=arn).outcome)

    threads = [threading.Thread(target=ring, args=(arn,)) for arn in (ARN, OTHER_ARN)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(outcomes) == ["DUPLICATE", "OPEN"]


def test_a_failed_run_that_had_decided_continues_with_what_it_saw(world: World) -> None:
    first = world.run()
    world.decide(first)
    fail(world)
    world.bars["AAPL"] = []
    world.now = "2026-01-06T11:00:00-05:00"

    second = world.run(arn=OTHER_ARN)

    assert second.outcome == "OPEN"
    assert handed_on(second) == handed_on(first)
    assert run_of(second).deadline == run_of(first).deadline
    assert run_of(second).execution_arn == OTHER_ARN


def test_a_failed_run_that_had_not_decided_gathers_its_data_again(world: World) -> None:
    world.run()
    fail(world)
    world.now = "2026-01-06T09:50:00-05:00"

    second = world.run(arn=OTHER_ARN)

    assert run_of(second).deadline == datetime(2026, 1, 6, 15, 0, tzinfo=UTC)


def test_a_run_that_had_decided_more_than_the_input_allows_is_not_gone_on_with(
    world: World,
) -> None:
    world.decide(world.run(), "AAPL", "IBM")
    fail(world)

    with pytest.raises(InvalidInputError, match=r"RUN_DECIDED_MORE.*symbols=AAPL.*first input"):
        world.run({"symbols": ["IBM"]}, arn=OTHER_ARN)

    assert claim_of(world).state == "failed"
    assert world.run(arn=OTHER_ARN).outcome == "OPEN"


def test_a_run_that_had_decided_less_than_the_input_allows_stays_as_narrow(world: World) -> None:
    first = world.run({"symbols": ["IBM"]})
    world.decide(first, "IBM")
    fail(world)

    assert run_of(world.run(arn=OTHER_ARN)).entry_symbols == run_of(first).entry_symbols


def end(world: World, slot: str, state: Literal["running", "done", "failed"]) -> None:
    key = f"runs/2026-01-06/2026-01-06-{slot}/claim.json"
    world.store.write(key, Claim(OTHER_ARN, state, datetime(2026, 1, 6, tzinfo=UTC)))


@pytest.mark.parametrize("later", [None, "running"])
@pytest.mark.parametrize(
    "given", [{"slot": "0935"}, {"scheduled_time": "2026-01-06T14:35:00Z"}], ids=["hand", "bell"]
)
def test_a_slot_is_over_while_the_run_of_a_later_one_is_under_way_or_about_to_begin(
    world: World, given: Any, later: Literal["running"] | None
) -> None:
    # Two simultaneous runs would buy the same shares twice.
    world.environ["SLOTS"] = "0930,0935,0940,1200"
    world.now = "2026-01-06T09:41:00-05:00"
    if later:
        end(world, "0940", later)

    with pytest.raises(InvalidInputError, match=r"SLOT_OVER: slot=0935 later=0940"):
        world.run(given)

    assert not [each for each in world.stored() if "0935" in each]


@pytest.mark.parametrize("later", ["done", "failed"])
def test_an_earlier_slot_may_be_run_once_the_later_one_is_over(
    world: World, later: Literal["done", "failed"]
) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = "2026-01-06T09:41:00-05:00"
    end(world, "0940", later)

    assert run_of(world.run({"slot": "0935"})).slot == "0935"


@pytest.mark.parametrize(("now", "comes"), [("09:55:00", True), ("09:56:00", False)])
def test_a_later_bell_that_would_be_too_old_is_not_waited_for(
    world: World, now: str, comes: bool
) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = f"2026-01-06T{now}-05:00"

    if comes:
        with pytest.raises(InvalidInputError, match="SLOT_OVER"):
            world.run({"slot": "0935"})
    else:
        assert run_of(world.run({"slot": "0935"})).slot == "0935"


def test_a_dry_run_may_look_back_at_any_slot(world: World) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = "2026-01-06T09:41:00-05:00"

    assert run_of(world.run({"slot": "0935", "dry_run": True})).slot == "0935"


def test_a_run_that_another_desk_had_decided_is_not_gone_on_with(world: World) -> None:
    world.decide(world.run())
    fail(world)
    world.server.on("GET /v2/account", {**ACCOUNT, "account_number": "PA99"})

    with pytest.raises(ConfigurationError, match="RUN_OF_ANOTHER_DESK"):
        world.run(arn=OTHER_ARN)
