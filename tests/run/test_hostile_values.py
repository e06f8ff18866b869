"""More trials of the kind in tests/functions/test_hostile_values.py, for some minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support import hostile_trials as trials
from tests.support.examples import examples
from tests.support.hostile_day import World, event_world, worlds

FIRST_SEED = 10_000


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    with worlds(tmp_path_factory.mktemp("strategies")) as make:
        yield make


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("trial", "times"),
    [(trials.spoiled_input, 200), (trials.spoiled_settings, 300), (trials.spoiled_answers, 500)],
)
def test_a_day_of_hostile_values_ends_well_or_by_name_and_sends_nothing_beyond_its_decision(
    fresh: Callable[[], World], trial: trials.Trial, times: int
) -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + examples(times))

    assert trials.failures(trial, fresh, seeds) == []


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("fresh")
def test_a_hostile_event_ends_well_or_by_name_and_sends_nothing_beyond_its_decision() -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + examples(8000))

    assert trials.failures(trials.spoiled_event, event_world, seeds) == []
