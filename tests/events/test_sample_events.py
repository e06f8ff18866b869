"""Every sample event does what its name says in the real function."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.sessions import DEFAULT_SESSION
from local.sandbox.sample_events import DEFAULTS
from tests.support.event_expectations import EVENTS, EXPECTED, STEPS, event


@pytest.fixture(scope="module")
def desk() -> Iterator[LocalDesk]:
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as opened:
        assert opened.paper_broker is not None
        opened.paper_broker.open_session(DEFAULT_SESSION)
        yield opened


def test_every_step_has_a_happy_event_and_two_others_and_every_file_is_expected() -> None:
    files = {f"{step}/{path.stem}" for step in STEPS for path in (EVENTS / step).glob("*.json")}
    assert files == set(EXPECTED)
    for step in STEPS:
        assert sum(name.startswith(f"{step}/") for name in files) >= 3


def test_no_event_repeats_a_default_so_that_a_new_limit_changes_none() -> None:
    repeated = {
        f"{name}: {field}"
        for name in EXPECTED
        for field, value in (event(name).get("settings") or {"inline": {}})["inline"].items()
        if field in DEFAULTS and value == DEFAULTS[field]
    }
    assert repeated == set()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_event_does_what_its_name_says(desk: LocalDesk, name: str) -> None:
    function = f"algo-trader-{name.partition('/')[0].replace('_', '-')}"
    answer = desk.aws.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(event(name))
    )
    EXPECTED[name](json.load(answer["Payload"]), desk)
