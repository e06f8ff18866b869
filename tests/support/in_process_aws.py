"""Owns AWS within the test's own process, for the adapters' boto3 clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto import mock_aws

from algotrader.adapters.aws import client


@contextmanager
def in_process_aws() -> Iterator[None]:
    """Stand AWS up; clients that were made before, or are made within, do not outlive it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client.cache_clear()
        yield
        client.cache_clear()
