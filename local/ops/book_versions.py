"""Owns the versions of a stack's books, and how a person puts an earlier one back.

Nothing is ever removed: the bucket keeps every version of the objects below ``ledger/``, and a
version that is put back becomes the newest one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from algotrader.accounting.stop_fills import ReportedFills
from algotrader.adapters.adjustments import ADJUSTMENTS_KEY
from algotrader.contracts import decode
from algotrader.errors import InvalidInputError
from algotrader.model import Adjustment, Ledger, Track
from algotrader.orders.ids import DESK_PATTERN
from algotrader.services.books import (
    RESET_KEY,
    OtherDesks,
    ResetPeak,
    checkpoint_key,
    others_key,
    reported_key,
    track_key,
)
from local.ops.stack import DeployedStack, aws_errors_as_one_line

FOLDER = "ledger/"
_DESK = DESK_PATTERN.pattern
#: The type of each object of the books, by its key with a pattern for the desk.
KINDS: dict[str, Any] = {
    ADJUSTMENTS_KEY: tuple[Adjustment, ...],
    RESET_KEY: ResetPeak,
    checkpoint_key(_DESK): Ledger,
    others_key(_DESK): OtherDesks,
    track_key(_DESK): Track,
    reported_key(_DESK): ReportedFills,
}


class RestoreRefusedError(Exception):
    """The books stay unchanged; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object of the books.

    Attributes
    ----------
    size : int or None
        Bytes; None if this version says that the object was deleted.
    tag : str
        The entity tag, empty if deleted.
    """

    id: str
    written_at: datetime
    is_newest: bool
    size: int | None
    tag: str


@dataclass(frozen=True, slots=True)
class BookVersions:
    """All versions of the books in a bucket.

    Attributes
    ----------
    of : dict of str to tuple of Version
        By the object's name below ``ledger/``, newest first.
    """

    bucket: str
    of: dict[str, tuple[Version, ...]]


def kind_of(name: str) -> Any:
    """Return the type of an object of the books, by its name; None if it is not one of them."""
    key = f"{FOLDER}{name}"
    return next(
        (kind for each, kind in KINDS.items() if re.fullmatch(each.replace(".", r"\."), key)), None
    )


def find_versions(stack: DeployedStack, bucket: str | None = None) -> BookVersions:
    """List the versions of the books in the stack's bucket, or in another one.

    Parameters
    ----------
    bucket : str or None
        Another bucket, which is read with the user's own permissions.

    Raises
    ------
    AwsProblem
        If AWS refuses or does not answer.
    """
    place = bucket or stack.output("Bucket")
    found: dict[str, list[Version]] = {}
    with aws_errors_as_one_line(f"the versions below {FOLDER} in {place} cannot be listed"):
        pages = _s3(stack, bucket).get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=place, Prefix=FOLDER):
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                name = each["Key"].removeprefix(FOLDER)
                if kind_of(name) is not None:
                    found.setdefault(name, []).append(_version(each))
    return BookVersions(
        place,
        {
            name: tuple(sorted(versions, key=attrgetter("is_newest", "written_at"), reverse=True))
            for name, versions in sorted(found.items())
        },
    )


def put_back(stack: DeployedStack, name: str, version: str, bucket: str | None) -> None:
    """Make an earlier version of an object of the books the newest one.

    Parameters
    ----------
    bucket : str or None
        As for `find_versions`.

    Raises
    ------
    RestoreRefusedError
        If there is no such version, it is not what the name says, a run is under way, or somebody
        else changed the object in between.
    AwsProblem
        If AWS refuses or does not answer.
    """
    now = next(iter(find_versions(stack).of.get(name, ())), None)
    content = _read(stack, name, version, bucket)
    if stack.is_under_way():
        raise RestoreRefusedError(
            "a run is under way, and writes the books itself: try again when it is over"
        )
    condition = {"IfMatch": now.tag} if now and now.tag else {"IfNoneMatch": "*"}
    with aws_errors_as_one_line(f"{FOLDER}{name} is not changed"):
        try:
            stack.books_client("s3").put_object(
                Bucket=stack.output("Bucket"),
                Key=f"{FOLDER}{name}",
                Body=content,
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in CHANGED:
                raise RestoreRefusedError(
                    f"somebody else changed {name} at the same time: check again"
                ) from error
            raise


def _read(stack: DeployedStack, name: str, version: str, bucket: str | None) -> bytes:
    place = bucket or stack.output("Bucket")
    with aws_errors_as_one_line(f"{FOLDER}{name} in {place} cannot be read"):
        try:
            answer = _s3(stack, bucket).get_object(
                Bucket=place, Key=f"{FOLDER}{name}", VersionId=version
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_SUCH_VERSION:
                raise RestoreRefusedError(f"{place} has no version {version} of {name}") from error
            raise
        content = bytes(answer["Body"].read())
    try:
        decode(kind_of(name), msgspec.json.decode(content), name)
    except (InvalidInputError, ValueError) as error:
        raise RestoreRefusedError(f"a run could not read that version: {error}") from error
    return content


def _s3(stack: DeployedStack, bucket: str | None) -> Any:
    return stack.books_client("s3") if bucket is None else stack.client("s3")


def _version(listed: dict[str, Any]) -> Version:
    return Version(
        id=listed["VersionId"],
        written_at=listed["LastModified"],
        is_newest=listed["IsLatest"],
        size=listed.get("Size"),
        tag=listed.get("ETag", ""),
    )


#: S3's codes for a missing version, or an invalid identifier.
NO_SUCH_VERSION = frozenset({"NoSuchVersion", "NoSuchKey", "InvalidArgument", "MethodNotAllowed"})
#: Statuses of a conditional write that found another object: 412, or 409 for one under way.
CHANGED = frozenset({409, 412})
