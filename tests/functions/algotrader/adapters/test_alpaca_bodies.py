"""The adapter limits how large an answer may grow and decompresses what the broker sends."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest

from algotrader.adapters.alpaca import AlpacaBroker, client
from algotrader.adapters.alpaca.body import MAX_BODY_BYTES
from algotrader.adapters.alpaca.trading import Trading
from algotrader.errors import BrokerUnavailableError, OrderStateUnknownError
from tests.functions.algotrader.adapters.broker_answers import CLOCK
from tests.functions.algotrader.adapters.conftest import KEYS
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker
from tests.functions.algotrader.adapters.test_alpaca_faults import INTENT

MIB = 1024 * 1024
PLAIN = json.dumps(CLOCK).encode()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_PAUSES_SECONDS", (0.01,))


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def bomb(mebibytes: int) -> bytes:
    """Return a few hundred kilobytes that decompress to the given number of mebibytes of spaces."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(PLAIN)),
        ("GZIP", gzip.compress(PLAIN)),
        ("deflate", zlib.compress(PLAIN)),
        ("identity", PLAIN),
    ],
)
def test_an_answer_is_read_in_the_codings_that_servers_use(
    server: ScriptedBroker, broker: AlpacaBroker, coding: str, content: bytes
) -> None:
    server.on("GET /v2/clock", Answer(content, headers={"Content-Encoding": coding}))

    assert broker.clock().is_open


def test_a_long_compressed_answer_is_read_whole(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    content = json.dumps({**CLOCK, "padding": [str(n) for n in range(400_000)]}).encode()
    server.on("GET /v2/clock", Answer(gzip.compress(content), headers={"Content-Encoding": "gzip"}))

    assert broker.clock().is_open


def test_only_a_coding_that_is_counted_is_asked_for(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/clock", CLOCK)

    broker.clock()

    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_compressed_answer_that_grows_beyond_bounds_is_given_up_early(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    small = bomb(700)
    assert len(small) < 0.8 * MIB
    server.on("GET /v2/clock", Answer(small, status, {"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_TOO_LARGE"):
            broker.clock()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MAX_BODY_BYTES + 16 * MIB
    assert len(server.requests) == 1


def test_a_plain_answer_beyond_bounds_is_given_up(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/clock", Answer(b" " * (MAX_BODY_BYTES + 1)))

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_TOO_LARGE"):
        broker.clock()


def test_an_answer_of_just_the_bound_is_read(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("GET /v2/clock", Answer(PLAIN.ljust(MAX_BODY_BYTES)))

    assert broker.clock().is_open


def test_a_coding_within_a_coding_is_not_unpacked(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    twice = gzip.compress(gzip.compress(PLAIN))
    server.on("GET /v2/clock", Answer(twice, headers={"Content-Encoding": "gzip, gzip"}))

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_NOT_JSON"):
        broker.clock()


@pytest.mark.parametrize(
    "content",
    [gzip.compress(PLAIN, mtime=0)[:-20], b"", raw_deflate(PLAIN), b"not compressed", PLAIN],
)
def test_a_compressed_answer_that_is_broken_is_asked_for_again(
    server: ScriptedBroker, broker: AlpacaBroker, content: bytes
) -> None:
    server.on("GET /v2/clock", Answer(content, headers={"Content-Encoding": "gzip"}), Answer(CLOCK))

    assert broker.clock().is_open
    assert len(server.requests) == 2


def test_an_order_whose_answer_grows_beyond_bounds_may_stand(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("POST /v2/orders", Answer(bomb(40), headers={"Content-Encoding": "gzip"}))

    with pytest.raises(OrderStateUnknownError, match=r"ORDER_FATE_UNKNOWN.*TOO_LARGE"):
        broker.submit(INTENT)


def test_one_connection_carries_all_requests(server: ScriptedBroker) -> None:
    compressed = Answer(gzip.compress(PLAIN), headers={"Content-Encoding": "gzip"})
    server.on("GET /v2/clock", compressed, Answer(CLOCK))
    server.on("DELETE /v2/orders/id-1", Answer(b"", 204))

    connection = client.AlpacaClient(KEYS, server.url, server.url, 20.0)
    trading = Trading(connection)

    for _ in range(2):
        trading.clock()
    trading.cancel("id-1")
    trading.clock()

    pools = connection._session.get_adapter(server.url).poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - no iterator
