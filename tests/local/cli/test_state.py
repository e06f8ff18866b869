"""The kill switch commands change a deployed stack and report each obstacle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from algotrader.services.books import RESET_KEY, ResetPeak
from local.cli.app import run_command
from local.ops.trading_state import StackSwitch
from local.sandbox.aws import Stack
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from tests.local.cli.conftest import Command, Person

MINIMAL = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}


@pytest.fixture(scope="module", name="desk")
def fresh_desk() -> Iterator[LocalDesk]:
    """Return a desk that has bought nothing yet, so a halt has something to deny."""
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as standing:
        yield standing


@pytest.fixture
def parameter(desk: LocalDesk) -> Iterator[Callable[[], str]]:
    """Return a function that reads the shared desk's parameter, and delete it after the test."""
    ssm, name = desk.aws.client("ssm"), desk.stack.trading_state_parameter
    yield lambda: str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    ssm.delete_parameters(Names=[name])


@pytest.fixture(scope="module")
def live(desk: LocalDesk) -> Stack:
    values = {"TradingMode": "live", "LiveAccountNumber": "123"}
    return desk.aws.deploy("live-desk", values | dict.fromkeys(("AlpacaTradingUrl",), "http://h"))


def value_of(desk: LocalDesk, stack: Stack) -> str:
    ssm = desk.aws.client("ssm")
    return str(ssm.get_parameter(Name=stack.trading_state_parameter)["Parameter"]["Value"])


def test_a_reducing_desk_is_denied_its_buys(
    invoke: Command, desk: LocalDesk, parameter: Callable[[], str]
) -> None:
    assert invoke("reduce", "fewer shares")[0] == 0
    assert parameter() == "REDUCING fewer shares"
    document = desk.run({"dry_run": True}, date(2012, 2, 14)).document
    assert document["decision"]["entries"] == []
    assert {one["code"] for one in document["denied"]} == {"TRADING_REDUCING"}


def test_a_halted_desk_sends_nothing_a_resumed_one_trades(
    invoke: Command, desk: LocalDesk, parameter: Callable[[], str]
) -> None:
    status, out, _ = invoke("halt", "until", "I have looked")
    assert status == 0
    assert "before  missing, which a run treats as ACTIVE" in out
    assert "after   HALTED until I have looked" in out
    assert "TradingMode=paper" in out
    assert "run under way" in out
    assert parameter() == "HALTED until I have looked"
    document = desk.run({}, date(2012, 2, 15)).document
    assert document["execution"]["status"] == "SUCCEEDED"
    assert document["orders"] == []
    assert {one["code"] for one in document["denied"]} == {"TRADING_HALTED"}
    assert "until I have looked" in document["notification"]["email"]
    assert invoke("resume")[0] == 0
    assert parameter() == "ACTIVE"
    assert desk.run({}, date(2012, 2, 16)).document["orders"]


def test_setting_a_state_twice_changes_nothing_and_keeps_its_reason(
    invoke: Command, desk: LocalDesk, parameter: Callable[[], str]
) -> None:
    def version() -> int:
        found = desk.aws.client("ssm").get_parameter(Name=desk.stack.trading_state_parameter)
        return int(found["Parameter"]["Version"])

    invoke("halt", "broker is down")
    first = version()
    for again in (("halt",), ("halt", "broker is down")):
        status, out, _ = invoke(*again)
        assert status == 0
        assert "after   HALTED broker is down, unchanged" in out
    assert version() == first
    invoke("halt", "another reason")
    assert parameter() == "HALTED another reason"


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("two\nlines\tand \x1b[31m", "two lines and [31m"),
        ("see {{ssm:x}}", "see (ssm:x)"),
        ("x" * 300, "x" * 200),
        ("  ", ""),
    ],
)
def test_no_reason_prevents_a_halt(
    invoke: Command, parameter: Callable[[], str], reason: str, kept: str
) -> None:
    status, out, _ = invoke("halt", reason)
    assert status == 0
    assert parameter() == f"HALTED {kept}".strip()
    assert "\x1b" not in out


def test_a_reset_of_the_peak_is_stored_where_fetch_bars_reads_it(
    invoke: Command, desk: LocalDesk, parameter: Callable[[], str]
) -> None:
    invoke("reduce", "DRAWDOWN: 21 %")
    before = datetime.now(UTC)
    status, out, _ = invoke("resume", "--reset-peak")
    assert (status, parameter()) == (0, "ACTIVE")
    assert "peak    reset" in out
    body = desk.aws.client("s3").get_object(Bucket=desk.stack.bucket, Key=RESET_KEY)["Body"]
    found = msgspec.json.decode(body.read(), type=ResetPeak)
    assert before <= found.at <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["halted", "OFF", "HALTEDx now"])
def test_an_unknown_trading_state_is_shown_as_a_halt(
    invoke: Command, desk: LocalDesk, parameter: Callable[[], str], text: str
) -> None:
    desk.aws.client("ssm").put_parameter(
        Name=desk.stack.trading_state_parameter, Value=text, Type="String", Overwrite=True
    )
    status, out, _ = invoke("halt")
    assert status == 0
    assert f"before  {text!r}, which a run treats as HALTED" in out
    assert parameter() == "HALTED"


def test_a_live_stack_resumes_only_after_a_yes(
    invoke: Command, desk: LocalDesk, live: Stack, person: Person
) -> None:
    there = ("--stack", live.name)
    assert "missing, which a run treats as HALTED" in invoke("halt", *there)[1]
    status, _, err = invoke("resume", *there)
    assert (status, "--yes" in err) == (2, True)
    person(yes=False)
    assert invoke("resume", *there)[0] == 1
    assert value_of(desk, live) == "HALTED"
    person(yes=True)
    assert invoke("resume", *there)[0] == 0
    assert value_of(desk, live) == "ACTIVE"


def test_yes_is_for_scripts_and_an_active_desk_is_not_asked_about(
    invoke: Command, desk: LocalDesk, live: Stack
) -> None:
    there = ("--stack", live.name)
    assert invoke("halt", *there)[0] == 0
    assert invoke("resume", "--yes", "looked at it", *there)[0] == 0
    assert value_of(desk, live) == "ACTIVE looked at it"
    assert invoke("resume", *there)[0] == 0


def test_a_missing_or_foreign_stack_is_reported_in_one_line(
    invoke: Command, desk: LocalDesk
) -> None:
    status, out, err = invoke("halt", "--stack", "nope")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "there is no stack nope in us-east-1" in err
    desk.aws.client("cloudformation").create_stack(
        StackName="foreign", TemplateBody=json.dumps(MINIMAL)
    )
    status, out, err = invoke("halt", "--stack", "foreign")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "has no output TradingStateParameter" in err


SETTINGS = {
    "no region": (["halt"], {}, 2, "no region is set. Name one with --region"),
    "no credentials": (["halt", "--region", "us-east-1"], {}, 2, "credentials"),
    "no profile": (["halt", "--profile", "nope"], {}, 2, "nope"),
    "no URL": (["halt", "--endpoint-url", "foo"], {}, 2, "Invalid endpoint"),
    "nobody there": (["halt", "--endpoint-url", "http://127.0.0.1:9"], {}, 1, "Could not connect"),
    "half a key pair": (
        ["halt", "--region", "us-east-1"],
        {"AWS_ACCESS_KEY_ID": "x"},
        2,
        "credentials",
    ),
}


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "names"), SETTINGS.values(), ids=SETTINGS
)
def test_wrong_settings_are_reported_in_one_line(
    arguments: list[str],
    settings: dict[str, str],
    status: int,
    names: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert run_command(arguments) == status
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert names in err


@pytest.fixture
def as_user(
    desk: LocalDesk, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Run the command as an IAM user who may do only what the test names."""
    iam, name = desk.aws.client("iam"), "someone"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": request.param, "Resource": "*"}
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", desk.aws.endpoint_url)
    yield
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.delete_user(UserName=name)


@pytest.mark.parametrize(
    ("as_user", "names"),
    [
        (["s3:ListAllMyBuckets"], "cannot look up stack algo-trader: AccessDenied"),
        (
            ["cloudformation:DescribeStacks", "ssm:GetParameter"],
            "/algo-trader/trading-state was not changed: AccessDenied",
        ),
    ],
    indirect=["as_user"],
)
@pytest.mark.usefixtures("as_user")
def test_a_denial_of_aws_is_reported_in_one_line(
    names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["halt"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert names in err


@pytest.mark.parametrize(
    "as_user", [["cloudformation:DescribeStacks", "ssm:PutParameter"]], indirect=True
)
@pytest.mark.usefixtures("as_user")
def test_a_user_who_may_write_but_not_read_can_halt(
    parameter: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["halt"]) == 0
    assert "before  unknown: cannot read /algo-trader/trading-state" in capsys.readouterr().out
    assert parameter() == "HALTED"


def test_an_interrupted_question_has_changed_nothing(
    invoke: Command, desk: LocalDesk, live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("halt", "--stack", live.name)[0] == 0

    def ctrl_c(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", ctrl_c)
    status, _, err = invoke("resume", "--stack", live.name)
    assert (status, err.strip()) == (130, "algo-trader: interrupted; nothing was changed")
    assert value_of(desk, live) == "HALTED"


def test_after_a_ctrl_c_during_a_request_it_may_have_been_executed(
    invoke: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(StackSwitch, "write", ctrl_c)
    status, _, err = invoke("halt")
    assert status == 130
    assert "AWS may have executed the last request, so check again" in err
