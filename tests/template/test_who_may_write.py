"""Only roles can write the journal and the ledger, whatever other policies an account has.

The embedded AWS evaluates the bucket's policy as `embed` adapts it. The writer here is a user with
full rights in S3. The root user, who has no policy, passes every check of the embedded AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.sandbox.aws import EmbeddedAws, Stack
from tests.template.needs import resource_ids

PROBING = Path(__file__).parents[1] / "local" / "sandbox" / "aws" / "probing"
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
KEYS = ["runs/2026-01-05/2026-01-05-day/plan-001.json", "ledger/adjustments.json"]
Write = Callable[[Any, str, str], Any]


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield aws


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws) -> Stack:
    return aws.deploy("desk", {}, PROBING)


@pytest.fixture(scope="module")
def administrator(aws: EmbeddedAws) -> dict[str, str]:
    """Create a user with full rights, and return the user's keys."""
    iam = aws.client("iam")
    iam.create_user(UserName="administrator")
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=POLICY)
    key = iam.create_access_key(UserName="administrator")["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def client(aws: EmbeddedAws, service: str, **keys: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        config=Config(proxies={}),
        **keys,
    )


@pytest.fixture(scope="module")
def s3(aws: EmbeddedAws, administrator: dict[str, str]) -> Any:
    return client(aws, "s3", **administrator)


@pytest.fixture(scope="module", autouse=True)
def there(aws: EmbeddedAws, stack: Stack) -> None:
    for key in (*KEYS, "strategies/model.json"):
        aws.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"{}")


def version(s3: Any, bucket: str, key: str) -> str:
    return str(s3.head_object(Bucket=bucket, Key=key)["VersionId"])


def multipart(s3: Any, bucket: str, key: str) -> Any:
    return s3.create_multipart_upload(Bucket=bucket, Key=key)


TAGS = {"TagSet": [{"Key": "a", "Value": "b"}]}
WRITES: dict[str, Write] = {
    "put": lambda s3, bucket, key: s3.put_object(Bucket=bucket, Key=key, Body=b"forged"),
    "copy": lambda s3, bucket, key: s3.copy_object(
        Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": "strategies/model.json"}
    ),
    "multipart": multipart,
    "delete": lambda s3, bucket, key: s3.delete_object(Bucket=bucket, Key=key),
    "delete a version": lambda s3, bucket, key: s3.delete_object(
        Bucket=bucket, Key=key, VersionId=version(s3, bucket, key)
    ),
    "tag": lambda s3, bucket, key: s3.put_object_tagging(Bucket=bucket, Key=key, Tagging=TAGS),
    "untag": lambda s3, bucket, key: s3.delete_object_tagging(Bucket=bucket, Key=key),
    "open": lambda s3, bucket, key: s3.put_object_acl(Bucket=bucket, Key=key, ACL="public-read"),
    "retain": lambda s3, bucket, key: s3.put_object_retention(
        Bucket=bucket, Key=key, Retention={"Mode": "GOVERNANCE"}
    ),
}


def refusal(write: Write, s3: Any, bucket: str, key: str) -> str:
    try:
        write(s3, bucket, key)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", WRITES)
def test_a_user_who_may_do_anything_writes_neither_journal_nor_ledger(
    s3: Any, stack: Stack, key: str, name: str
) -> None:
    before = s3.get_object(Bucket=stack.bucket, Key=key)
    assert refusal(WRITES[name], s3, stack.bucket, key) == "AccessDenied"
    after = s3.get_object(Bucket=stack.bucket, Key=key)
    assert after["VersionId"] == before["VersionId"]


@pytest.mark.parametrize("key", KEYS)
def test_several_objects_at_once_are_not_deleted_either(s3: Any, stack: Stack, key: str) -> None:
    objects = {"Objects": [{"Key": key}]}
    try:
        answer = s3.delete_objects(Bucket=stack.bucket, Delete=objects)
    except ClientError as error:
        answer = {"Errors": [error.response["Error"]]}
    assert [each["Code"] for each in answer["Errors"]] == ["AccessDenied"]
    assert s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read() == b"{}"


def test_the_user_s_own_files_and_the_bucket_itself_stay_the_user_s(s3: Any, stack: Stack) -> None:
    assert refusal(WRITES["put"], s3, stack.bucket, "strategies/model.json") == ""
    assert refusal(WRITES["delete"], s3, stack.bucket, "strategies/model.json") == ""
    assert refusal(WRITES["put"], s3, stack.bucket, "strategies/model.json") == ""
    policy = s3.get_bucket_policy(Bucket=stack.bucket)["Policy"]
    s3.put_bucket_policy(Bucket=stack.bucket, Policy=policy)
    rule = {"ID": "end", "Status": "Enabled", "Prefix": "runs/", "Expiration": {"Days": 400}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=stack.bucket, LifecycleConfiguration={"Rules": [rule]}
    )


def session_of(aws: EmbeddedAws, role: str, keys: dict[str, str]) -> Any:
    sts = client(aws, "sts", **keys)
    made = sts.assume_role(RoleArn=role, RoleSessionName="by-hand")["Credentials"]
    return client(
        aws,
        "s3",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )


def test_the_role_of_the_books_writes_the_ledger_alone(
    aws: EmbeddedAws, stack: Stack, administrator: dict[str, str]
) -> None:
    s3 = session_of(aws, stack.outputs["BooksRole"], administrator)
    journal, ledger = KEYS
    assert refusal(WRITES["put"], s3, stack.bucket, ledger) == ""
    assert refusal(WRITES["put"], s3, stack.bucket, journal) == "AccessDenied"
    assert refusal(WRITES["put"], s3, stack.bucket, "strategies/model.json") == "AccessDenied"
    assert refusal(WRITES["delete"], s3, stack.bucket, ledger) == "AccessDenied"


def test_another_role_that_may_do_anything_writes_neither(
    aws: EmbeddedAws, stack: Stack, administrator: dict[str, str]
) -> None:
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="desk-FetchBarsRole-of-somebody",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="all", PolicyDocument=POLICY)
    s3 = session_of(aws, role["Arn"], administrator)
    for key in KEYS:
        assert refusal(WRITES["put"], s3, stack.bucket, key) == "AccessDenied"
    assert refusal(WRITES["put"], s3, stack.bucket, "strategies/model.json") == ""


def test_nobody_assumes_the_role_of_a_step(
    aws: EmbeddedAws, stack: Stack, administrator: dict[str, str]
) -> None:
    resources = resource_ids(aws, stack)
    account = stack.outputs["BooksRole"].split(":")[4]
    sts = client(aws, "sts", **administrator)
    for name in ("FetchBarsRole", "SubmitOrdersRole"):
        arn = f"arn:aws:iam::{account}:role/{resources[name]}"
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=arn, RoleSessionName="by-hand")
