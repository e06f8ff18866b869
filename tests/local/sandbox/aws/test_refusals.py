"""The embedded AWS refuses what AWS refuses but ministack accepts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack

#: 256 KiB of UTF-8 JSON: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LIMIT = 262_144
ALL_VARIABLES = 10 * 1024 * 1024
TOO_MUCH = "States.DataLimitExceeded"
CATCH = {
    "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}],
    "Catch": [
        {"ErrorEquals": [TOO_MUCH, "States.Runtime"], "Next": "Caught"},
        {"ErrorEquals": ["States.ALL"], "Next": "Caught"},
    ],
}
NUMBERS = itertools.count()

#: Returns text, so its result is {"StatusCode":200,"Payload":"..."}.
HANDLER = "def lambda_handler(event, context):\n    return event['letter'] * event['times']\n"

State = dict[str, Any]
Walked = Mapping[str, Any]
WalkStates = Callable[..., Walked]


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield aws


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("functions")
    (folder / "notify").mkdir()
    (folder / "notify" / "app.py").write_text(HANDLER, encoding="utf-8")
    return aws.deploy("desk", {}, folder)


@pytest.fixture(scope="module")
def walk(aws: EmbeddedAws, stack: Stack) -> WalkStates:
    """Return a function that walks a small machine and describes the execution's end."""
    step_functions = aws.client("stepfunctions")
    real = step_functions.describe_state_machine(stateMachineArn=stack.state_machine_arn)
    role = real["roleArn"]

    def walk(value: object = None, **states: State) -> Walked:
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": next(iter(states)),
            "States": states | {"Caught": {"Type": "Pass", "Output": "caught", "End": True}},
        }
        machine = step_functions.create_state_machine(
            name=f"small-{next(NUMBERS)}", definition=json.dumps(definition), roleArn=role
        )
        started = step_functions.start_execution(
            stateMachineArn=machine["stateMachineArn"], input=json.dumps(value or {})
        )
        return stack.wait(started["executionArn"])

    return walk


def text(size: int, around: str, letter: str = "x") -> str:
    """Return an expression for a text that brings the JSON to the given size."""
    times = (size - len(around)) // len(letter.encode())
    return f"{{% $pad('', {times}, '{letter}') %}}"


def output(size: int) -> State:
    around = '{"text":""}'
    return {"Type": "Pass", "Output": {"text": text(size, around)}, "End": True}


def output_beyond_ascii(size: int) -> State:
    return {"Type": "Pass", "Output": text(size, '""' + "x" * (size % 2), "é"), "End": True}


def one_variable(size: int) -> State:
    assign = {"one": text(size, '{"one":""}')}
    return {"Type": "Pass", "Assign": assign, "Output": {}, "End": True}


def two_variables(size: int) -> State:
    half = LIMIT // 2
    assign = {
        "one": text(half, '{"one":"",'),
        "two": text(size - half, '"two":""}'),
    }
    return {"Type": "Pass", "Assign": assign, "Output": {}, "End": True}


def result(size: int) -> State:
    return notify({"letter": "x", "times": size - len('{"StatusCode":200,"Payload":""}')})


def arguments(size: int) -> State:
    function = '"FunctionName":"desk-notify"'
    around = f'{{{function},"Payload":{{"letter":"","times":0,"more":""}}}}'
    return notify({"letter": "", "times": 0, "more": text(size, around)})


def notify(payload: State) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "desk-notify", "Payload": payload},
        "Output": {},
        "End": True,
        **CATCH,
    }


SIZED = [output, output_beyond_ascii, one_variable, two_variables, result, arguments]


@pytest.mark.parametrize("state", SIZED)
def test_a_value_of_256_kib_passes(walk: WalkStates, state: Callable[[int], State]) -> None:
    assert walk(Sized=state(LIMIT))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("state", SIZED)
def test_a_larger_value_ends_the_execution_and_nothing_catches_it(
    walk: WalkStates, state: Callable[[int], State]
) -> None:
    beyond = 2 if state is output_beyond_ascii else 1
    end = walk(Sized=state(LIMIT + beyond))
    assert (end["status"], end.get("error")) == ("FAILED", TOO_MUCH)
    assert "exceeding the maximum number of bytes" in end["cause"]


def test_a_value_too_large_is_not_tried_again(stack: Stack, walk: WalkStates) -> None:
    end = walk(Sized=result(LIMIT + 1))
    events = [event["type"] for event in stack.history(end["executionArn"])]
    assert events.count("TaskScheduled") == 1
    assert events[-2:] == ["TaskFailed", "ExecutionFailed"]
    assert "TaskSucceeded" not in events


def test_all_variables_together_have_their_limit(walk: WalkStates) -> None:
    names = [f"v{number}" for number in range(ALL_VARIABLES // LIMIT)]
    assign = [{name: "{% $states.input %}"} for name in names]
    less, more = {"v0": ""}, {"more": "x" * 5000}
    value = "x" * (LIMIT - 100)

    def walk_through(*assigned: State) -> Walked:
        states = {
            f"State {number}": {"Type": "Pass", "Assign": each, "Next": f"State {number + 1}"}
            for number, each in enumerate(assigned)
        }
        last = {f"State {len(assigned)}": {"Type": "Pass", "Output": {}, "End": True}}
        return walk(value, **states, **last)

    assert walk_through(*assign, more, more)["error"] == TOO_MUCH
    assert walk_through(*assign, less, more)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("size", "is_taken"), [(LIMIT, True), (LIMIT + 1, False)])
def test_an_execution_s_input_has_the_same_limit(
    aws: EmbeddedAws, walk: WalkStates, size: int, is_taken: bool
) -> None:
    state: State = {"Type": "Pass", "Output": {}, "End": True}
    value = "x" * (size - 2)
    if is_taken:
        assert walk(value, First=state)["status"] == "SUCCEEDED"
    else:
        error = aws.client("stepfunctions").exceptions.ClientError
        with pytest.raises(error, match=r"ValidationException.*less than or equal to 262144"):
            walk(value, First=state)


def test_an_assign_sees_what_the_variables_were_before_it(walk: WalkStates) -> None:
    start: State = {"Type": "Pass", "Assign": {"one": 1, "two": 2}, "Output": {}, "Next": "Swap"}
    swap: State = {
        "Type": "Pass",
        "Assign": {"one": "{% $two %}", "two": "{% $one %}"},
        "Output": {},
        "Next": "Show",
    }
    show: State = {"Type": "Pass", "Output": "{% [$one, $two] %}", "End": True}
    assert json.loads(walk(Start=start, Swap=swap, Show=show)["output"]) == [2, 1]
    unset = start | {"Assign": {"one": 1, "two": "{% $one %}"}}
    assert walk(Start=unset, Swap=swap, Show=show)["error"] == "States.QueryEvaluationError"


@pytest.mark.parametrize("condition", ["{% 'true' %}", "{% 1 %}", "{% [true] %}", "{% {} %}"])
def test_a_condition_that_is_not_true_or_false_fails(walk: WalkStates, condition: str) -> None:
    end = walk(Choose=choice(condition), Done={"Type": "Succeed"})
    assert end.get("error") == "States.QueryEvaluationError"
    assert "Expected 'boolean'" in end["cause"]


@pytest.mark.parametrize(("condition", "output"), [("{% 1 = 1 %}", {}), ("{% 1 = 2 %}", "caught")])
def test_a_condition_that_is_true_or_false_chooses(
    walk: WalkStates, condition: str, output: object
) -> None:
    end = walk(Choose=choice(condition), Done={"Type": "Succeed"})
    assert json.loads(end["output"]) == output


def choice(condition: str) -> State:
    choices = [{"Condition": condition, "Next": "Done"}]
    return {"Type": "Choice", "Choices": choices, "Default": "Caught"}


def test_nothing_catches_a_runtime_error(walk: WalkStates) -> None:
    unknown = {"Type": "Task", "Resource": "arn:aws:states:::no:such", "End": True, **CATCH}
    assert walk(Unknown=unknown).get("error") == "States.Runtime"


@pytest.mark.parametrize(("field", "most"), [("Error", 256), ("Cause", 32_768)])
def test_what_a_fail_state_says_has_a_limit(walk: WalkStates, field: str, most: int) -> None:
    for length, error in ((most, None), (most + 1, "States.Runtime")):
        said = {"Error": "Own", "Cause": "why"} | {field: "x" * length}
        end = walk(Fail={"Type": "Fail", **said})
        expected = said if error is None else {"Error": error}
        assert end["error"] == expected["Error"]
        assert len(end["cause"]) <= 32_768


@pytest.mark.parametrize(
    ("subject", "is_taken"),
    [
        ("x" * 99, True),
        ("x" * 100, False),
        ("café", True),
        ("two\nlines", False),
        ("a\ttab", False),
        ("a\u2028line", False),
    ],
)
def test_a_subject_is_one_line_of_fewer_than_100_characters(
    aws: EmbeddedAws, stack: Stack, subject: str, is_taken: bool
) -> None:
    sns = aws.client("sns")
    if is_taken:
        sns.publish(TopicArn=stack.topic_arn, Subject=subject, Message="words")
    else:
        with pytest.raises(sns.exceptions.InvalidParameterException, match="Subject"):
            sns.publish(TopicArn=stack.topic_arn, Subject=subject, Message="words")
