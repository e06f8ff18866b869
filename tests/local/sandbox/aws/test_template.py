"""The real template becomes a template for the embedded AWS."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from local.problems import DeploymentProblem
from local.sandbox.aws import EmbeddedAws
from local.sandbox.aws import embedded as embedded_aws
from local.sandbox.aws.template import (
    check_parameters,
    check_values,
    embed,
    null_paths,
    read_definition,
    read_template,
)

CODE = {"Bucket": "code", "Key": "bootstrap.zip"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_template()


@pytest.fixture(scope="module")
def embedded(template: dict[str, Any]) -> dict[str, Any]:
    return embed(template, read_definition(template), CODE)


def test_short_tags_are_spelled_out(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        'A: !Ref B\nC: !GetAtt D.E.F\nG: !If [H, !Sub "${I}", !Ref J]\nK: !Condition L\n'
    )
    assert read_template(path) == {
        "A": {"Ref": "B"},
        "C": {"Fn::GetAtt": ["D", "E.F"]},
        "G": {"Fn::If": ["H", {"Fn::Sub": "${I}"}, {"Ref": "J"}]},
        "K": {"Condition": "L"},
    }


def test_an_image_function_runs_its_own_handler_from_the_zip(
    template: dict[str, Any], embedded: dict[str, Any]
) -> None:
    real = template["Resources"]["FetchBars"]["Properties"]
    function = embedded["Resources"]["FetchBars"]["Properties"]
    assert function["Handler"] == "fetch_bars.app.lambda_handler"
    assert function["Runtime"] == "provided.al2023"
    assert function["CodeUri"] == CODE
    same = {"Timeout", "MemorySize", "Environment", "Role", "FunctionName", "LoggingConfig"}
    assert {key: function[key] for key in same} == {key: real[key] for key in same}
    assert not {"PackageType", "ImageConfig"} & set(function)


def test_the_definition_comes_in_line_with_its_substitutions(
    template: dict[str, Any], embedded: dict[str, Any]
) -> None:
    machine = embedded["Resources"]["TradingDay"]["Properties"]
    real = template["Resources"]["TradingDay"]["Properties"]
    assert machine["Definition"] == read_definition(template)
    assert machine["DefinitionSubstitutions"] == real["DefinitionSubstitutions"]
    assert "DefinitionUri" not in machine


def test_no_schedule_starts_a_run_whatever_the_parameters_say(embedded: dict[str, Any]) -> None:
    events = embedded["Resources"]["TradingDay"]["Properties"]["Events"].values()
    assert [event["Properties"]["State"] for event in events] == ["DISABLED", "DISABLED"]


def test_nothing_else_changes(template: dict[str, Any], embedded: dict[str, Any]) -> None:
    rewritten = {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"}
    rewritten.add("AWS::S3::BucketPolicy")
    for name, resource in template["Resources"].items():
        if resource["Type"] not in rewritten:
            assert embedded["Resources"][name] == resource
    assert {**embedded, "Resources": {}} == {**template, "Resources": {}}


def test_the_bucket_s_policy_names_sessions_and_asks_for_no_tls(
    template: dict[str, Any], embedded: dict[str, Any]
) -> None:
    real, ours = (
        {
            each["Sid"]: each
            for each in one["Resources"]["ArtifactsPolicy"]["Properties"]["PolicyDocument"][
                "Statement"
            ]
        }
        for one in (template, embedded)
    )
    assert {*real} - {*ours} == {"TlsOnly"}
    for sid, statement in ours.items():
        arns = real[sid]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        sessions = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        assert sessions == [
            {
                "Fn::Sub": "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/"
                f"${{{each['Fn::GetAtt'][0]}}}/*"
            }
            for each in arns
        ]
        same = {**real[sid], "Condition": statement["Condition"]}
        assert statement == same
        assert {key: [*keys] for key, keys in statement["Condition"].items()} == {
            key: [*keys] for key, keys in real[sid]["Condition"].items()
        }


def test_the_real_template_is_left_as_it_was(template: dict[str, Any]) -> None:
    before = copy.deepcopy(template)
    embed(template, read_definition(template), CODE)
    assert template == before


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({"MaxOrderNotionals": "5"}, "did you mean MaxOrderNotional?"),
        ({"symbols": "AAPL"}, "did you mean Symbols?"),
        ({"Zzzzzzz": "1"}, "it has Adjustment, "),
        ({"TradingMode": "real"}, "must be one of dry-run, paper, live"),
        ({"PhoneNumber3": "12345"}, "Enter the number in full, such as"),
        ({"Symbols": "A" * 4_097}, "has 4,097 bytes, but CloudFormation allows 4,096. Shorten"),
        (
            {"Strategy": "a" * 5_000},
            "has 5,000 bytes, but CloudFormation allows 4,096. Shorten Strategy.",
        ),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_allowed_values(
    template: dict[str, Any], values: dict[str, str], advice: str
) -> None:
    with pytest.raises(DeploymentProblem) as caught:
        check_parameters(template, values)
    assert next(iter(values)) in str(caught.value)
    assert advice in str(caught.value)


def test_a_parameter_without_a_default_must_be_given() -> None:
    template = {"Parameters": {"Needed": {"Type": "String"}}}
    with pytest.raises(DeploymentProblem, match="needs a value for Needed"):
        check_parameters(template, {})
    check_parameters(template, {"Needed": "x"})


def test_values_that_fit_are_taken(template: dict[str, Any]) -> None:
    check_parameters(template, {"TradingMode": "live", "Capital": "abc", "PhoneNumber1": ""})
    check_parameters(template, {"Symbols": "A" * 4_096})


def test_every_null_is_found_with_its_path() -> None:
    assert null_paths({"A": [1, None, {"B": None}], "C": {"D": "null", "E": ""}, "F": None}) == [
        "A.1",
        "A.2.B",
        "F",
    ]


def test_a_null_is_refused_as_cloudformation_refuses_it(template: dict[str, Any]) -> None:
    check_values(template)
    broken = copy.deepcopy(template)
    broken["Resources"]["Texts"]["Properties"] = {"DisplayName": None}
    with pytest.raises(DeploymentProblem, match=r"Resources\.Texts\.Properties\.DisplayName"):
        check_values(broken)


def test_neither_way_to_deploy_takes_a_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Parameters: {}\nResources: {Rule: {Properties: {Pattern: [null]}}}\n")
    monkeypatch.setattr(embedded_aws, "TEMPLATE", path)
    refused = r"Resources\.Rule\.Properties\.Pattern\.0"
    with pytest.raises(DeploymentProblem, match=refused):
        EmbeddedAws().deploy("desk", {})
    with pytest.raises(DeploymentProblem, match=refused):
        EmbeddedAws().deploy_built("desk", {}, path)
