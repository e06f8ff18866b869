"""Stacks deploy, update and report their outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.aws import DeploymentProblem, EmbeddedAws, Stack, Text

PROBING = Path(__file__).with_name("probing")


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield aws


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws) -> Stack:
    return aws.deploy("desk", {"Capital": "1000"}, PROBING)


def probe(aws: EmbeddedAws, stack: str, step: str) -> dict[str, Any]:
    answer = aws.client("lambda").invoke(FunctionName=f"{stack}-{step}", Payload=b"{}")
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


def keys_of(aws: EmbeddedAws, stack: Stack) -> dict[str, Any]:
    parameter = aws.client("ssm").get_parameter(Name=stack.keys_parameter, WithDecryption=True)
    assert parameter["Parameter"]["Type"] == "SecureString"
    found: dict[str, Any] = json.loads(parameter["Parameter"]["Value"])
    return found


def test_a_parameter_reaches_fetch_bars_as_its_variable(aws: EmbeddedAws, stack: Stack) -> None:
    environment = probe(aws, stack.name, "fetch-bars")["environment"]
    assert environment["CAPITAL"] == "1000"
    assert environment["STACK_NAME"] == "desk"
    assert environment["BUCKET"] == stack.bucket
    assert environment["ALPACA_KEYS_PARAMETER"] == stack.keys_parameter == "/desk/alpaca-keys"
    assert environment["TRADING_STATE_PARAMETER"] == "/desk/trading-state"


def test_a_handler_runs_in_the_folder_of_the_functions(aws: EmbeddedAws, stack: Stack) -> None:
    assert probe(aws, stack.name, "notify")["folder"] == str(PROBING.resolve())


def test_a_second_deploy_changes_the_variables_of_the_functions(aws: EmbeddedAws) -> None:
    first = aws.deploy("changing", {"Capital": "1000"}, PROBING)
    assert probe(aws, "changing", "fetch-bars")["environment"]["CAPITAL"] == "1000"
    second = aws.deploy("changing", {"Capital": "2000"}, PROBING)
    assert probe(aws, "changing", "fetch-bars")["environment"]["CAPITAL"] == "2000"
    assert second.outputs == first.outputs


def test_deploying_the_same_again_changes_nothing(aws: EmbeddedAws, stack: Stack) -> None:
    again = aws.deploy("desk", {"Capital": "1000"}, PROBING)
    assert again.outputs == stack.outputs


def test_deploying_other_handlers_replaces_the_first(aws: EmbeddedAws, tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    (folder / "notify").mkdir(parents=True)
    (folder / "notify" / "app.py").write_text(
        "def lambda_handler(event, context): return 'other'\n"
    )
    aws.deploy("replaced", {}, PROBING)
    aws.deploy("replaced", {}, folder)
    answer = aws.client("lambda").invoke(FunctionName="replaced-notify", Payload=b"{}")
    assert json.load(answer["Payload"]) == "other"


@pytest.mark.parametrize("state", ["HALTED", "REDUCING by hand"])
def test_a_halted_desk_stays_halted_through_deploys(aws: EmbeddedAws, state: str) -> None:
    stack = aws.deploy("halted", {}, PROBING)
    ssm = aws.client("ssm")
    name = stack.trading_state_parameter
    ssm.put_parameter(Name=name, Value=state, Type="String", Overwrite=True)
    for number in range(2):
        aws.deploy(
            "halted", {"Capital": f"{number}", "Symbols": "IBM"}, PROBING, tags={"n": f"{number}"}
        )
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == state
    stack.delete()
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == state


def test_no_deploy_creates_a_trading_state(aws: EmbeddedAws, stack: Stack) -> None:
    ssm = aws.client("ssm")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=stack.trading_state_parameter)


def test_keys_are_put_once_and_never_over_the_user_s_own(aws: EmbeddedAws) -> None:
    stack = aws.deploy("keyed", {}, PROBING)
    assert set(keys_of(aws, stack)) == {"key_id", "secret_key"}
    mine = {"key_id": "mine", "secret_key": "secret"}
    aws.deploy("keyed", {}, PROBING, keys=mine)
    aws.deploy("keyed", {"Capital": "1"}, PROBING)
    assert keys_of(aws, stack) == mine


def test_the_keys_may_have_another_name(aws: EmbeddedAws) -> None:
    stack = aws.deploy("renamed", {"AlpacaKeysParameter": "/team/keys"}, PROBING)
    assert stack.keys_parameter == "/team/keys"
    assert set(keys_of(aws, stack)) == {"key_id", "secret_key"}


def test_two_stacks_can_exist_side_by_side(aws: EmbeddedAws, stack: Stack) -> None:
    other = aws.deploy("desk-two", {}, PROBING)
    assert set(other.outputs.values()).isdisjoint(stack.outputs.values())
    assert other.wait(other.start({}))["status"] == "SUCCEEDED"


def test_no_schedule_starts_a_run_here(aws: EmbeddedAws, stack: Stack) -> None:
    assert stack.name
    schedules = aws.client("scheduler").list_schedules()["Schedules"]
    assert {each["State"] for each in schedules} == {"DISABLED"}


@pytest.mark.parametrize(
    "parameters", [{"TradingMod": "paper"}, {"TradingMode": "real"}, {"Email": "nobody"}]
)
def test_a_wrong_parameter_is_refused_before_anything_is_deployed(
    aws: EmbeddedAws, parameters: dict[str, str]
) -> None:
    with pytest.raises(DeploymentProblem):
        aws.deploy("refused", parameters, PROBING)
    cloudformation = aws.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="refused"):
        cloudformation.describe_stacks(StackName="refused")


TOPIC = "AWS::SNS::Topic"


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"Odd": {"Type": "AWS::Nope::Thing"}}, "Unrecognized resource types"),
        (
            {
                "Odd": {"Type": TOPIC, "DependsOn": "Even"},
                "Even": {"Type": TOPIC, "DependsOn": "Odd"},
            },
            "Circular dependency",
        ),
    ],
)
def test_a_template_that_cannot_be_deployed_says_why(
    aws: EmbeddedAws, stack: Stack, resources: dict[str, Any], reason: str
) -> None:
    def rewrite(template: dict[str, Any]) -> dict[str, Any]:
        return {**template, "Resources": {**template["Resources"], **resources}}

    for name in ("broken", stack.name):  # for a new stack, then for an update
        with pytest.raises(DeploymentProblem, match=reason):
            aws.deploy(name, {"Capital": "7"}, PROBING, rewrite=rewrite)


def test_lambda_takes_an_environment_of_4096_bytes_and_no_more(aws: EmbeddedAws) -> None:
    def measure_environment() -> int:
        function = aws.client("lambda").get_function_configuration(FunctionName="full-fetch-bars")
        return len(json.dumps(function["Environment"]["Variables"], separators=(",", ":")))

    aws.deploy("full", {"Symbols": ""}, PROBING)
    room = 4096 - measure_environment()
    aws.deploy("full", {"Symbols": "A" * room}, PROBING)
    assert measure_environment() == 4096
    with pytest.raises(DeploymentProblem) as caught:
        aws.deploy("full", {"Symbols": "A" * (room + 1)}, PROBING)
    share = room + 1 + len('{"SYMBOLS":""}')
    assert str(caught.value) == (
        "full cannot be deployed: the environment of FetchBars has 4,097 bytes as JSON, but "
        f"Lambda allows 4,096. Symbols takes up {share:,} bytes. Shorten Symbols, "
        "or name a list in functions/universes."
    )
    assert measure_environment() == 4096
    aws.deploy("full", {"Symbols": "IBM"}, PROBING)
    assert measure_environment() < 4096


def test_a_first_deploy_names_the_parameter_that_is_too_large_too(aws: EmbeddedAws) -> None:
    with pytest.raises(
        DeploymentProblem, match=r"LiveArmingParameter takes up 3,5.* Shorten LiveArm"
    ):
        aws.deploy("new", {"LiveArmingParameter": "/" + "a" * 3_500}, PROBING)


@pytest.mark.parametrize(("number", "subscribed"), [("", 0), ("+12065550100", 1)])
def test_a_phone_is_subscribed_when_it_is_given(
    aws: EmbeddedAws, number: str, subscribed: int
) -> None:
    stack = aws.deploy(f"phone{subscribed}", {"PhoneNumber5": number}, PROBING)
    found = aws.client("sns").list_subscriptions_by_topic(TopicArn=stack.topic_arn)
    phones = [each for each in found["Subscriptions"] if each["Protocol"] == "sms"]
    assert [each["Endpoint"] for each in phones] == [number] * subscribed


def test_texts_are_those_that_each_protocol_would_receive(aws: EmbeddedAws) -> None:
    stack = aws.deploy("texting", {}, PROBING)
    publish = aws.client("sns").publish
    parts = {"default": "all", "sms": "short", "email": "long"}
    publish(
        TopicArn=stack.topic_arn,
        Subject="Day",
        Message=json.dumps(parts),
        MessageStructure="json",
    )
    publish(TopicArn=stack.topic_arn, Message='{"default": "looks structured"}'[:-1])
    publish(TopicArn=stack.topic_arn, Subject="Plain", Message="plain")
    assert stack.texts() == [
        Text(sms="short", subject="Day", email="long"),
        Text('{"default": "looks structured"', "", '{"default": "looks structured"'),
        Text(sms="plain", subject="Plain", email="plain"),
    ]
    assert aws.deploy("texting", {"Capital": "1"}, PROBING).texts() == stack.texts()


def test_forgotten_texts_are_not_read_again(aws: EmbeddedAws) -> None:
    stack = aws.deploy("forgetting", {}, PROBING)
    for message in ("before", "after"):
        stack.forget_texts()
        aws.client("sns").publish(TopicArn=stack.topic_arn, Message=message)
        assert [text.sms for text in stack.texts()] == [message]


def test_a_deleted_stack_keeps_its_bucket_and_can_be_deployed_again(aws: EmbeddedAws) -> None:
    stack = aws.deploy("gone", {}, PROBING)
    aws.client("sns").publish(TopicArn=stack.topic_arn, Message="before")
    aws.client("s3").put_object(Bucket=stack.bucket, Key="ledger/x", Body=b"kept")
    stack.delete()
    body = aws.client("s3").get_object(Bucket=stack.bucket, Key="ledger/x")["Body"].read()
    assert body == b"kept"
    fresh = aws.deploy("gone", {}, PROBING)
    assert fresh.texts() == []
    assert fresh.wait(fresh.start({}))["status"] == "SUCCEEDED"


def test_an_execution_is_waited_for_no_longer_than_asked(aws: EmbeddedAws, stack: Stack) -> None:
    assert aws.endpoint_url.startswith("http://127.0.0.1:")
    with pytest.raises(TimeoutError, match="still running after 0 s"):
        stack.wait(stack.start({}), seconds=0)
