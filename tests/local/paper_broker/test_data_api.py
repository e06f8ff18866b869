from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from local.paper_broker.data import load
from local.paper_broker.values import Behaviour
from tests.local.paper_broker.conftest import MakeWire, Wire

BARS = "/v2/stocks/bars"
LAST_CLOSE = "2012-08-07T20:00:00Z"


def test_bars_are_real_and_stamped_at_new_yorks_midnight(wire: Wire) -> None:
    answer = wire.get(
        BARS, symbols="AAPL", timeframe="1Day", start="2012-08-07", end=LAST_CLOSE, feed="sip"
    )
    bar = next(it for it in load().bars["AAPL"] if it.session.isoformat() == "2012-08-07")
    (found,) = answer["bars"]["AAPL"]
    assert found["t"] == "2012-08-07T04:00:00Z"
    assert [found[key] for key in "ohlcv"] == [float(price) for price in bar[1:]]
    assert answer["next_page_token"] is None


def test_only_the_open_of_todays_bar_is_known(wire: Wire) -> None:
    answer = wire.get(BARS, symbols="AAPL", timeframe="1Day", start="2012-08-08", feed="iex")
    (bar,) = answer["bars"]["AAPL"]
    assert {bar["o"], bar["h"], bar["l"], bar["c"]} == {619.39}
    assert bar["v"] == 0


def test_the_free_plan_refuses_recent_sip_data(wire: Wire, make_wire: MakeWire) -> None:
    query = {"symbols": "AAPL", "timeframe": "1Day", "start": "2012-08-01", "feed": "sip"}
    refused = wire.send("GET", BARS, **query, end="2012-08-08T13:30:00Z")
    assert (refused.status_code, (refused.json or {})["message"]) == (
        403,
        "subscription does not permit querying recent SIP data",
    )
    assert (
        wire.send("GET", "/v2/stocks/trades/latest", symbols="AAPL", feed="sip").status_code == 403
    )
    delayed = wire.get(BARS, **query)["bars"]["AAPL"]
    assert delayed[-1]["t"] == "2012-08-07T04:00:00Z"
    paid = make_wire(real_time_sip=True)
    assert paid.get(BARS, **query, end="2012-08-08T13:35:00Z")["bars"]["AAPL"][-1]["v"] == 0


def test_an_address_longer_than_six_kilobytes_is_refused(wire: Wire) -> None:
    for count, status in ((1200, 200), (1229, 414)):
        symbols = ",".join(["AAPL"] * count)
        query = {"symbols": symbols, "timeframe": "1Day", "start": "2012-08-07", "feed": "iex"}
        assert wire.send("GET", BARS, **query).status_code == status


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_pages_hold_limit_points_over_all_symbols_and_miss_none(
    wire: Wire, limit: int, sort: str
) -> None:
    query = {"symbols": "MSFT,AAPL", "timeframe": "1Day", "start": "2012-07-25", "end": LAST_CLOSE}
    rows, token = [], None
    while True:
        more = {"page_token": token} if token else {}
        answer = wire.get(BARS, **query, limit=limit, sort=sort, **more)
        page = [(symbol, bar["t"]) for symbol, bars in answer["bars"].items() for bar in bars]
        assert len(page) <= limit
        rows += page
        token = answer["next_page_token"]
        if token is None:
            break
    times = sorted({time for _, time in rows}, reverse=sort == "desc")
    assert len(times) == 10
    assert rows == [(symbol, time) for symbol in ("AAPL", "MSFT") for time in times]


def test_the_default_page_holds_a_thousand_points(wire: Wire) -> None:
    query = {"timeframe": "1Day", "start": "2000-03-01", "end": LAST_CLOSE}
    answer = wire.get(BARS, symbols="AAPL,IBM", **query)
    assert sum(map(len, answer["bars"].values())) == 1000
    assert list(answer["bars"]) == ["AAPL"]


def test_adjusted_bars_do_not_contain_future_splits(make_wire: MakeWire) -> None:
    wire = make_wire()
    query: dict[str, Any] = {"symbols": "AAPL", "timeframe": "1Day", "adjustment": "split"}
    query |= {"start": "2005-02-25", "end": "2005-02-25T21:00:00Z"}
    wire.open_session("2005-02-25", "17:00")
    (before,) = wire.get(BARS, **query)["bars"]["AAPL"]
    wire.open_session("2005-02-28")
    (after,) = wire.get(BARS, **query)["bars"]["AAPL"]
    assert after["c"] == pytest.approx(before["c"] / 2, abs=1e-4)
    assert after["v"] == before["v"] * 2
    (raw,) = wire.get(BARS, **{**query, "adjustment": "raw"})["bars"]["AAPL"]
    assert raw["c"] == before["c"]


def test_an_unknown_symbol_is_left_out(wire: Wire) -> None:
    query = {"timeframe": "1Day", "start": "2012-08-07", "end": LAST_CLOSE}
    assert list(wire.get(BARS, symbols="AAPL,NOPE", **query)["bars"]) == ["AAPL"]
    trades = wire.get("/v2/stocks/trades/latest", symbols="AAPL,NOPE")["trades"]
    assert list(trades) == ["AAPL"]


@pytest.mark.parametrize(
    "change",
    [
        {"symbols": ""},
        {"symbols": "aapl"},
        {"symbols": "AAPL;"},
        {"timeframe": "60Min"},
        {"adjustment": "none"},
        {"limit": "10001"},
        {"limit": "0"},
        {"start": "x"},
        {"start": "2012-08-07", "end": "2012-08-06"},
        {"feed": "nyse"},
        {"page_token": "%%%"},
        {"sort": "up"},
    ],
)
def test_a_wrong_query_is_400(wire: Wire, change: dict[str, str]) -> None:
    query = {"symbols": "AAPL", "timeframe": "1Day", "start": "2012-08-01", **change}
    answer = wire.send("GET", BARS, **query)
    wire.contract.breaches.clear()  # these requests break the documents on purpose
    assert answer.status_code == 400
    assert set(answer.json or {}) == {"code", "message"}


def test_one_symbols_bars_have_a_path_of_their_own(wire: Wire) -> None:
    query = {"timeframe": "1Day", "start": "2012-08-01", "end": LAST_CLOSE}
    one = wire.get("/v2/stocks/AAPL/bars", **query)
    many = wire.get(BARS, symbols="AAPL", **query)
    assert (one["symbol"], one["bars"]) == ("AAPL", many["bars"]["AAPL"])


def test_the_latest_trade_is_the_open_a_few_seconds_ago(wire: Wire) -> None:
    trades = wire.get("/v2/stocks/trades/latest", symbols="AAPL,MSFT", feed="iex")["trades"]
    assert trades["AAPL"]["p"] == 619.39
    assert trades["AAPL"]["t"] == "2012-08-08T13:34:57.000000Z"
    assert wire.get("/v2/stocks/AAPL/trades/latest")["trade"] == trades["AAPL"]


def test_a_stale_price_can_be_requested(make_wire: MakeWire) -> None:
    wire = make_wire(behaviour=Behaviour(price_age_seconds=240.0))
    trade = wire.get("/v2/stocks/AAPL/trades/latest")["trade"]
    assert trade["t"] == "2012-08-08T13:31:00.000000Z"


def test_quotes_and_snapshots_surround_the_latest_trade(wire: Wire) -> None:
    quote = wire.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]["AAPL"]
    assert quote["bp"] < 619.39 < quote["ap"]
    assert wire.get("/v2/stocks/AAPL/quotes/latest")["quote"] == quote
    snapshot = wire.get("/v2/stocks/snapshots", symbols="AAPL")["AAPL"]
    assert snapshot["latestTrade"]["p"] == snapshot["dailyBar"]["o"] == 619.39
    assert snapshot["prevDailyBar"]["t"] == "2012-08-07T04:00:00Z"
    assert wire.get("/v2/stocks/AAPL/snapshot") == {"symbol": "AAPL", **snapshot}
    latest = wire.get("/v2/stocks/bars/latest", symbols="AAPL")["bars"]["AAPL"]
    assert latest == snapshot["minuteBar"]


def test_one_unknown_symbol_is_404(wire: Wire) -> None:
    assert wire.send("GET", "/v2/stocks/NOPE/trades/latest").status_code == 404


@pytest.mark.parametrize("path", ["/v1/corporate-actions", "/v1beta1/corporate-actions"])
def test_corporate_actions_are_known_two_weeks_before_their_ex_date(
    make_wire: MakeWire, path: str
) -> None:
    wire = make_wire(session=date(2012, 7, 25))
    query = {"symbols": "AAPL", "start": "2012-07-01", "end": "2012-12-31"}
    assert wire.get(path, **query)["corporate_actions"] == {}
    wire.open_session("2012-07-26")
    (paid,) = wire.get(path, **query)["corporate_actions"]["cash_dividends"]
    assert (paid["ex_date"], paid["rate"], paid["special"]) == ("2012-08-09", 2.65, False)
    assert (paid["process_date"], paid["payable_date"]) == ("2012-08-23", "2012-08-23")


def test_a_dividend_is_listed_by_its_day_of_payment(make_wire: MakeWire) -> None:
    wire = make_wire(session=date(2012, 8, 9))
    for last, listed in (("2012-08-22", []), ("2012-08-23", ["AAPL"])):
        query = {"symbols": "AAPL", "start": "2012-08-09", "end": last}
        found = wire.get("/v1/corporate-actions", **query)["corporate_actions"]
        assert [each["symbol"] for each in found.get("cash_dividends", [])] == listed


def test_corporate_actions_have_splits_and_pages(wire: Wire) -> None:
    query = {"start": "2000-01-01", "end": "2012-08-08", "types": "forward_split", "limit": 2}
    first = wire.get("/v1/corporate-actions", **query)
    token = first["next_page_token"]
    second = wire.get("/v1/corporate-actions", **query, page_token=token)
    splits = [
        (it["symbol"], it["ex_date"], it["new_rate"], it["old_rate"])
        for page in (first, second)
        for it in page["corporate_actions"]["forward_splits"]
    ]
    assert splits == [
        ("AAPL", "2000-06-21", 2, 1),
        ("MSFT", "2003-02-18", 2, 1),
        ("AAPL", "2005-02-28", 2, 1),
    ]
    assert second["next_page_token"] is None
