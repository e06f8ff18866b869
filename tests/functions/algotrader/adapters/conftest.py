"""Owns the fixtures for the broker adapter: a scripted broker and a client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.keys import Keys
from tests.functions.algotrader.adapters.scripted_broker import ScriptedBroker

KEYS = Keys("MARKED-KEY-ID", "MARKED-SECRET")


@pytest.fixture
def server() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as scripted:
        yield scripted


@pytest.fixture
def broker(server: ScriptedBroker) -> AlpacaBroker:
    return AlpacaBroker(KEYS, server.url, server.url, 20.0)
