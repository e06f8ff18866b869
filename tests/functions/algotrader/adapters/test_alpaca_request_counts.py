"""The client needs few requests, however many symbols there are."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.alpaca.market_data import BARS_PAGE, LONGEST_URL_BYTES, batches
from tests.functions.algotrader.adapters.broker_answers import asset, bar
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen
from tests.functions.algotrader.adapters.test_alpaca_market_data import session

BARS, PRICES = "GET /v2/stocks/bars", "GET /v2/stocks/trades/latest"
ACTIONS = "GET /v1/corporate-actions"
DAYS = tuple(date(2025, 1, 2) + timedelta(days=number) for number in range(25))
FIRST = bar(str(DAYS[0]))


def names(number: int) -> list[str]:
    """Return symbols of the length that takes the most room."""
    return [f"ABC{each:04d}" for each in range(number)]


def page_of_bars(seen: Seen) -> Answer:
    """Answer as Alpaca does: by symbol, at most 10,000 points across all symbols."""
    points = [(name, day) for name in seen.query["symbols"].split(",") for day in DAYS]
    start = int(seen.query.get("page_token", "0"))
    end = start + BARS_PAGE
    bars: dict[str, list[dict[str, Any]]] = {}
    for name, day in points[start:end]:
        bars.setdefault(name, []).append({**FIRST, "t": f"{day}T05:00:00Z"})
    token = str(end) if end < len(points) else None
    return Answer({"bars": bars, "next_page_token": token})


@pytest.mark.parametrize(("number", "chunks"), [(1, 1), (500, 1), (501, 2), (1000, 2)])
def test_bars_take_one_request_for_each_ten_thousand_points_of_a_chunk(
    server: ScriptedBroker, broker: AlpacaBroker, number: int, chunks: int
) -> None:
    server.on(BARS, page_of_bars)

    bars = broker.bars(names(number), tuple(map(session, DAYS)), "sip", "split")

    assert {name: len(each) for name, each in bars.items()} == dict.fromkeys(names(number), 25)
    sizes = [len(each) for each in batches(names(number))]
    assert len(sizes) == chunks
    assert len(server.requests) == sum(math.ceil(size * 25 / BARS_PAGE) for size in sizes)


def test_no_address_is_longer_than_six_kilobytes_and_none_is_much_shorter_than_it_may_be(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(BARS, {"bars": {}, "next_page_token": None})
    server.on(PRICES, {"trades": {}})
    server.on(ACTIONS, {"corporate_actions": {}, "next_page_token": None})

    broker.bars(names(1001), tuple(map(session, DAYS)), "sip", "split,spin-off")
    broker.latest_prices(names(1001), "delayed_sip")
    broker.corporate_actions(names(1001), DAYS[0], DAYS[-1])

    for request in (BARS, PRICES, ACTIONS):
        *full, last = (len(server.url + each.target) for each in server.asked(request))
        assert len(full) == 2
        assert last < min(full)
        assert all(LONGEST_URL_BYTES - 1000 < each <= LONGEST_URL_BYTES for each in full)


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (10, 10), (11, 1), (1000, 1)])
def test_more_than_a_handful_of_assets_take_one_request(
    server: ScriptedBroker, broker: AlpacaBroker, number: int, requests: int
) -> None:
    server.on("GET /v2/assets", [asset(name) for name in names(1001)])
    server.on("*", lambda seen: Answer(asset(seen.path.rpartition("/")[2])))

    assert list(broker.assets(names(number))) == names(number)

    assert len(server.requests) == requests
