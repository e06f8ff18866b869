"""Owns the user's own objects in the bucket: models and tables that a strategy reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from algotrader.adapters.aws import client
from algotrader.errors import StrategyError
from algotrader.strategy.files import Files

PREFIX = "strategies/"

#: S3 answers 403, not 404, for a missing object if the role may not list the bucket.
_NOT_THERE = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


class StrategyFiles(Files):
    """The objects below ``strategies/`` in the bucket, by name; each is read once.

    Parameters
    ----------
    bucket : str
        The desk's bucket; the first call to S3 is the read of a file.
    pins : mapping of str to str
        The SHA-256 that a file must have, in hexadecimal digits, by the file's name.
    """

    def __init__(self, bucket: str, pins: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__()
        self.bucket = bucket
        self.pins = pins
        self._read: dict[str, bytes] = {}
        self._hashes: dict[str, str] = {}

    def check_pins(self) -> None:
        """Read and check every pinned file before the strategy sees one.

        Raises
        ------
        StrategyError
            ``STRATEGY_FILE_MISSING`` or ``STRATEGY_FILE_CHANGED``.
        """
        for name in self.pins:
            self[name]

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file that was read, by its name."""
        return {name: self._hashes[name] for name in sorted(self._hashes)}

    def __getitem__(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        StrategyError
            ``STRATEGY_FILE_MISSING`` or ``STRATEGY_FILE_CHANGED``.
        """
        content = self._content(name)
        if content is None:
            raise StrategyError(
                "STRATEGY_FILE_MISSING",
                self._advice_for_missing(name),
                file=f"{PREFIX}{name}",
                bucket=self.bucket,
            )
        return content

    def _advice_for_missing(self, name: str) -> str:
        if os.environ.get("AWS_ENDPOINT_URL"):  # the local run; template.yaml leaves it empty
            return (
                f"Copy it to strategy-files/{name} or into the folder of --files, then run again."
            )
        return f"Upload it: aws s3 cp {name} s3://{self.bucket}/{PREFIX}{name}"

    def get(self, name: str, default: Any = None) -> Any:
        """Read a file; return the default if there is none."""
        content = self._content(name)
        return default if content is None else content

    def __contains__(self, name: object) -> bool:
        """Return whether a file exists, by reading it."""
        return isinstance(name, str) and self._content(name) is not None

    def __iter__(self) -> Iterator[str]:
        """List the names of all files."""
        pages = client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=PREFIX):
            for each in page.get("Contents", []):
                if each["Key"] != PREFIX:
                    yield each["Key"].removeprefix(PREFIX)

    def __len__(self) -> int:
        """Count the files."""
        return sum(1 for _ in self)

    def _content(self, name: str) -> bytes | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - only if a file is read

        if name not in self._read:
            try:
                answer = client("s3").get_object(Bucket=self.bucket, Key=f"{PREFIX}{name}")
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_THERE:
                    return None
                raise
            content = bytes(answer["Body"].read())
            self._hashes[name] = self._checked_hash(name, content)
            self._read[name] = content
        return self._read[name]

    def _checked_hash(self, name: str, content: bytes) -> str:
        found = hashlib.sha256(content).hexdigest()
        pinned = self.pins.get(name, found)
        if found != pinned:
            raise StrategyError(
                "STRATEGY_FILE_CHANGED",
                "If the new file is yours, put its hash into the strategy's pins and deploy; "
                "otherwise upload the pinned one again and find out who can write to the bucket.",
                file=f"{PREFIX}{name}",
                pinned=pinned,
                found=found,
            )
        return found
