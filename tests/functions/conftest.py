"""Owns the fixtures that steps and adapters share: AWS in this process, and a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from algotrader.adapters.aws import client
from tests.support.in_process_aws import in_process_aws

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
