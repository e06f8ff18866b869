"""Owns the fixtures that steps and core share: AWS in this process, a bucket, own strategies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.aws import client
from tests.support.in_process_aws import in_process_aws
from tests.support.own_strategies import Write, own_strategies

BUCKET = "desk-bucket"


@pytest.fixture
def aws() -> Iterator[None]:
    with in_process_aws():
        yield


@pytest.fixture
def s3(aws: None) -> Any:
    """Return an S3 client with an empty bucket for the desk."""
    del aws
    made = client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Yield a function that writes files into the strategies package, next to the shipped ones."""
    with own_strategies(tmp_path, monkeypatch) as to_file:
        yield to_file
