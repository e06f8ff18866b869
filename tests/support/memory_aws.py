"""Owns the parts of S3, SSM and SNS that a run needs, in memory.

This module is fast, for properties that run hundreds of whole days. The tests in
tests/functions/algotrader/adapters and tests/run use the real clients, with moto and with the
embedded AWS.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from botocore.exceptions import ClientError


@dataclass(slots=True)
class MemoryAws:
    """An AWS account whose `client` method returns stand-ins for boto3's clients.

    ``usage`` counts the calls of S3, the keys that its listings returned, and the bytes.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    parameters: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    usage: Counter[str] = field(default_factory=Counter)

    def client(self, service: str) -> Any:
        return {"s3": _S3, "ssm": _Ssm, "sns": _Sns, "stepfunctions": _StepFunctions}[service](self)


@dataclass(frozen=True, slots=True)
class _S3:
    aws: MemoryAws

    def put_object(self, *, Key: str, Body: bytes, **asked: Any) -> dict[str, Any]:  # noqa: N803
        self.aws.usage.update({"writes": 1, "bytes": len(Body)})
        there = self.aws.objects.get(Key)
        if (asked.get("IfNoneMatch") and there is not None) or (
            "IfMatch" in asked and (there is None or _tag(there) != asked["IfMatch"])
        ):
            raise _error("PreconditionFailed", 412)
        self.aws.objects[Key] = Body
        return {"ETag": _tag(Body)}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        content = self.aws.objects.get(Key)
        self.aws.usage.update({"reads": 1, "bytes": len(content or b"")})
        if content is None:
            raise _error("NoSuchKey", 404)
        return {"Body": io.BytesIO(content), "ETag": _tag(content)}

    def get_paginator(self, _operation: str) -> _S3:
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        below = (each[len(Prefix) :] for each in self.aws.objects if each.startswith(Prefix))
        folders = sorted({Prefix + each.partition("/")[0] + "/" for each in below if "/" in each})
        found = [{"Prefix": each} for each in folders]
        self.aws.usage.update({"listings": 1, "listed": len(found)})
        yield {"KeyCount": len(found), "CommonPrefixes": found}


@dataclass(frozen=True, slots=True)
class _Ssm:
    aws: MemoryAws

    def get_parameter(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Name not in self.aws.parameters:
            raise _error("ParameterNotFound", 400)
        kind, value, version = self.aws.parameters[Name]
        return {"Parameter": {"Name": Name, "Type": kind, "Value": value, "Version": version}}

    def put_parameter(self, *, Name: str, Value: str, Type: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        version = self.aws.parameters.get(Name, ("", "", 0))[2] + 1
        self.aws.parameters[Name] = (Type, Value, version)
        return {"Version": version}


@dataclass(frozen=True, slots=True)
class _Sns:
    aws: MemoryAws

    class exceptions:  # noqa: N801 - boto3's name
        ClientError = ClientError

    def publish(self, *, Message: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        Message.encode()
        self.aws.published.append(Message)
        return {"MessageId": str(len(self.aws.published))}


@dataclass(frozen=True, slots=True)
class _StepFunctions:
    aws: MemoryAws

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        raise _error("ExecutionDoesNotExist", 400)


def _error(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "asked")


def _tag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'
