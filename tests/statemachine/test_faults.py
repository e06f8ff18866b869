"""Only Tasks fail, whatever a function does, and every way to die has its branch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack
from tests.statemachine.conftest import SCRIPTED, reported, walk
from tests.statemachine.scenarios import always, gives
from tests.statemachine.walks import Walk

LIMIT = 128 * 1024  # half the size that AWS refuses with an error that no state can catch
INLINE = 16 * 1024
MESSAGE = {"long": 9_000}  # the runtime client also sends it in a header with a size limit


@pytest.fixture(scope="module")
def impatient(aws: EmbeddedAws) -> Stack:
    """Return a stack that stops Submit Orders and leaves Decide Orders after one second."""

    def rewrite(template: dict[str, Any]) -> dict[str, Any]:
        template["Resources"]["SubmitOrders"]["Properties"]["Timeout"] = 1
        machine = template["Resources"]["TradingDay"]["Properties"]
        machine["Definition"]["States"]["Decide Orders"]["TimeoutSeconds"] = 1
        return template

    return aws.deploy("impatient", {}, SCRIPTED, rewrite=rewrite)


def play(stack: Stack, script: Mapping[str, Any], **fields: Any) -> Walk:
    return walk(stack, {"script": script, **fields})


@pytest.mark.parametrize(
    ("action", "error"), [({"sleep": 2}, "Sandbox.Timedout"), ({"exit": 3}, "Runtime.ExitError")]
)
def test_a_submit_that_dies_is_called_again_with_the_same_plan(
    impatient: Stack, action: dict[str, Any], error: str
) -> None:
    done = play(impatient, {"Submit Orders": [action, {}]})
    assert done.status == "SUCCEEDED"
    assert done.failures("Submit Orders") == [error]
    assert done.results("Submit Orders")[0]["plan"]["inline"]["sequence"] == 1


def test_a_submit_that_keeps_dying_fails_the_run(impatient: Stack) -> None:
    done = play(impatient, {"Submit Orders": [{"exit": 3}]})
    assert done.failures("Submit Orders") == ["Runtime.ExitError"] * 3
    assert (done.status, done.error) == ("FAILED", "Runtime.ExitError")


def test_another_step_that_dies_fails_the_run_at_once(impatient: Stack) -> None:
    done = play(impatient, {"Compute Indicators": [{"exit": 3}]})
    assert done.failures("Compute Indicators") == ["Runtime.ExitError"]
    assert (done.status, done.error) == ("FAILED", "Runtime.ExitError")


def test_a_state_that_waits_too_long_fails_the_run(impatient: Stack) -> None:
    done = play(impatient, {"Decide Orders": [{"sleep": 2}]})
    assert (done.status, done.error) == ("FAILED", "States.Timeout")
    assert done.states[-2:] == ["Notify Failure", "Run Failed"]


@pytest.mark.parametrize("result", [None, "text", 5, [], {}, {"outcome": "OPEN"}, {"outcome": {}}])
@pytest.mark.parametrize("step", ["Fetch Bars", "Compute Indicators", "Submit Orders", "Notify"])
def test_an_impossible_result_fails_the_run_and_is_reported(
    stack: Stack, step: str, result: object
) -> None:
    done = play(stack, {step: [{"result": result}]})
    assert done.status == "FAILED"
    assert done.states[-2:] == ["Notify Failure", "Run Failed"]


@pytest.mark.parametrize("seconds", [0, 2, 2.7, -3, 10**9])
def test_a_run_can_wait_for_any_number_of_seconds(stack: Stack, seconds: float) -> None:
    working = gives(outcome="WORKING", wait_seconds=seconds)
    done = play(stack, {"Submit Orders": [*working, {}]})
    assert done.status == "SUCCEEDED"
    waits = [
        json.loads(event["stateEnteredEventDetails"]["input"])["wait_seconds"]
        for event in done.history
        if event["type"] == "WaitStateEntered"
    ]
    assert waits == [min(60, max(0, int(seconds)))]


@pytest.mark.parametrize("seconds", ["5", [5], {}])
def test_a_wait_that_is_no_number_fails_where_it_is_caught(stack: Stack, seconds: object) -> None:
    done = play(stack, {"Submit Orders": gives(outcome="WORKING", wait_seconds=seconds)})
    assert done.states[-3:] == ["Submit Orders", "Notify Failure", "Run Failed"]


@pytest.mark.parametrize("result", [None, {}, {"error": None, "cause": ""}, {"error": "E"}, "x"])
def test_the_direct_publish_reports_the_failure_after_an_odd_answer_of_notify(
    stack: Stack, result: object
) -> None:
    script = {"Fetch Bars": always("StaleBarsError"), "Notify Failure": [{"result": result}]}
    done = play(stack, script)
    assert done.states[-3:] == ["Notify Failure", "Publish Failure", "Run Failed"]
    assert done.error == "StaleBarsError"


def test_a_submit_call_without_a_submission_keeps_the_last_one_for_the_report(
    stack: Stack,
) -> None:
    last = {"inline": {"orders": ["sent"]}}
    calls = [
        *gives(outcome="WORKING", wait_seconds=0, submission=last),
        *gives(outcome="WORKING", wait_seconds=0, submission=None),
        *always("BrokerAuthError"),
    ]
    assert reported_of(play(stack, {"Submit Orders": calls}))["submission"] == last
    unread = [*gives(outcome="WORKING", wait_seconds=0, submission=None), *calls[2:]]
    assert reported_of(play(stack, {"Submit Orders": unread}))["submission"] is None


def test_long_errors_and_causes_are_cut_to_what_aws_takes(stack: Stack) -> None:
    done = play(stack, {"Decide Orders": [{"raise": {"long": 400}, "message": MESSAGE}]})
    failure = reported_of(done)["failure"]
    assert failure["error"] == "ä" * 256
    assert len(failure["cause"]) == 8192
    assert done.error == "ä" * 256
    assert done.cause is not None
    assert len(done.cause) < 32_768


def test_long_answers_of_notify_are_cut_to_what_aws_takes(stack: Stack) -> None:
    answer = gives(error={"long": 400}, cause={"long": 40_000})
    done = play(stack, {"Fetch Bars": always("StaleBarsError"), "Notify Failure": answer})
    assert done.error == "ä" * 256
    assert done.cause == "ä" * 16_384


def test_a_missing_cause_does_not_break_the_report(stack: Stack) -> None:
    done = play(stack, {"Fetch Bars": [{"raise": "StaleBarsError", "message": ""}]})
    assert done.error == "StaleBarsError"


def test_texts_that_look_like_expressions_stay_texts(stack: Stack) -> None:
    odd = "{% $states.context %}"
    done = play(stack, {"Fetch Bars": gives(outcome="CLOSED", message=odd)})
    assert done.output == {"outcome": "CLOSED", "message": odd}


ARTIFACT = {"inline": {"long": INLINE // 2}}  # two bytes per letter
PLAN = {"inline": {"sequence": 0, "orders": {"long": INLINE // 2}}}
LARGEST = {
    "Fetch Bars": gives(bars=ARTIFACT, snapshot=ARTIFACT, settings={"symbols": {"long": 3000}}),
    "Compute Indicators": gives(features=ARTIFACT),
    "Decide Orders": gives(decision=ARTIFACT, plan=PLAN),
    "Submit Orders": gives(submission=ARTIFACT, plan=PLAN),
    "Notify": [{"raise": "Boom", "message": MESSAGE}],
}


def size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def reported_of(done: Walk) -> dict[str, Any]:
    """Return the event of Notify Failure: every variable except bars and plan."""
    event: dict[str, Any] = json.loads(done.results("Notify Failure")[0]["email"])
    return event


def payloads(done: Walk) -> dict[str, int]:
    """Return the sizes of all texts in the history, except the handlers' echoes of events."""
    return {
        f"{event['id']} {event['type']} {field}": len(value.encode())
        for event in done.history
        if event["type"] not in {"TaskSucceeded", "TaskStateExited"}
        for details in event.values()
        if isinstance(details, dict)
        for field, value in details.items()
        if isinstance(value, str)
    }


def test_the_largest_run_stays_far_below_the_limits_of_step_functions(stack: Stack) -> None:
    done = play(stack, LARGEST)
    assert done.error == "Boom"
    assert size(reported_of(done)) + 2 * INLINE < LIMIT  # bars and plan
    assert max(payloads(done).values()) < LIMIT


def test_an_input_of_any_size_leaves_room_for_the_report(stack: Stack) -> None:
    done = play(stack, LARGEST, Comment="c" * 120_000)
    assert done.error == "Boom"
    assert len(reported_of(done)["input"]) == 4096
    assert size(reported_of(done)) < LIMIT
    assert max(payloads(done).values()) < LIMIT


@pytest.mark.parametrize("step", ["Fetch Bars", "Compute Indicators", "Notify"])
def test_the_rule_reports_a_result_that_step_functions_refuses(stack: Stack, step: str) -> None:
    too_large = gives(snapshot={"long": LIMIT}, features={"long": LIMIT}, sms={"long": LIMIT})
    done = play(stack, {step: too_large})
    assert (done.status, done.error) == ("FAILED", "States.DataLimitExceeded")
    assert done.states[-1] == step
    assert reported(stack, f"run {done.arn.rpartition(':')[2]} of scripted ended FAILED")


def test_the_rule_reports_an_aborted_run(stack: Stack, aws: EmbeddedAws) -> None:
    arn = stack.start({"script": {"Fetch Bars": [{"sleep": 2}]}})
    aws.client("stepfunctions").stop_execution(executionArn=arn)
    assert stack.wait(arn)["status"] == "ABORTED"
    assert reported(stack, f"run {arn.rpartition(':')[2]} of scripted ended ABORTED")
