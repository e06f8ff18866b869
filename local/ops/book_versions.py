"""Owns the versions of a stack's books, and how a person puts back an earlier one.

The bucket keeps every version of the objects below ``ledger/``. A version that a person puts back
becomes the newest one.
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
#: The type of each object of the books, by its key; in a key, a pattern replaces the desk.
KINDS: dict[str, Any] = {
    ADJUSTMENTS_KEY: tuple[Adjustment, ...],
    RESET_KEY: ResetPeak,
    checkpoint_key(_DESK): Ledger,
    others_key(_DESK): OtherDesks,
    track_key(_DESK): Track,
    reported_key(_DESK): ReportedFills,
}


class RestoreRefusedError(Exception):
    """The books cannot be changed; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object of the books.

    Attributes
    ----------
    size : int or None
        In bytes, or None if this version is a delete marker.
    tag : str
        The entity tag, or an empty string for a delete marker.
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
        Each object's versions, newest first, by its name below ``ledger/``.
    """

    bucket: str
    of: dict[str, tuple[Version, ...]]


def kind_of(name: str) -> Any:
    """Return an object's type by its name, or None if the books have no such object."""
    key = f"{FOLDER}{name}"
    return next(
        (kind for each, kind in KINDS.items() if re.fullmatch(each.replace(".", r"\."), key)), None
    )


def find_versions(stack: DeployedStack, bucket: str | None = None) -> BookVersions:
    """List the versions of the books in the stack's bucket, or in another one.

    Parameters
    ----------
    bucket : str or None
        Another bucket, which the command reads with the user's own permissions.

    Raises
    ------
    AwsProblem
        If AWS refuses or does not answer.
    """
    place = bucket or stack.output("Bucket")
    found: dict[str, list[Version]] = {}
    with aws_errors_as_one_line(f"cannot list the versions below {FOLDER} in {place}"):
        pages = _s3(stack, bucket).get_paginator("list_object_versions")
        # Without the folders of the sessions' summaries, the list does not grow with time.
        for page in pages.paginate(Bucket=place, Prefix=FOLDER, Delimiter="/"):
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
    """Make an earlier version of an object the newest one.

    Parameters
    ----------
    bucket : str or None
        As for `find_versions`.

    Raises
    ------
    RestoreRefusedError
        If the version does not exist or has the wrong type, if a run is under way, or if somebody
        else changed the object first.
    AwsProblem
        If AWS refuses or does not answer.
    """
    now = next(iter(find_versions(stack).of.get(name, ())), None)
    content = _read(stack, name, version, bucket)
    if stack.is_under_way():
        raise RestoreRefusedError(
            "a run is under way and may write the books. Try again when it is over"
        )
    condition = {"IfMatch": now.tag} if now and now.tag else {"IfNoneMatch": "*"}
    with aws_errors_as_one_line(f"{FOLDER}{name} was not changed"):
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
                    f"somebody else changed {name} at the same time. Check it again"
                ) from error
            raise


def _read(stack: DeployedStack, name: str, version: str, bucket: str | None) -> bytes:
    place = bucket or stack.output("Bucket")
    with aws_errors_as_one_line(f"cannot read {FOLDER}{name} in {place}"):
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
        raise RestoreRefusedError(f"a run could not read this version: {error}") from error
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


#: S3's codes for a missing version or an invalid version id.
NO_SUCH_VERSION = frozenset({"NoSuchVersion", "NoSuchKey", "InvalidArgument", "MethodNotAllowed"})
#: S3's statuses if another write came first (412) or is under way (409).
CHANGED = frozenset({409, 412})
