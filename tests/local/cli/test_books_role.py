"""The commands write the books only through the stack's role.

The tests' user may describe the stack, read the keys, list executions and assume the role, as
docs/operations.md requires. The embedded AWS checks every call against these permissions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.runner.desk import STACK, LocalDesk
from tests.local.cli.conftest import Command, Outcome, desk_of_a_user
from tests.template.needs import resource_ids

ROLE = "BooksRole"
# Without s3:ListBucket, AWS answers 403 for a missing key. The embedded AWS always answers 404.
UNENFORCED = {"s3:ListBucket"}
NEWEST = "its newest version"
COMMANDS = {
    "adopt": ("adopt", "IBM", "2"),
    "release": ("release", "IBM", "1"),
    "reset-peak": ("resume", "--reset-peak"),
    "restore": ("restore", "reset-peak.json", NEWEST),
}


@pytest.fixture(scope="module", name="desk")
def desk_of_one_user() -> Iterator[LocalDesk]:
    with desk_of_a_user("AAPL,IBM", IBM="30") as standing:
        yield standing


def statement(action: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class Operator:
    """A user with a profile and the permissions that the docs require."""

    def __init__(self, desk: LocalDesk, folder: Path) -> None:
        self.iam, self.stack = desk.aws.client("iam"), desk.stack
        self.iam.create_user(UserName="operator")
        key = self.iam.create_access_key(UserName="operator")["AccessKey"]
        self.config = folder / "config"
        self.config.write_text(
            f"[profile operator]\nregion = us-east-1\naws_access_key_id = {key['AccessKeyId']}\n"
            f"aws_secret_access_key = {key['SecretAccessKey']}\n"
        )
        self.permit()

    def permit(self, *, assumes: bool = True) -> None:
        """Grant the permissions that the docs name, with or without the role."""
        account = self.stack.outputs[ROLE].split(":")[4]
        parameter = f"arn:aws:ssm:us-east-1:{account}:parameter"
        allowed = [
            statement("cloudformation:DescribeStacks", "*"),
            statement("ssm:GetParameter", f"{parameter}/{STACK}/alpaca-keys"),
            statement(
                ["ssm:GetParameter", "ssm:PutParameter"],
                parameter + self.stack.trading_state_parameter,
            ),
            statement("states:ListExecutions", self.stack.state_machine_arn),
        ]
        if assumes:
            allowed.append(statement("sts:AssumeRole", self.stack.outputs[ROLE]))
        self.iam.put_user_policy(
            UserName="operator", PolicyName="operates", PolicyDocument=document(*allowed)
        )


def newest(desk: LocalDesk, name: str) -> str:
    """Return the newest version of an existing object of the books."""
    answer = desk.aws.client("s3").head_object(Bucket=desk.stack.bucket, Key=f"ledger/{name}")
    return str(answer["VersionId"])


@pytest.fixture(scope="module")
def operator(desk: LocalDesk, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(desk, tmp_path_factory.mktemp("aws"))


@pytest.fixture(name="invoke")
def invoke_as_the_operator(
    invoke: Command, desk: LocalDesk, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Return a function that runs a command as the operator and replaces NEWEST with a version."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(operator.config))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(*arguments: str) -> Outcome:
        if arguments[-1] == NEWEST:
            arguments = (*arguments[:-1], newest(desk, arguments[-2]))
        return invoke(*arguments, "--profile", "operator")

    return run


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_user_with_the_documented_permissions_changes_the_books(
    invoke: Command, command: tuple[str, ...]
) -> None:
    status, _, err = invoke(*command)
    assert (status, err) == (0, "")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_user_who_may_not_assume_the_role_changes_nothing_and_reads_its_name(
    invoke: Command, desk: LocalDesk, operator: Operator, command: tuple[str, ...]
) -> None:
    operator.permit(assumes=False)
    try:
        status, _, err = invoke(*command)
    finally:
        operator.permit()
    assert (status, err.count("\n")) == (1, 1)
    assert f"cannot assume the role {desk.stack.outputs[ROLE]}: AccessDenied" in err


def test_one_of_the_commands_fails_without_each_permission_of_the_role(
    invoke: Command, desk: LocalDesk
) -> None:
    iam, name = desk.aws.client("iam"), resource_ids(desk.aws, desk.stack)[ROLE]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    grants = [
        (action, each["Resource"])
        for each in whole["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]
    unmissed = set()
    for taken in grants:
        left = [statement(*each) for each in grants if each != taken]
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document(*left))
        if all(invoke(*command)[0] == 0 for command in COMMANDS.values()):
            unmissed.add(taken[0])
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(whole))
    assert unmissed == UNENFORCED
    assert all(invoke(*command)[0] == 0 for command in COMMANDS.values())
