"""The client waits for the reset of each API's rate limit, and repeats only the failed page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from types import SimpleNamespace

import pytest

from algotrader.adapters.alpaca import AlpacaBroker, client
from algotrader.adapters.alpaca.rate_limits import read_rate_limit
from algotrader.errors import BrokerRateLimitedError
from tests.functions.algotrader.adapters.broker_answers import CLOCK, bar
from tests.functions.algotrader.adapters.conftest import KEYS
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen
from tests.functions.algotrader.adapters.test_alpaca_faults import ACCEPTED, INTENT
from tests.functions.algotrader.adapters.test_alpaca_market_data import SESSIONS

DATE = "Tue, 06 Jan 2026 14:35:00 GMT"  # 1767710100
PRICES = "GET /v2/stocks/trades/latest"


def headers(reset: int = 1767710112, remaining: int = 0, date: str = DATE) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
        "Date": date,
    }


BUSY = Answer({"message": "too many requests."}, 429, headers())


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the client's clock: sleeping takes no time and moves the clock forward."""
    slept: list[float] = []
    fast = SimpleNamespace(
        monotonic=lambda: time.monotonic() + sum(slept),
        sleep=slept.append,
    )
    monkeypatch.setattr(client, "time", fast)
    return slept


def nearly(*seconds: float) -> list[object]:
    return [pytest.approx(each, abs=0.5) for each in seconds]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (headers(), 12.0),
        (headers(reset=1767710100), 1.0),
        (headers(reset=1767710095), 1.0),
        (headers(reset=1767710400), 60.0),
        (headers(reset=1767710100 + 86400), 2.0),
        (headers(reset=17677101120000), 2.0),
        (headers(reset=-3), 2.0),
        (headers(date="soon"), 2.0),
        (headers(date=""), 2.0),
        (headers(date="Tue, 06 Jan 99999999999 14:35:00 GMT"), 2.0),
        ({"Date": DATE}, 2.0),
        ({"Date": DATE, "X-RateLimit-Reset": "²"}, 2.0),
        ({"X-RateLimit-Reset": "1767710112"}, 2.0),
        ({}, 2.0),
    ],
)
def test_a_wait_is_the_reset_less_the_answers_own_date(
    given: Mapping[str, str], seconds: float
) -> None:
    assert read_rate_limit(given).wait_seconds == seconds


def test_a_read_waits_for_the_reset_and_is_sent_again(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    server.on("GET /v2/clock", BUSY, CLOCK)

    assert broker.clock().is_open

    assert sleeps == nearly(12)


def test_a_read_that_the_broker_limits_three_times_fails_and_says_how_long_to_wait(
    server: ScriptedBroker, sleeps: list[float]
) -> None:
    server.on("GET /v2/clock", BUSY)

    with pytest.raises(BrokerRateLimitedError, match=r"wait_seconds=12\. ") as raised:
        AlpacaBroker(KEYS, server.url, server.url, 60.0).clock()

    assert raised.value.wait_seconds == 12.0
    assert sleeps == nearly(12, 12)
    assert len(server.requests) == 3


def test_a_read_does_not_wait_beyond_the_budget(
    server: ScriptedBroker, sleeps: list[float]
) -> None:
    server.on("GET /v2/clock", BUSY)

    with pytest.raises(BrokerRateLimitedError):
        AlpacaBroker(KEYS, server.url, server.url, 12.5).clock()

    assert sleeps == []
    assert len(server.requests) == 1


def test_a_read_waits_before_it_is_sent_if_no_request_is_left(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    server.on("GET /v2/clock", Answer(CLOCK, headers=headers()))

    broker.clock()
    assert sleeps == []
    broker.clock()
    assert sleeps == nearly(12)


def test_the_last_request_of_a_post_counts_too(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    server.on("POST /v2/orders", Answer(ACCEPTED, headers=headers()))
    server.on("GET /v2/clock", CLOCK)

    broker.submit(INTENT)
    broker.clock()

    assert sleeps == nearly(12)


@pytest.mark.parametrize("given", [headers(remaining=1), {"X-RateLimit-Remaining": "0"}])
def test_a_read_does_not_wait_unless_the_broker_says_until_when(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float], given: dict[str, str]
) -> None:
    server.on("GET /v2/clock", Answer(CLOCK, headers=given))

    broker.clock()
    broker.clock()

    assert sleeps == []


def test_trading_and_market_data_have_limits_of_their_own_even_at_one_address(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    server.on("GET /v2/clock", Answer(CLOCK, headers=headers()))
    server.on(PRICES, Answer({"trades": {}}, headers=headers()))

    broker.clock()
    broker.latest_prices(["AAPL"], "iex")
    assert sleeps == []
    broker.latest_prices(["AAPL"], "iex")
    assert sleeps == nearly(12)


def test_an_order_that_the_broker_limits_is_sent_once_and_was_not_accepted(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    server.on("POST /v2/orders", BUSY)

    with pytest.raises(BrokerRateLimitedError) as raised:
        broker.submit(INTENT)

    assert raised.value.wait_seconds == 12.0
    assert sleeps == []
    assert len(server.requests) == 1


def test_a_list_goes_on_at_the_page_that_the_broker_limited(
    server: ScriptedBroker, broker: AlpacaBroker, sleeps: list[float]
) -> None:
    """Every third request gets 429, as when other programs use the account."""
    answered = count(1)
    busy = Answer({"message": "too many requests."}, 429, headers(reset=1767710101))

    def page(seen: Seen) -> Answer:
        if next(answered) % 3 == 0:
            return busy
        number = int(seen.query.get("page_token", "0"))
        days = {f"S{number:02d}": [bar("2026-01-02")]}
        return Answer({"bars": days, "next_page_token": str(number + 1) if number < 19 else None})

    server.on("GET /v2/stocks/bars", page)

    bars = broker.bars([f"S{number:02d}" for number in range(20)], SESSIONS, "iex", "split")

    assert len(bars) == 20
    assert len(server.requests) == 29  # 20 pages, and 9 that the broker limited
    assert len(sleeps) == 9


@pytest.mark.parametrize(
    "broken",
    [
        Answer(b"<html><body>Bad gateway</body></html>"),
        Answer(b'{"bars": {"AAPL": [{"t": "2026-01-02T05:00:00Z", "o": 1'),
        Answer(b""),
        Answer(b"", 502),
        Answer({}, fault="reset"),
        Answer({}, fault="truncated"),
        Answer({}, fault="stall"),
    ],
)
def test_a_list_goes_on_at_the_page_that_was_broken(
    server: ScriptedBroker, monkeypatch: pytest.MonkeyPatch, broken: Answer
) -> None:
    monkeypatch.setattr(client, "READ_PAUSES_SECONDS", (0.01,))
    monkeypatch.setattr(client, "READ_TIMEOUT_SECONDS", 0.2)
    first = Answer({"bars": {"AAPL": [bar("2026-01-02")]}, "next_page_token": "2"})
    last = Answer({"bars": {"AAPL": [bar("2026-01-05")]}, "next_page_token": None})
    server.on("GET /v2/stocks/bars", first, broken, last)

    broker = AlpacaBroker(KEYS, server.url, server.url, 20.0)
    bars = broker.bars(["AAPL"], SESSIONS, "iex", "split")

    assert len(bars["AAPL"]) == 2
    assert [each.query.get("page_token") for each in server.requests] == [None, "2", "2"]
