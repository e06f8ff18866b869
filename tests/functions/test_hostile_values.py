"""A step ends well or in a named error, whatever its input, settings, events and broker contain.

Each trial's number seeds the faults that it injects: `tests/support/hostile_trials.py`. This file
runs a few seconds of trials. `make test-runs` runs more, and EXAMPLES sets the number of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support import hostile_trials as trials
from tests.support.examples import examples
from tests.support.hostile_day import World, beyond, event_world, reached, worlds


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    with worlds(tmp_path_factory.mktemp("strategies")) as make:
        yield make


def test_the_day_without_faults_sells_buys_and_protects(fresh: Callable[[], World]) -> None:
    world = fresh()
    with reached(world):
        day = world.live()

    assert day.leaf is None
    assert [(each["symbol"], each["side"], each["type"]) for each in day.posts] == [
        ("MSFT", "buy", "limit"),  # its cash is there, and the exits wait for their stops
        ("AAPL", "sell", "limit"),
        ("IBM", "sell", "limit"),
        ("MSFT", "sell", "stop"),
        ("IBM", "sell", "stop"),
    ]
    assert beyond(day) == []
    assert len(day.email.splitlines()) > 30


def test_an_order_beyond_the_decision_is_seen(fresh: Callable[[], World]) -> None:
    world = fresh()
    with reached(world):
        day = world.live()
    entry, exit_, _, _, stop = day.posts
    more = [
        {**exit_, "qty": "50"},
        {**exit_, "symbol": "IBM"},
        {**exit_, "limit_price": "1"},
        {**stop, "qty": "148"},
        {**stop, "stop_price": "1"},
        {**entry, "client_order_id": "at1-x"},
    ]

    assert [len(beyond(type(day)(decision=day.decision, posts=[each]))) for each in more] == [1] * 6


@pytest.mark.parametrize(
    ("trial", "times"),
    [(trials.spoiled_input, 25), (trials.spoiled_settings, 35), (trials.spoiled_answers, 40)],
)
def test_a_day_of_hostile_values_ends_well_or_by_name_and_sends_nothing_beyond_its_decision(
    fresh: Callable[[], World], trial: trials.Trial, times: int
) -> None:
    assert trials.failures(trial, fresh, range(examples(times))) == []


@pytest.mark.usefixtures("fresh")
def test_a_hostile_event_ends_well_or_by_name_and_sends_nothing_beyond_its_decision() -> None:
    seeds = range(examples(400))

    assert trials.failures(trials.spoiled_event, event_world, seeds) == []
