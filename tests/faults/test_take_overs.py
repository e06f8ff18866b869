"""Tests a slice of the fault suite's take-overs. `make faults` runs all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from algotrader.adapters.settings import load_settings
from algotrader.contracts import sha256_of
from tests.faults.changes import CHANGES, DECISION, FETCHED, STAGES, Change
from tests.faults.explore import Scripted, Tally
from tests.faults.market import SETTINGS, STARTED, run_of
from tests.faults.simulation import World
from tests.faults.take_over import KILLS, Death, TakeOvers
from tests.faults.whole import environment
from tests.faults.wire import Wire
from tests.faults.worlds import RESTING

UNDECIDED, DECIDED, SENT = range(len(STAGES))
EVERY = 71  # take every n-th fault in Fetch Bars


@pytest.fixture(scope="module")
def lives() -> Iterator[TakeOvers]:
    wire = Wire(World(RESTING))
    with wire.tied():
        yield TakeOvers(wire)


@pytest.fixture(scope="module")
def deaths(lives: TakeOvers) -> tuple[Death, ...]:
    """Return one death at each stage, all in the first call."""
    start = lives.machine.start()
    _, asked = Scripted(lives.machine).step(start)
    names = [each.name for each in asked]
    stored, first_order = names.index("s3 PUT decision.json"), names.index("broker POST orders")
    (after,) = (each for each in KILLS if each.name == "kill-after")
    places = (stored - 1, stored, first_order)
    found = tuple(lives.death(start, place, after) for place in places)
    assert tuple(each.stage for each in found) == (UNDECIDED, DECIDED, SENT)
    return found


def test_the_first_fetch_bars_opens_the_run_that_the_suite_disturbs(lives: TakeOvers) -> None:
    machine = lives.machine
    assert load_settings(environment(SETTINGS)) == SETTINGS
    assert machine.first.settings is not None
    assert machine.first.settings.sha256 == sha256_of(SETTINGS)
    assert machine.first.run == run_of(machine.world.account_number, 1, STARTED)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_take_over_sends_nothing_but_what_was_decided(
    lives: TakeOvers, deaths: tuple[Death, ...], change: Change
) -> None:
    is_alike = len(set(change.wanted)) == 1
    stage = CHANGES.index(change) % len(STAGES) if is_alike else SENT
    tally = lives.judged(deaths[stage], change)
    assert (tally.examples, tally.plans) == ([], 1)


def test_a_fault_in_fetch_bars_keeps_no_run_from_its_end(
    lives: TakeOvers, deaths: tuple[Death, ...]
) -> None:
    slots = [(death, *slot) for death in deaths for slot in lives.slots(death)]
    tally = Tally()
    for slot in slots[::EVERY]:
        tally.add(lives.judged_fault(*slot))
    assert tally.plans > 10
    assert (tally.examples, tally.endings["failed"]) == ([], 0)


def test_a_take_over_that_believes_the_bucket_is_caught(
    lives: TakeOvers, deaths: tuple[Death, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the take-over did not ask Step Functions, a forged journal could buy shares."""

    def results_of(_arn: str, _states: object) -> dict[str, Any]:
        bucket = lives.machine.world.state.bucket
        fetched, decision = (json.loads(bucket[each]) for each in (FETCHED, DECISION))
        handed_on = {name: {"inline": fetched.pop(name)} for name in ("settings", "snapshot")}
        result = {"outcome": "OPEN", "message": "", **fetched, **handed_on}
        del decision["contract"]
        decided = {"outcome": "SUBMIT", "decision": {"inline": decision}, "plan": {"inline": {}}}
        return {"Fetch Bars": result, "Decide Orders": decided}

    def found() -> Tally:
        (forged,) = (each for each in CHANGES if each.name == "journal forged")
        return lives.judged(deaths[DECIDED], forged)

    assert found().examples == []
    monkeypatch.setattr("fetch_bars.take_over.results_of", results_of)
    (example,) = found().examples
    assert "unexplained terms" in example


def test_a_take_over_that_ignores_a_deploy_is_caught(
    lives: TakeOvers, deaths: tuple[Death, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (deployed,) = (each for each in CHANGES if each.name == "deployed MaxOrderNotional")
    monkeypatch.setattr("fetch_bars.take_over.settings_changes", lambda *_: ())
    (example,) = lives.judged(deaths[SENT], deployed).examples
    assert "unexplained end: exact" in example
