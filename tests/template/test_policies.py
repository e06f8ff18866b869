"""What no role may do, whatever its step calls, and who else may reach the bucket or the topic."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest

pytestmark = pytest.mark.asl

# These services support no narrower resource; template.yaml says so next to each action.
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


def writers(template: dict[str, Any], prefix: str) -> set[str]:
    """Name the roles whose policies allow writes below a prefix of the bucket."""
    below = {"Fn::Sub": f"${{Artifacts.Arn}}/{prefix}"}
    return {
        name
        for name, role in roles(template).items()
        for each in statements(role)
        if "s3:PutObject" in as_list(each["Action"]) and below in as_list(each["Resource"])
    }


def test_each_prefix_of_the_bucket_is_written_by_as_few_roles_as_may_be(
    transformed: dict[str, Any],
) -> None:
    # A step with the strategy's code may pass values on, but write nothing else in the journal.
    assert writers(transformed, "runs/*/states/*") == {"ComputeIndicatorsRole", "DecideOrdersRole"}
    assert writers(transformed, "runs/*") == {"FetchBarsRole", "SubmitOrdersRole", "NotifyRole"}
    assert writers(transformed, "ledger/*") == {"FetchBarsRole", "BooksRole"}
    assert writers(transformed, "strategies/*") == set()


def test_no_role_reaches_the_ledger_but_those_that_write_it(transformed: dict[str, Any]) -> None:
    for name, role in roles(transformed).items():
        reaches = "/ledger/" in str([each["Resource"] for each in statements(role)])
        assert reaches == (name in {"FetchBarsRole", "BooksRole"}), name


def test_nothing_may_delete(transformed: dict[str, Any]) -> None:
    for name, role in roles(transformed).items():
        actions = {action for each in statements(role) for action in as_list(each["Action"])}
        deletes = {action for action in actions if ":Delete" in action}
        assert deletes <= {"logs:DeleteLogDelivery"}, name


def bucket_statements(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    policy = template["Resources"]["ArtifactsPolicy"]["Properties"]["PolicyDocument"]
    return {each["Sid"]: each for each in policy["Statement"]}


def test_the_bucket_refuses_requests_without_tls(transformed: dict[str, Any]) -> None:
    statement = bucket_statements(transformed)["TlsOnly"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


WRITING = {"JournalWriters": "runs/*", "LedgerWriters": "ledger/*"}


@pytest.mark.parametrize(("sid", "prefix"), WRITING.items())
def test_the_bucket_denies_writes_to_every_principal_but_the_roles_that_write(
    transformed: dict[str, Any], sid: str, prefix: str
) -> None:
    statement = dict(bucket_statements(transformed)[sid])
    actions = statement.pop("Action")
    ((operator, condition),) = statement.pop("Condition").items()
    # Without NotPrincipal and the bucket itself, the policy locks nobody out of the bucket.
    assert statement == {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Resource": {"Fn::Sub": f"${{Artifacts.Arn}}/{prefix}"},
    }
    assert not [each for each in actions if "Bucket" in each or each == "s3:*"]
    # The negated operator without IfExists also denies a request without the key.
    assert operator == "ArnNotEquals"
    ((key, arns),) = condition.items()
    assert key == "aws:PrincipalArn"
    allowed = {each["Fn::GetAtt"][0] for each in arns}
    assert arns == [
        {"Fn::GetAtt": [name, "Arn"]} for name in dict.fromkeys(a["Fn::GetAtt"][0] for a in arns)
    ]
    below = writers(transformed, prefix)
    assert allowed == below | (
        writers(transformed, "runs/*/states/*") if prefix == "runs/*" else set()
    )


# The IAM actions of S3 operations whose own name is not an action.
NEEDED = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# The IAM actions for versions and for replication.
MORE = {
    *("DeleteObjectVersion", "DeleteObjectVersionTagging"),
    *("PutObjectVersionTagging", "PutObjectVersionAcl"),
    *("ReplicateObject", "ReplicateDelete", "ReplicateTags"),
}
HARMLESS = {
    "SelectObjectContent": "it only reads",
    "RestoreObject": "it restores an archived object unchanged",
    "RenameObject": "only directory buckets support it",
}


def changing_operations() -> set[str]:
    """Name the S3 operations that may change an object."""
    model = botocore.session.get_session().get_service_model("s3")
    found = set()
    for name in model.operation_names:
        operation = model.operation_model(name)
        members = operation.input_shape.members if operation.input_shape else {}
        is_about_objects = "Bucket" in members and ("Key" in members or name == "DeleteObjects")
        if is_about_objects and operation.http["method"] not in {"GET", "HEAD"}:
            found.add(name)
    return found


@pytest.mark.parametrize("sid", WRITING)
def test_no_operation_of_s3_that_changes_an_object_is_left_out(
    transformed: dict[str, Any], sid: str
) -> None:
    operations = changing_operations()
    assert {"PutObject", "DeleteObjects", "PutObjectRetention"} <= operations
    assert set(HARMLESS) <= operations
    needed = {NEEDED.get(each, each) for each in operations - set(HARMLESS)} | MORE
    patterns = bucket_statements(transformed)[sid]["Action"]
    missed = {
        each
        for each in needed
        if not any(fnmatchcase(f"s3:{each}", pattern) for pattern in patterns)
    }
    assert missed == set()


def test_a_person_assumes_the_role_of_the_books_and_no_other(transformed: dict[str, Any]) -> None:
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    trusting = {
        name
        for name, role in roles(transformed).items()
        for each in role["AssumeRolePolicyDocument"]["Statement"]
        if each["Principal"] == root
    }
    assert trusting == {"BooksRole"}
    assert transformed["Outputs"]["BooksRole"]["Value"] == {"Fn::GetAtt": ["BooksRole", "Arn"]}


def test_eventbridge_may_publish_in_the_form_of_awss_own_samples(
    transformed: dict[str, Any],
) -> None:
    """The statement has no Condition; docs/decisions/0039 gives the reason."""
    policy = transformed["Resources"]["TextsPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert statement == {
        "Sid": "UnreportedEnds",
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
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["UnreportedEnds", "Arn"]}}
    }
