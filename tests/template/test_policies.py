"""What no role may do, whatever its step calls, and who else may reach bucket and topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.asl

# The services that know no narrower resource for these; template.yaml says so beside each.
ANYWHERE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def roles(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = template["Resources"].items()
    return {name: each["Properties"] for name, each in found if each["Type"] == "AWS::IAM::Role"}


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def test_only_what_knows_nothing_narrower_is_allowed_anywhere(transformed: dict[str, Any]) -> None:
    for name, role in roles(transformed).items():
        for statement in statements(role):
            actions = set(as_list(statement["Action"]))
            assert not any("*" in action for action in actions), name
            if "*" in as_list(statement["Resource"]):
                assert actions <= ANYWHERE, name


def test_no_step_may_write_the_ledger_but_the_one_that_folds_it(
    transformed: dict[str, Any],
) -> None:
    for name, role in roles(transformed).items():
        reaches = "/ledger/" in str([each["Resource"] for each in statements(role)])
        assert reaches == (name == "FetchBarsRole"), name


def test_nothing_may_delete(transformed: dict[str, Any]) -> None:
    for name, role in roles(transformed).items():
        actions = {action for each in statements(role) for action in as_list(each["Action"])}
        deletes = {action for action in actions if ":Delete" in action}
        assert deletes <= {"logs:DeleteLogDelivery"}, name


def test_the_bucket_refuses_whoever_comes_without_tls(transformed: dict[str, Any]) -> None:
    policy = transformed["Resources"]["ArtifactsPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_eventbridge_may_publish_in_the_form_of_awss_own_samples(
    transformed: dict[str, Any],
) -> None:
    """Without a Condition: docs/decisions/0039 has the reason."""
    policy = transformed["Resources"]["TextsPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert statement == {
        "Sid": "UntoldEnds",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": "Texts"},
    }


def test_only_the_rule_may_put_a_text_on_the_queue(transformed: dict[str, Any]) -> None:
    policy = transformed["Resources"]["UndeliveredTextsPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == [{"Ref": "UndeliveredTexts"}]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == {"Fn::GetAtt": ["UndeliveredTexts", "Arn"]}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["UntoldEnds", "Arn"]}}
    }
