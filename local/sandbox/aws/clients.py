"""Owns how an embedded AWS is spoken to: the user's own AWS settings do not matter to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.sandbox.aws.process import REGION

# What an embedded AWS takes for its root, and nobody else does.
KEYS = MappingProxyType({"aws_access_key_id": "test", "aws_secret_access_key": "test"})


def make_session(region: str = REGION, keys: Mapping[str, str] = KEYS) -> Any:
    """Make a boto3 session with keys for an embedded AWS."""
    import boto3  # noqa: PLC0415 - 0.3 s that the command line's help need not wait for
    import botocore.session  # noqa: PLC0415

    own = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(**keys, region_name=region, botocore_session=own)


def make_client(session: Any, service: str, endpoint_url: str) -> Any:
    """Make the client of a service that no proxy stands before."""
    from botocore.config import Config  # noqa: PLC0415

    config = Config(proxies={}, retries={"total_max_attempts": 2}, max_pool_connections=32)
    return session.client(service, endpoint_url=endpoint_url, config=config)
