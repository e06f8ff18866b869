"""The template's rule reports every end that the state machine could not report itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack
from local.sandbox.aws.template import read_template

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:desk"


def is_reported(aws: EmbeddedAws, **detail: Any) -> bool:
    properties = read_template()["Resources"]["UnreportedEnds"]["Properties"]
    pattern = properties["EventPattern"]["Fn::Sub"].replace("${TradingDay}", MACHINE)
    event = {
        "id": "1",
        "account": "000000000000",
        "source": "aws.states",
        "time": "2026-01-05T14:35:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"stateMachineArn": MACHINE, "name": "run", **detail},
    }
    answer = aws.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
    return bool(answer["Result"])


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
@pytest.mark.parametrize("error", [None, "", "States.Timeout", "StrategyError"])
def test_a_timed_out_or_aborted_run_is_reported(
    aws: EmbeddedAws, status: str, error: str | None
) -> None:
    assert is_reported(aws, status=status, error=error, cause=error)


@pytest.mark.parametrize(
    "error",
    ["States.Runtime", "States.DataLimitExceeded", "States.QueryEvaluationError", "", None],
)
def test_a_failure_that_no_task_could_catch_is_reported(
    aws: EmbeddedAws, error: str | None
) -> None:
    assert is_reported(aws, status="FAILED", error=error, cause="it broke")


def test_a_failure_of_unknown_kind_is_reported(aws: EmbeddedAws) -> None:
    assert is_reported(aws, status="FAILED")


def test_a_failure_that_no_text_reported_is_reported(aws: EmbeddedAws) -> None:
    assert is_reported(aws, status="FAILED", error="StrategyError", cause="NOT REPORTED: it broke")


@pytest.mark.parametrize("error", ["StrategyError", "UnexpectedOutcome", "Lambda.Unknown"])
def test_a_reported_failure_is_not_reported_again(aws: EmbeddedAws, error: str) -> None:
    assert not is_reported(aws, status="FAILED", error=error, cause="it broke")


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_a_run_that_did_not_fail_is_not_reported(aws: EmbeddedAws, status: str) -> None:
    assert not is_reported(aws, status=status, error=None, cause=None)


def test_another_machine_is_not_reported(aws: EmbeddedAws) -> None:
    other = MACHINE.replace("desk", "other")
    assert not is_reported(aws, stateMachineArn=other, status="ABORTED")


def test_the_deployed_rule_names_its_own_machine_and_keeps_the_null(
    aws: EmbeddedAws, stack: Stack
) -> None:
    events = aws.client("events")
    (rule,) = (
        each for each in events.list_rules()["Rules"] if each["Name"].startswith(f"{stack.name}-")
    )
    detail = json.loads(rule["EventPattern"])["detail"]
    assert detail["stateMachineArn"] == [stack.state_machine_arn]
    assert [None in each.get("error", []) for each in detail["$or"]] == [False, True, False]
