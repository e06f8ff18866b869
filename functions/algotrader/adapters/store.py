"""Owns the bucket: values between steps, the run's journal, and conditional writes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from algotrader.adapters.aws import BrokenAnswerError, client, read_whole
from algotrader.contracts import Artifact, canonical_json, decode, decode_versioned, encode
from algotrader.errors import InvalidInputError
from algotrader.model import Run

T = TypeVar("T")

INLINE_LIMIT_BYTES = 16 * 1024
#: Content types by a key's ending.
CONTENT_TYPES = {"json": "application/json", "npz": "application/octet-stream"}
HTTP_NOT_FOUND = 404
HTTP_CONFLICT = 409
HTTP_PRECONDITION_FAILED = 412
CONFLICT_ATTEMPTS = 3


class Reading(Struct, Generic[T], frozen=True):
    """The result of `Store.try_read`.

    Attributes
    ----------
    value : T or None
        None if there is no value, or if it is unreadable.
    tag : str
        The entity tag that `Store.replace` needs, or an empty string without a value.
    """

    value: T | None = None
    tag: str = ""
    is_unreadable: bool = False


class Store:
    """Values in the desk's bucket.

    Parameters
    ----------
    bucket : str
        The bucket's name; the constructor does not call S3.
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def put(self, run: Run, name: str, value: object) -> Artifact:
        """Pass a value to the next step: inline up to 16 KiB, otherwise through the journal.

        The key contains the content's hash, so no later call overwrites a value that an earlier
        call passed on. A repeated step finds its input unchanged.
        """
        content = canonical_json(value)
        if fits_inline(len(content)):
            return Artifact(inline=encode(value))
        return self.put_content(run, name, content, "json")

    def put_content(self, run: Run, name: str, content: bytes, ending: str) -> Artifact:
        """Pass an object of any format to the next step, through the journal."""
        digest = hashlib.sha256(content).hexdigest()
        key = f"{run.journal}states/{name}-{digest[:16]}.{ending}"
        read_whole(lambda: self._write(key, content, ContentType=CONTENT_TYPES[ending]))
        return Artifact(s3=f"s3://{self.bucket}/{key}", sha256=digest)

    def get(self, artifact: Artifact, kind: type[T]) -> T:
        """Return a value that an earlier step passed on.

        Raises
        ------
        InvalidInputError
            ``ARTIFACT_INVALID`` if the value is neither inline nor in S3, its object is in another
            bucket, or the content has a different hash; ``STATE_INVALID`` if it is not a ``kind``.
        """
        if artifact.inline is not msgspec.UNSET:
            return decode(kind, artifact.inline, kind_name(kind))
        content = self.get_content(artifact)
        try:
            value = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _invalid("the object is not JSON", artifact) from error
        return decode(kind, value, kind_name(kind))

    def get_content(self, artifact: Artifact) -> bytes:
        """Return an object that an earlier step passed on.

        Raises
        ------
        InvalidInputError
            ``ARTIFACT_INVALID`` as in `get`.
        """
        if artifact.s3 is msgspec.UNSET or artifact.sha256 is msgspec.UNSET:
            raise _invalid("it needs inline, or s3 and sha256", artifact)
        place = urlsplit(str(artifact.s3))
        if place.scheme != "s3" or place.netloc != self.bucket:
            raise _invalid("it is not in the desk's own bucket", artifact)

        def check(content: bytes) -> bytes:
            if hashlib.sha256(content).hexdigest() != artifact.sha256:
                message = f"{artifact.s3} has a different hash"
                raise BrokenAnswerError(message)  # the answer may be broken, so read it again
            return content

        try:
            found = self._read_content(place.path.lstrip("/"), check)
        except BrokenAnswerError as error:
            raise _invalid("the object has a different hash", artifact) from error
        if found is None:
            raise _invalid("the object is gone", artifact)
        return found.value

    def write(self, key: str, value: object) -> None:
        """Write a value as JSON and replace any earlier one."""
        read_whole(lambda: self._write(key, canonical_json(value)))

    def read(self, key: str, kind: type[T]) -> T | None:
        """Read a value back, or return None if there is none.

        Raises
        ------
        InvalidInputError
            ``OBJECT_UNREADABLE`` if it is not JSON, ``STATE_INVALID`` if it is not a ``kind``.
        """
        found = self._read(key)
        return None if found is None else decode(kind, found.value, key)

    def read_versioned(self, key: str, kind: type[T]) -> T | None:
        """Read an entry of a run's journal that an earlier execution may have stored.

        Raises
        ------
        ConfigurationError
            ``DEPLOYED_DURING_RUN`` if the entry's contract is neither this one nor the last one.
        """
        found = self._read(key)
        return None if found is None else decode_versioned(kind, found.value, key)

    def holds(self, key: str) -> bool:
        """Return whether an object with this key exists, whatever it contains."""
        try:
            return self._read(key) is not None
        except InvalidInputError:
            return True

    def read_with_tag(self, key: str, kind: type[T]) -> tuple[T, str] | None:
        """Read a value and the entity tag that `replace` needs, or return None if there is none."""
        found = self._read(key)
        return None if found is None else (decode(kind, found.value, key), found.tag)

    def try_read(self, key: str, kind: type[T]) -> Reading[T]:
        """Read a value that the desk can do without; do not raise if it is unreadable."""
        try:
            found = self.read_with_tag(key, kind)
        except (InvalidInputError, ValueError):
            return Reading(is_unreadable=True)
        return Reading() if found is None else Reading(*found)

    def folders(self, prefix: str) -> tuple[str, ...]:
        """List the folders directly below a prefix, each with its final ``/``."""

        def ask() -> tuple[str, ...]:
            paginator = client("s3").get_paginator("list_objects_v2")
            pages = paginator.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            return tuple(
                each["Prefix"]
                for page in pages
                if page["KeyCount"]  # KeyError if a gateway answered instead of S3
                for each in page.get("CommonPrefixes", [])
            )

        return read_whole(ask)

    def create(self, key: str, value: object) -> bool:
        """Write a value only if there is none yet; False if there is one.

        A 409 means that another write of the key is in progress, so the method tries three times.
        """
        return self._write_if(key, value, IfNoneMatch="*")

    def replace(self, key: str, value: object, tag: str) -> bool:
        """Replace the value that has this entity tag; False if it has changed."""
        return self._write_if(key, value, IfMatch=tag)

    def update(self, key: str, kind: type[T], change: Callable[[T | None], T | None]) -> None:
        """Change a value that the desk can do without, although other runs may change it too.

        If they keep changing it, the value stays as they wrote it. An unreadable value is replaced.

        Parameters
        ----------
        change : callable
            Returns the new value for the stored one, which is None if there is none or if it is
            unreadable. Returns None to leave the stored value unchanged.
        """
        for _ in range(CONFLICT_ATTEMPTS):
            there = self.try_read(key, kind)
            value = change(there.value)
            if value is None:
                return
            if there.is_unreadable:
                self.write(key, value)
                return
            is_new = there.value is None
            if self.create(key, value) if is_new else self.replace(key, value, there.tag):
                return

    def _write(self, key: str, content: bytes, **options: str) -> None:
        options = {"ContentType": CONTENT_TYPES["json"], **options}
        answer = client("s3").put_object(Bucket=self.bucket, Key=key, Body=content, **options)
        if not answer.get("ETag"):  # a gateway, not S3, may have answered 200
            message = f"S3 did not confirm {key}"
            raise BrokenAnswerError(message)

    def _write_if(self, key: str, value: object, **condition: str) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        content = canonical_json(value)
        for attempt in range(CONFLICT_ATTEMPTS):
            is_last = attempt + 1 == CONFLICT_ATTEMPTS
            try:
                self._write(key, content, **condition)
            except BrokenAnswerError:
                # If S3 wrote the value after all, the next attempt fails and the caller reads it.
                if is_last:
                    raise
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status == HTTP_PRECONDITION_FAILED:
                    return False
                if status != HTTP_CONFLICT or is_last:
                    raise
            else:
                return True
        return False

    def _read(self, key: str) -> _Found[Any] | None:
        """Read a whole object as JSON; None only if S3 itself says that there is none."""
        try:
            return self._read_content(key, msgspec.json.decode)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInputError(
                "OBJECT_UNREADABLE",
                "The object is not JSON. If it is below ledger/, restore an earlier version with "
                "algo-trader restore; otherwise let the next session trade.",
                key=key,
            ) from error

    def _read_content(self, key: str, parse: Callable[[bytes], T]) -> _Found[T] | None:
        """Read and parse a whole object; read it again if ``parse`` finds the answer broken."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        def ask() -> _Found[T] | None:
            try:
                answer = client("s3").get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error.response["Error"].get("Code") == "NoSuchKey":
                    return None
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTP_NOT_FOUND:
                    raise BrokenAnswerError(str(error)) from error
                raise
            return _Found(parse(bytes(answer["Body"].read())), answer["ETag"])

        return read_whole(ask)


class _Found(Struct, Generic[T], frozen=True):
    value: T
    tag: str


def fits_inline(size: int) -> bool:
    """Whether a value of this many bytes may travel in Step Functions' state."""
    return size <= INLINE_LIMIT_BYTES


def kind_name(kind: object) -> str:
    """Name a type for a message."""
    return getattr(kind, "__name__", str(kind))


def _invalid(problem: str, artifact: Artifact) -> InvalidInputError:
    return InvalidInputError(
        "ARTIFACT_INVALID",
        "Start a new execution. If this happens again, it is a bug; please report it.",
        problem=f'"{problem}"',
        s3=artifact.s3,
    )
