"""What template.yaml deploys, and what it does not touch."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.settings import load_settings
from algotrader.model import Settings
from local.sandbox.aws.template import CHECKOUT, null_paths

pytestmark = pytest.mark.asl

STEPS = ["fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify"]
NEW_YORK = "America/New_York"


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = template["Resources"].items()
    return {name: each["Properties"] for name, each in found if each["Type"] == kind}


def variable(parameter: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def fetch_environment(template: dict[str, Any]) -> dict[str, Any]:
    fetch = template["Resources"]["FetchBars"]["Properties"]
    found: dict[str, Any] = fetch["Environment"]["Variables"]
    return found


def test_every_step_is_an_image_of_the_one_dockerfile(template: dict[str, Any]) -> None:
    functions = {
        name: each
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    steps = []
    for function in functions.values():
        metadata, properties = function["Metadata"], function["Properties"]
        step = metadata["DockerBuildArgs"]["STEP"]
        steps.append(step)
        assert metadata["Dockerfile"] == "./Dockerfile"
        assert metadata["DockerContext"] == "./functions"
        assert metadata["DockerTag"] == step.replace("_", "-")
        assert properties["PackageType"] == "Image"
        assert properties["ImageConfig"] == {"Command": [f"{step}.app.lambda_handler"]}
    assert steps == STEPS


def test_every_setting_has_its_parameter_and_its_variable(template: dict[str, Any]) -> None:
    environment = fetch_environment(template)
    by_field = {
        "stack": ("STACK_NAME", {"Ref": "AWS::StackName"}),
        "mode": ("TRADING_MODE", {"Ref": "TradingMode"}),
    }
    environment = {**template["Globals"]["Function"]["Environment"]["Variables"], **environment}
    fields = {*Settings.__struct_fields__} - {"universes"}  # from two parameters
    for field in fields:
        parameter = field.title().replace("_", "")
        name, value = by_field.get(field, (field.upper(), {"Ref": parameter}))
        assert environment[name] == value, field


def test_the_defaults_are_settings_that_the_desk_accepts(template: dict[str, Any]) -> None:
    defaults = {
        variable(name): fields["Default"] for name, fields in template["Parameters"].items()
    }
    settings = load_settings({"STACK_NAME": "algo-trader", **defaults})
    assert settings.mode == "paper"
    assert settings.symbols == ("AAPL", "GOOG", "IBM", "MSFT")


def test_every_parameter_is_a_text_with_a_default_and_a_description(
    template: dict[str, Any],
) -> None:
    for name, fields in template["Parameters"].items():
        assert fields["Type"] == "String", name
        assert isinstance(fields["Default"], str), name
        assert fields["Description"].endswith("."), name


def test_nothing_in_the_template_is_null(
    template: dict[str, Any], transformed: dict[str, Any]
) -> None:
    """CloudFormation rejects any null in a template, but none of our linters does."""
    assert null_paths(template) == []
    assert null_paths(transformed) == []


def test_every_parameter_is_used(template: dict[str, Any]) -> None:
    text = json.dumps({key: template[key] for key in ("Conditions", "Globals", "Resources")})
    assert [name for name in template["Parameters"] if f'{{"Ref": "{name}"}}' not in text] == []


def test_defaults_fit_their_own_rules(template: dict[str, Any]) -> None:
    for name, fields in template["Parameters"].items():
        default = fields["Default"]
        assert default in fields.get("AllowedValues", [default]), name
        assert re.fullmatch(fields.get("AllowedPattern", ".*"), default), name


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "PhoneNumber1",
            ["", "+12065550100", "+4915112345678"],
            ["2065550100", "+1 206", "+0123456"],
        ),
        ("Email", ["", "a@b.example"], ["a", "a@b c", "a@b@c"]),
        ("AlpacaKeysParameter", ["", "/desk/keys", "/keys"], ["keys", "/desk/", "/a b"]),
        ("AlpacaTradingUrl", ["", "http://127.0.0.1:1", "https://x/"], ["127.0.0.1", "ftp://x"]),
    ],
)
def test_a_pattern_takes_what_it_should_and_nothing_else(
    template: dict[str, Any], parameter: str, good: list[str], bad: list[str]
) -> None:
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    assert [text for text in good if not re.fullmatch(pattern, text)] == []
    assert [text for text in bad if re.fullmatch(pattern, text)] == []


def test_the_kill_switch_and_the_keys_are_named_but_never_deployed(
    transformed: dict[str, Any],
) -> None:
    kinds = {each["Type"] for each in transformed["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith(("AWS::SSM", "AWS::SecretsManager"))}


def test_the_bells_ring_in_new_york_and_never_late(transformed: dict[str, Any]) -> None:
    bells = of_type(transformed, "AWS::Scheduler::Schedule")
    assert len(bells) == 2
    for bell in bells.values():
        target = bell["Target"]
        assert "Name" not in bell
        assert bell["ScheduleExpressionTimezone"] == NEW_YORK
        assert bell["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert target["RetryPolicy"]["MaximumRetryAttempts"] <= 3
        assert 60 <= target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 300
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["MissedBells", "Arn"]}}
        assert target["Arn"] == {"Ref": "TradingDay"}


def test_each_bell_says_when_it_was_to_ring_and_what_for(transformed: dict[str, Any]) -> None:
    bells = of_type(transformed, "AWS::Scheduler::Schedule")
    trading, report = bells["TradingDayTradingBell"], bells["TradingDayReportBell"]
    at = {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert json.loads(trading["Target"]["Input"]) == at
    assert json.loads(report["Target"]["Input"]) == {**at, "report_only": True}
    assert trading["State"] == {"Ref": "ScheduleState"}
    assert report["State"] == {"Ref": "ReportScheduleState"}
    assert trading["ScheduleExpression"] == {"Ref": "ScheduleExpression"}
    assert report["ScheduleExpression"] == {"Ref": "ReportScheduleExpression"}


def test_what_could_not_be_delivered_goes_to_a_standard_queue(transformed: dict[str, Any]) -> None:
    queues = of_type(transformed, "AWS::SQS::Queue")
    assert set(queues) == {"MissedBells", "UndeliveredTexts"}
    assert not any("FifoQueue" in queue for queue in queues.values())


def test_the_rule_publishes_by_the_topics_policy_and_keeps_what_it_could_not_publish(
    transformed: dict[str, Any],
) -> None:
    (rule,) = of_type(transformed, "AWS::Events::Rule").values()
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "Texts"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredTexts", "Arn"]}}
    assert "RoleArn" not in target  # with a role, AWS says, delivery to a topic may fail
    assert "RoleArn" not in rule


def test_the_bucket_is_private_encrypted_versioned_and_kept(transformed: dict[str, Any]) -> None:
    resource = transformed["Resources"]["Artifacts"]
    bucket = resource["Properties"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


def test_only_runs_expire_and_never_the_ledger(transformed: dict[str, Any]) -> None:
    (rule,) = transformed["Resources"]["Artifacts"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["Prefix"] == "runs/"


@pytest.mark.parametrize("number", range(1, 6))
def test_a_phone_is_subscribed_only_when_it_is_named(
    template: dict[str, Any], transformed: dict[str, Any], number: int
) -> None:
    resource = transformed["Resources"][f"Phone{number}"]
    named = {"Fn::Not": [{"Fn::Equals": [{"Ref": f"PhoneNumber{number}"}, ""]}]}
    assert resource["Properties"]["Protocol"] == "sms"
    assert resource["Properties"]["Endpoint"] == {"Ref": f"PhoneNumber{number}"}
    assert template["Conditions"][resource["Condition"]] == named


def test_a_mailbox_is_subscribed_only_when_it_is_named(
    template: dict[str, Any], transformed: dict[str, Any]
) -> None:
    resource = transformed["Resources"]["Mail"]
    assert resource["Properties"]["Protocol"] == "email"
    assert template["Conditions"][resource["Condition"]] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "Email"}, ""]}]
    }


def test_every_log_ends_some_day_and_has_a_group_of_its_own(transformed: dict[str, Any]) -> None:
    groups = of_type(transformed, "AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == 90 for group in groups.values())
    used = [
        function["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type(transformed, "AWS::Lambda::Function").values()
    ]
    assert sorted([*used, "TradingDayLogs"]) == sorted(groups)


def test_the_machine_is_standard_logged_traced_and_named_after_the_stack(
    transformed: dict[str, Any],
) -> None:
    (machine,) = of_type(transformed, "AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["StateMachineName"] == {"Ref": "AWS::StackName"}
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"


def test_every_function_is_traced_and_the_broker_client_never_retries_by_itself(
    transformed: dict[str, Any],
) -> None:
    functions = of_type(transformed, "AWS::Lambda::Function")
    assert all(each["TracingConfig"] == {"Mode": "Active"} for each in functions.values())
    for name in ("FetchBars", "SubmitOrders"):
        assert functions[name]["Environment"]["Variables"]["APCA_RETRY_MAX"] == "0"


def test_no_two_resources_need_names_that_a_second_stack_would_take(
    transformed: dict[str, Any],
) -> None:
    names = re.compile(r"(Function|StateMachine|LogGroup|Bucket|Queue|Topic|Role)?Name")
    for logical, resource in transformed["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if names.fullmatch(key):
                assert "AWS::StackName" in json.dumps(value), logical


def test_the_console_shows_every_parameter_in_one_group_with_a_label(
    template: dict[str, Any],
) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [name for each in groups for name in each["Parameters"]]
    labels = [each["Label"]["default"] for each in groups]
    assert sorted(listed) == sorted(template["Parameters"])
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_sam_deploys_without_a_flag_more() -> None:
    config = tomllib.loads(Path(CHECKOUT / "samconfig.toml").read_text(encoding="utf-8"))
    deploy = config["default"]["deploy"]["parameters"]
    assert config["version"] == 0.1
    assert config["default"]["global"]["parameters"]["stack_name"] == "algo-trader"
    assert deploy["capabilities"] == "CAPABILITY_IAM"
    assert deploy["resolve_s3"] is True
    assert deploy["resolve_image_repos"] is True
    assert deploy["tags"] == "application=algo-trader"
    # SAM refuses these settings together with resolve_image_repos.
    assert not {"image_repository", "image_repositories", "s3_bucket"} & set(deploy)
    assert "parameter_overrides" not in deploy
