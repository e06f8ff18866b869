"""The rules for the state machine's definition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from algotrader import errors
from algotrader.contracts import CONTRACT_VERSION
from algotrader.errors import DeskError
from tests.statemachine.scenarios import DIED, LEAVES, PLATFORM, STEPS, TRANSIENT, WAKING
from tests.statemachine.walks import ALL, Definition, delays, tasks

pytestmark = pytest.mark.asl

TITLE = re.compile(r"[A-Z][a-z]*( [A-Z][a-z]*)*\??")
EXPRESSION = re.compile(r"\{%.*%\}", re.DOTALL)
LONGEST_EXPRESSION = 160
WAKE_UP_SECONDS = 180
AWS_NAMES = {*WAKING, *PLATFORM, *DIED, ALL}


def leaves_of(kind: type[DeskError]) -> set[str]:
    below = kind.__subclasses__()
    return set().union(*(leaves_of(each) for each in below)) if below else {kind.__name__}


def names_in(rules: list[dict[str, Any]]) -> list[str]:
    return [name for rule in rules for name in rule["ErrorEquals"]]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from texts(child)


def test_the_leaves_that_the_tests_know_are_those_that_the_desk_raises() -> None:
    assert set(LEAVES) == leaves_of(errors.DeskError)
    assert set(TRANSIENT) == leaves_of(errors.TransientError)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_names_every_leaf_in_its_catch(definition: Definition, step: str) -> None:
    assert names_in(definition["States"][step]["Catch"]) == [*LEAVES, ALL]


def test_no_error_is_named_that_does_not_exist(definition: Definition) -> None:
    for name, task in tasks(definition).items():
        named = {*names_in(task["Retry"]), *names_in(task["Catch"])}
        assert named <= {*LEAVES, *AWS_NAMES}, name


def test_every_task_catches_everything_last_and_alone(definition: Definition) -> None:
    for name, task in tasks(definition).items():
        assert task["Catch"][-1]["ErrorEquals"] == [ALL], name
        assert ALL not in names_in(task["Catch"][:-1]), name


def test_every_call_of_a_function_retries_what_the_platform_may_do(definition: Definition) -> None:
    for name in [*STEPS, "Notify Failure"]:
        retried = names_in(definition["States"][name]["Retry"])
        assert {*WAKING, *PLATFORM} <= set(retried), name
        assert len(retried) == len(set(retried)), name


def test_an_image_that_wakes_up_gets_three_minutes(definition: Definition) -> None:
    for name in [*STEPS, "Notify Failure"]:
        (rule,) = [
            each
            for each in definition["States"][name]["Retry"]
            if set(each["ErrorEquals"]) == {*WAKING}
        ]
        assert "JitterStrategy" not in rule, name  # full jitter guarantees no minimum
        assert delays(rule) >= WAKE_UP_SECONDS, name


def test_transient_errors_are_retried_with_jitter_below_a_ceiling(definition: Definition) -> None:
    for name, task in tasks(definition).items():
        for rule in task["Retry"]:
            assert rule["BackoffRate"] > 1, name
            assert rule["MaxDelaySeconds"] <= 30, name
            if not {*rule["ErrorEquals"]} & {*WAKING, *DIED}:
                assert rule["JitterStrategy"] == "FULL", name


def test_only_submit_orders_repeats_a_function_that_died(definition: Definition) -> None:
    for name, task in tasks(definition).items():
        died = {*names_in(task["Retry"])} & {*DIED}
        assert died == ({*DIED} if name == "Submit Orders" else set()), name


def test_every_state_has_a_title_and_a_comment(definition: Definition) -> None:
    for name, state in definition["States"].items():
        assert TITLE.fullmatch(name), name
        assert state["Comment"].endswith("."), name


def test_every_task_has_a_literal_timeout(definition: Definition) -> None:
    for name, task in tasks(definition).items():
        assert isinstance(task["TimeoutSeconds"], int), name


def test_every_way_leads_to_a_state_and_every_state_is_reached(definition: Definition) -> None:
    def ways(state: dict[str, Any]) -> set[str]:
        found = {state[key] for key in ("Next", "Default") if key in state}
        return found | {rule["Next"] for key in ("Catch", "Choices") for rule in state.get(key, [])}

    states = definition["States"]
    seen, ahead = set(), {definition["StartAt"]}
    while ahead:
        name = ahead.pop()
        seen.add(name)
        ahead |= ways(states[name]) - seen
    assert seen == set(states)


def test_every_choice_compares_and_reports_its_default(definition: Definition) -> None:
    choices = [each for each in definition["States"].values() if each["Type"] == "Choice"]
    assert len(choices) == 3
    for choice in choices:
        assert choice["Default"] == "Notify Failure"
        assert choice["Assign"]["failure"]["error"] == "UnexpectedOutcome"
        for rule in choice["Choices"]:
            assert re.fullmatch(r"\{% \$states\.input\.outcome = '[A-Z_]+' %\}", rule["Condition"])


def test_expressions_are_short(definition: Definition) -> None:
    found = [text for text in texts(definition) if EXPRESSION.fullmatch(text)]
    assert len(found) > 40
    assert [text for text in found if len(text) > LONGEST_EXPRESSION] == []


def test_only_tasks_compute(definition: Definition) -> None:
    """Only a Task can catch a failed expression, so other states only read what a Task returned."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            continue
        for text in texts(state):
            if EXPRESSION.fullmatch(text) and " = '" not in text:
                assert re.fullmatch(r"\{% \$states\.(input|context)(\.\w+)+ %\}", text), name


def test_the_definition_is_json_with_nothing_that_yaml_alone_knows(definition: Definition) -> None:
    assert json.loads(json.dumps(definition)) == definition


def test_every_function_is_handed_the_version_of_the_contract(definition: Definition) -> None:
    assert definition["States"]["Start Run"]["Assign"]["contract"] == CONTRACT_VERSION
    payloads = [
        task["Arguments"]["Payload"]
        for task in tasks(definition).values()
        if "Payload" in task["Arguments"]
    ]
    assert len(payloads) == len(STEPS) + 1  # Notify Failure
    assert {each["contract"] for each in payloads} == {"{% $contract %}"}
