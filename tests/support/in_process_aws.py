"""Owns AWS in the test's own process, for the adapters' clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.session import Session, get_session
from moto import mock_aws

from algotrader.adapters.aws import client


@cache
def session() -> Session:
    """Return one session for all tests, because reading the service models takes long."""
    session = get_session()
    session.set_credentials("testing", "testing", "testing")
    session.set_config_variable("region", "us-east-1")
    return session


@contextmanager
def in_process_aws() -> Iterator[None]:
    """Start moto, and drop all cached clients before and after the block.

    Calls run one at a time because moto checks and writes in two steps, while S3's conditional
    writes are atomic.
    """
    one_at_a_time = threading.Lock()
    make_api_call = BaseClient._make_api_call

    def atomic(self: BaseClient, *arguments: Any) -> Any:
        with one_at_a_time:
            return make_api_call(self, *arguments)

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(BaseClient, "_make_api_call", atomic)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr("algotrader.adapters.aws.session", session)
        client.cache_clear()
        yield
        client.cache_clear()
