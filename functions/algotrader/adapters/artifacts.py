"""Owns the bucket: values between steps, the run's journal, and conditional writes."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from algotrader.adapters.aws import client
from algotrader.contracts import Artifact, canonical_json, decode, encode
from algotrader.errors import InvalidInputError
from algotrader.model import Run

T = TypeVar("T")

INLINE_LIMIT_BYTES = 16 * 1024


class Artifacts:
    """Values in the desk's bucket.

    Parameters
    ----------
    bucket : str
        The bucket's name; nothing is asked of S3 until a value is too large for a state, or a
        journal entry is written.
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def put(self, run: Run, name: str, value: object) -> Artifact:
        """Hand a value to the next step: in line up to 16 KiB, else under the run's journal."""
        content = canonical_json(value)
        if len(content) <= INLINE_LIMIT_BYTES:
            return Artifact(inline=encode(value))
        key = f"{run.journal}{name}.json"
        self._write(key, content)
        return Artifact(s3=f"s3://{self.bucket}/{key}", sha256=hashlib.sha256(content).hexdigest())

    def get(self, artifact: Artifact, kind: type[T]) -> T:
        """Take a value that a step before handed on.

        Raises
        ------
        InvalidInputError
            ``ARTIFACT_INVALID`` when neither form is there, the object lies in another bucket, or
            its content is not what was hashed; ``STATE_INVALID`` when it is no ``kind``.
        """
        if artifact.inline is not msgspec.UNSET:
            return decode(kind, artifact.inline, kind_name(kind))
        if artifact.s3 is msgspec.UNSET or artifact.sha256 is msgspec.UNSET:
            raise _invalid("it needs inline, or s3 and sha256", artifact)
        place = urlsplit(str(artifact.s3))
        if place.scheme != "s3" or place.netloc != self.bucket:
            raise _invalid("it does not lie in the desk's own bucket", artifact)
        content = self._read(place.path.lstrip("/"))
        if content is None:
            raise _invalid("the object is gone", artifact)
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise _invalid("the object is not the one that was hashed", artifact)
        return decode(kind, msgspec.json.decode(content), kind_name(kind))

    def write(self, key: str, value: object) -> None:
        """Write a value as JSON, over whatever was there."""
        self._write(key, canonical_json(value))

    def read(self, key: str, kind: type[T]) -> T | None:
        """Read a value back; None when there is none."""
        content = self._read(key)
        return None if content is None else decode(kind, msgspec.json.decode(content), key)

    def read_with_tag(self, key: str, kind: type[T]) -> tuple[T, str] | None:
        """Read a value and the entity tag that `replace` needs; None when there is none."""
        answer = self._get_object(key)
        if answer is None:
            return None
        return decode(kind, msgspec.json.decode(answer["Body"].read()), key), answer["ETag"]

    def create(self, key: str, value: object) -> bool:
        """Write a value only where none is yet; False when there is one.

        A 409 (a write of the same key under way) is asked again by botocore's own retries no more
        than three times, then raised.
        """
        return self._write_if(key, value, IfNoneMatch="*")

    def replace(self, key: str, value: object, tag: str) -> bool:
        """Write a value only over the one that has this entity tag; False when it has changed."""
        return self._write_if(key, value, IfMatch=tag)

    def _write(self, key: str, content: bytes, **condition: str) -> None:
        client("s3").put_object(
            Bucket=self.bucket,
            Key=key,
            Body=content,
            ContentType="application/json",
            **condition,
        )

    def _write_if(self, key: str, value: object, **condition: str) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        content = canonical_json(value)
        for attempt in range(CONFLICT_ATTEMPTS):
            try:
                self._write(key, content, **condition)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status == HTTP_PRECONDITION_FAILED:
                    return False
                if status == HTTP_CONFLICT and attempt + 1 < CONFLICT_ATTEMPTS:
                    continue
                raise
            else:
                return True
        return False

    def _get_object(self, key: str) -> Any | None:
        s3 = client("s3")
        try:
            return s3.get_object(Bucket=self.bucket, Key=key)
        except s3.exceptions.NoSuchKey:
            return None

    def _read(self, key: str) -> bytes | None:
        answer = self._get_object(key)
        return None if answer is None else bytes(answer["Body"].read())


HTTP_CONFLICT = 409
HTTP_PRECONDITION_FAILED = 412
CONFLICT_ATTEMPTS = 3


def kind_name(kind: object) -> str:
    """Name a type for a message."""
    return getattr(kind, "__name__", str(kind))


def _invalid(problem: str, artifact: Artifact) -> InvalidInputError:
    return InvalidInputError(
        "ARTIFACT_INVALID",
        "Start a new execution; within a run this is a bug, please report it.",
        problem=f'"{problem}"',
        s3=artifact.s3,
    )
