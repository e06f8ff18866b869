"""Owns the clients of an embedded AWS, which ignore the user's own AWS settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

REGION = "us-east-1"
# Only an embedded AWS accepts these keys, as its root user's.
KEYS = MappingProxyType({"aws_access_key_id": "test", "aws_secret_access_key": "test"})


def make_session(region: str = REGION, keys: Mapping[str, str] = KEYS) -> Any:
    """Make a boto3 session with keys for an embedded AWS."""
    own = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(**keys, region_name=region, botocore_session=own)


def make_client(session: Any, service: str, endpoint_url: str) -> Any:
    """Make a service's client that uses no proxy."""
    config = Config(proxies={}, retries={"total_max_attempts": 2}, max_pool_connections=32)
    return session.client(service, endpoint_url=endpoint_url, config=config)
