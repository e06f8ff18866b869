"""Past trades and quotes agree with the minutes that they come from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.paper_broker.conftest import MakeWire, Wire

MINUTE = {"start": "2012-08-08T14:00:00Z", "end": "2012-08-08T14:00:59Z"}


@pytest.fixture
def closed(make_wire: MakeWire) -> Wire:
    """Return a broker after the close of 2012-08-08."""
    wire = make_wire()
    wire.open_session("2012-08-08", "17:00")
    return wire


def test_the_trades_of_a_minute_are_its_bar(closed: Wire) -> None:
    trades = closed.get("/v2/stocks/trades", symbols="AAPL", **MINUTE)["trades"]["AAPL"]
    (bar,) = closed.get("/v2/stocks/AAPL/bars", timeframe="1Min", **MINUTE)["bars"]
    prices = [trade["p"] for trade in trades]
    assert [prices[0], max(prices), min(prices), prices[-1]] == [bar[key] for key in "ohlc"]
    assert sum(trade["s"] for trade in trades) == bar["v"]
    assert [trade["t"][17:19] for trade in trades] == ["00", "20", "40", "59"]
    assert len({trade["i"] for trade in trades}) == 4


def test_each_trade_has_a_quote_around_it(closed: Wire) -> None:
    trades = closed.get("/v2/stocks/AAPL/trades", **MINUTE)["trades"]
    quotes = closed.get("/v2/stocks/AAPL/quotes", **MINUTE)["quotes"]
    assert [quote["t"] for quote in quotes] == [trade["t"] for trade in trades]
    for trade, quote in zip(trades, quotes, strict=True):
        assert quote["bp"] < trade["p"] < quote["ap"]
    many = closed.get("/v2/stocks/quotes", symbols="AAPL,NOPE", **MINUTE)
    assert many["quotes"] == {"AAPL": quotes}


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_of_trades_miss_none(closed: Wire, sort: str) -> None:
    query: dict[str, Any] = {"symbols": "MSFT,AAPL", "limit": 7, "sort": sort}
    query |= {"start": "2012-08-08T14:00:00Z", "end": "2012-08-08T14:04:59Z"}
    rows, token = [], None
    while True:
        more = {"page_token": token} if token else {}
        answer = closed.get("/v2/stocks/trades", **query, **more)
        rows += [(symbol, it["t"]) for symbol, found in answer["trades"].items() for it in found]
        token = answer["next_page_token"]
        if token is None:
            break
    times = sorted({time for _, time in rows}, reverse=sort == "desc")
    assert len(times) == 20
    assert rows == [(symbol, time) for symbol in ("AAPL", "MSFT") for time in times]


def test_todays_trades_are_unknown_until_the_close(wire: Wire) -> None:
    assert wire.get("/v2/stocks/AAPL/trades", start="2012-08-08", feed="iex")["trades"] == []


def test_after_the_close_the_latest_bar_is_the_last_minute(closed: Wire) -> None:
    latest = closed.get("/v2/stocks/AAPL/bars/latest")["bar"]
    assert (latest["t"], latest["c"]) == ("2012-08-08T19:59:00Z", 619.86)
    assert closed.get("/v2/stocks/snapshots", symbols="AAPL")["AAPL"]["minuteBar"] == latest
