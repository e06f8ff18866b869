"""Each function has its role's permissions and no others, evaluated as AWS would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack

PROBING = Path(__file__).with_name("probing")
STEPS = ["fetch-bars", "compute-indicators", "decide-orders", "submit-orders", "notify"]
JOURNAL = ["fetch-bars", "submit-orders", "notify"]
OTHER = "/other/parameter"


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield aws


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws) -> Stack:
    for name in (OTHER, "/desk/trading-state"):
        aws.client("ssm").put_parameter(Name=name, Value="ACTIVE", Type="String")
    return aws.deploy("desk", {}, PROBING)


def allowed(
    aws: EmbeddedAws, step: str, calls: list[tuple[str, str, dict[str, Any]]]
) -> list[bool]:
    """Make calls inside a step and return which ones its role allows."""
    answer = aws.client("lambda").invoke(
        FunctionName=f"desk-{step}", Payload=json.dumps({"calls": calls})
    )
    codes = json.load(answer["Payload"])["codes"]
    return [not code.startswith(("AccessDenied", "Authorization")) for code in codes]


@pytest.mark.parametrize(
    ("key", "writers"),
    [
        ("runs/2026-01-05/2026-01-05-day/claim.json", JOURNAL),
        ("runs/2026-01-05/2026-01-05-day/plan-001.json", JOURNAL),
        ("runs/2026-01-05/2026-01-05-day/states/features-0.json", STEPS),
        ("runs/2026-01-05/2026-01-05-day/dry-run/x/states/features-0.json", STEPS),
        ("ledger/abc123.json", ["fetch-bars"]),
        ("strategies/model.bin", []),
        ("elsewhere", []),
    ],
)
def test_a_step_writes_only_where_it_should(
    aws: EmbeddedAws, stack: Stack, key: str, writers: list[str]
) -> None:
    call = ("s3", "put_object", {"Bucket": stack.bucket, "Key": key, "Body": "x"})
    assert [step for step in STEPS if allowed(aws, step, [call]) == [True]] == writers


def test_a_missing_key_is_distinguished_from_a_forbidden_one(
    aws: EmbeddedAws, stack: Stack
) -> None:
    call = ("s3", "get_object", {"Bucket": stack.bucket, "Key": "runs/day/run/states/none"})
    for step in STEPS:
        assert allowed(aws, step, [call]) == [True], step


def test_a_step_that_runs_the_strategy_reads_no_more_of_the_journal_than_it_receives(
    aws: EmbeddedAws, stack: Stack
) -> None:
    call = ("s3", "get_object", {"Bucket": stack.bucket, "Key": "runs/day/run/claim.json"})
    assert [step for step in STEPS if allowed(aws, step, [call]) == [True]] == JOURNAL


def test_only_compute_indicators_reads_the_user_s_own_files(aws: EmbeddedAws, stack: Stack) -> None:
    aws.client("s3").put_object(Bucket=stack.bucket, Key="strategies/model.bin", Body=b"x")
    call = ("s3", "get_object", {"Bucket": stack.bucket, "Key": "strategies/model.bin"})
    readers = [step for step in STEPS if allowed(aws, step, [call]) == [True]]
    assert readers == ["compute-indicators"]


def test_only_what_talks_to_the_broker_reads_the_keys_and_the_kill_switch(
    aws: EmbeddedAws, stack: Stack
) -> None:
    names = [stack.keys_parameter, stack.trading_state_parameter, OTHER]
    calls = [("ssm", "get_parameter", {"Name": name, "WithDecryption": True}) for name in names]
    for step in STEPS:
        mine = step in {"fetch-bars", "submit-orders"}
        assert allowed(aws, step, calls) == [mine, mine, False], step


def test_only_fetch_bars_puts_a_parameter_and_only_the_kill_switch(
    aws: EmbeddedAws, stack: Stack
) -> None:
    # A loss limit sets the trading state. Keys, arming and other stacks' objects are out of reach.
    names = [stack.trading_state_parameter, stack.keys_parameter, "/desk/live-arming", OTHER]
    value = {"Value": "ACTIVE", "Overwrite": True}
    calls = [("ssm", "put_parameter", {"Name": name, **value}) for name in names]
    for step in STEPS:
        assert allowed(aws, step, calls) == [step == "fetch-bars", False, False, False], step


def test_only_notify_publishes(aws: EmbeddedAws, stack: Stack) -> None:
    call = ("sns", "publish", {"TopicArn": stack.topic_arn, "Message": "x"})
    assert [step for step in STEPS if allowed(aws, step, [call]) == [True]] == ["notify"]


def test_only_fetch_bars_reads_executions_and_only_this_machine_s(
    aws: EmbeddedAws, stack: Stack
) -> None:
    mine = stack.start({})
    stack.wait(mine)
    other = mine.replace(":desk:", ":other:")
    calls = [
        ("stepfunctions", "describe_execution", {"executionArn": arn}) for arn in (mine, other)
    ]
    for step in STEPS:
        assert allowed(aws, step, calls) == [step == "fetch-bars", False], step


def test_without_enforcement_every_call_is_let_through() -> None:
    with EmbeddedAws(wait_scale=0, enforce_iam=False) as aws:
        stack = aws.deploy("desk", {}, PROBING)
        call = ("s3", "put_object", {"Bucket": stack.bucket, "Key": "elsewhere", "Body": "x"})
        assert allowed(aws, "notify", [call]) == [True]


def test_a_run_goes_through_with_every_role_enforced(stack: Stack) -> None:
    assert stack.wait(stack.start({}))["status"] == "SUCCEEDED"
