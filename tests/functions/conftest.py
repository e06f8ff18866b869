"""Owns the fixtures that the steps and the adapters share: AWS in this process, and a bucket."""

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
    """Return the client of an S3 in which the desk's bucket is empty."""
    del aws
    made = client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made
