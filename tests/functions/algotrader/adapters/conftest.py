"""Owns the fixtures of the adapters: a scripted broker, and AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from algotrader.adapters.alpaca import AlpacaBroker, Keys
from algotrader.adapters.aws import client
from tests.functions.algotrader.adapters.scripted_broker import ScriptedBroker

KEYS = Keys("MARKED-KEY-ID", "MARKED-SECRET")


@pytest.fixture
def server() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as scripted:
        yield scripted


@pytest.fixture
def broker(server: ScriptedBroker) -> AlpacaBroker:
    return AlpacaBroker(KEYS, server.url, server.url, 20.0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand AWS up within this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client.cache_clear()
        yield
        client.cache_clear()
