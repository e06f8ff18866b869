"""Owns how the strategy's files reach a local desk's bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from algotrader.adapters.strategy_files import PREFIX


def put_files(s3: Any, bucket: str, folder: Path) -> None:
    """Copy every file of a folder and its subfolders to ``strategies/`` in the bucket."""
    for path in _files_of(folder):
        key = f"{PREFIX}{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())


def _files_of(folder: Path) -> Iterator[Path]:
    """Iterate over the files, without hidden ones such as .DS_Store."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            yield path
