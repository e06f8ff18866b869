"""The desk is armed only if it can read a valid arming."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from algotrader.adapters import arming as module
from algotrader.adapters.arming import read_arming
from algotrader.adapters.aws import client
from algotrader.risk.arming import Arming

NAME = "/desk/live-arming"
NOW = datetime(2026, 1, 6, 14, 35, tzinfo=UTC)
END = datetime(2026, 2, 5, tzinfo=UTC)
TEMPLATE = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})


def deployed_at() -> str:
    (stack,) = client("cloudformation").describe_stacks(StackName="desk")["Stacks"]
    return str((stack.get("LastUpdatedTime") or stack["CreationTime"]).isoformat())


def put(text: str) -> None:
    client("ssm").put_parameter(Name=NAME, Value=text, Type="String", Overwrite=True)


def token(**changes: str) -> str:
    plain = {"account": "123", "expires_at": END.isoformat(), "deployed_at": deployed_at()}
    return json.dumps(plain | changes)


@pytest.fixture(autouse=True)
def deployed(aws: None) -> Iterator[None]:
    del aws
    client("cloudformation").create_stack(StackName="desk", TemplateBody=TEMPLATE)
    yield
    client("cloudformation").delete_stack(StackName="desk")
    client("ssm").delete_parameters(Names=[NAME])


def read() -> Arming:
    return read_arming(NAME, "desk", "123", NOW)


def test_a_token_arms_the_stack_that_was_just_created() -> None:
    put(token())
    assert read() == Arming(END, "")


def test_a_token_arms_until_the_next_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    put(token())
    created = datetime.fromisoformat(deployed_at())

    class Updated:
        """A fake CloudFormation for an updated stack, because moto reports no update time."""

        def describe_stacks(self, **_: str) -> dict[str, object]:
            return {"Stacks": [{"CreationTime": created, "LastUpdatedTime": NOW}]}

    real = module.client
    monkeypatch.setattr(
        module, "client", lambda name: Updated() if name == "cloudformation" else real(name)
    )
    assert read().problem.startswith("run algo-trader arm: the stack was deployed again")
    put(token(deployed_at=NOW.isoformat()))
    assert read().until == END


def test_without_a_token_nothing_is_armed() -> None:
    assert read().problem == f"run algo-trader arm: {NAME} is missing"


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "{}",
        "[]",
        '{"account": "123", "expires_at": "soon", "deployed_at": "now"}',
    ],
)
def test_what_is_not_a_token_arms_nothing(text: str) -> None:
    put(text)
    assert read().until is None
    assert "cannot be read" in read().problem


def test_an_end_without_an_offset_is_not_an_instant() -> None:
    put(token(expires_at="2027-01-01T00:00:00"))
    assert "cannot be read" in read().problem


@pytest.mark.parametrize("service", ["ssm", "cloudformation"])
@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied"}}, "Any"),
        ConnectTimeoutError(endpoint_url="http://h"),
    ],
)
def test_what_cannot_be_read_arms_nothing(
    monkeypatch: pytest.MonkeyPatch, service: str, error: Exception
) -> None:
    put(token())

    class Broken:
        def __getattr__(self, _: str) -> object:
            def fail(**_: str) -> None:
                raise error

            return fail

    real = module.client
    monkeypatch.setattr(module, "client", lambda name: Broken() if name == service else real(name))
    assert read().until is None
    assert "cannot be read" in read().problem
