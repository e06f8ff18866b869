"""Bars of every timeframe begin on New York's clock and agree with each other, as Alpaca's do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from local.paper_broker.data import load
from tests.local.paper_broker.conftest import MakeWire, Wire

BARS = "/v2/stocks/bars"
AFTER = "17:00"  # the minutes of a session are known after its close


def bars(wire: Wire, timeframe: str, start: str, end: str, **query: Any) -> list[Any]:
    query = {"symbols": "AAPL", "timeframe": timeframe, "start": start, "end": end, **query}
    return list(wire.get(BARS, limit=10_000, **query)["bars"].get("AAPL", []))


@pytest.fixture
def closed(make_wire: MakeWire) -> Wire:
    """Return a broker after the close of Friday, 2012-08-10."""
    wire = make_wire()
    wire.open_session("2012-08-10", AFTER)
    return wire


@pytest.mark.parametrize(
    ("timeframe", "count", "first", "second"),
    [
        ("1Min", 390, "13:30", "13:31"),
        ("5T", 78, "13:30", "13:35"),
        ("15Min", 26, "13:30", "13:45"),
        ("30Min", 13, "13:30", "14:00"),
        ("1Hour", 7, "13:00", "14:00"),
        ("1H", 7, "13:00", "14:00"),
        ("4Hour", 2, "12:00", "16:00"),
        ("59Min", 8, "12:51", "13:50"),
    ],
)
def test_bars_of_a_session_begin_on_the_clock_and_sum_up_to_the_day(
    closed: Wire, timeframe: str, count: int, first: str, second: str
) -> None:
    found = bars(closed, timeframe, "2012-08-09", "2012-08-09T20:30:00Z")
    (day,) = bars(closed, "1Day", "2012-08-09", "2012-08-09T20:30:00Z")
    assert len(found) == count
    assert [bar["t"][11:16] for bar in found[:2]] == [first, second]
    assert found[0]["o"] == day["o"]
    assert max(bar["h"] for bar in found) == day["h"]
    assert min(bar["l"] for bar in found) == day["l"]
    assert found[-1]["c"] == day["c"]
    assert sum(bar["v"] for bar in found) == day["v"]


def test_the_first_and_the_last_hour_hold_half_an_hour_and_a_whole_one(closed: Wire) -> None:
    day = ("2012-08-09", "2012-08-09T20:30:00Z")
    halves, hours = bars(closed, "30Min", *day), bars(closed, "1Hour", *day)
    assert (hours[0]["t"], hours[-1]["t"]) == ("2012-08-09T13:00:00Z", "2012-08-09T19:00:00Z")
    shown = ("o", "h", "l", "c", "v")
    assert [hours[0][key] for key in shown] == [halves[0][key] for key in shown]
    assert hours[-1]["v"] == halves[-2]["v"] + halves[-1]["v"]


def test_winter_and_an_early_close_shift_the_stamps_in_utc(make_wire: MakeWire) -> None:
    wire = make_wire()
    wire.open_session("2012-11-23", AFTER)
    found = bars(wire, "30Min", "2012-11-23", "2012-11-23T20:30:00Z")
    assert [found[0]["t"], found[-1]["t"]] == ["2012-11-23T14:30:00Z", "2012-11-23T17:30:00Z"]
    assert len(found) == 7


def test_weeks_begin_on_monday_even_if_it_is_a_holiday(make_wire: MakeWire) -> None:
    wire = make_wire()
    wire.open_session("2012-09-14", AFTER)
    weeks = bars(wire, "1Week", "2012-08-27", "2012-09-14T20:30:00Z")
    days = bars(wire, "1Day", "2012-09-03", "2012-09-07T20:30:00Z")
    assert [week["t"][:10] for week in weeks] == ["2012-08-27", "2012-09-03", "2012-09-10"]
    assert days[0]["t"][:10] == "2012-09-04"  # Labor Day was on the 3rd
    assert (weeks[1]["o"], weeks[1]["c"]) == (days[0]["o"], days[-1]["c"])
    assert weeks[1]["h"] == max(day["h"] for day in days)
    assert weeks[1]["v"] == sum(day["v"] for day in days)
    assert bars(wire, "1W", "2012-08-28", "2012-09-14T20:30:00Z") == weeks[1:]


@pytest.mark.parametrize(
    ("timeframe", "stamps"),
    [
        ("1Month", ["2012-04-01T04", "2012-05-01T04", "2012-06-01T04", "2012-07-01T04"]),
        ("3M", ["2012-04-01T04", "2012-07-01T04"]),
        ("12Month", ["2012-01-01T05"]),
    ],
)
def test_months_begin_on_their_first_day(wire: Wire, timeframe: str, stamps: list[str]) -> None:
    start = "2012-01-01" if timeframe == "12Month" else "2012-04-01"
    found = bars(wire, timeframe, start, "2012-07-31T20:30:00Z")
    assert [bar["t"][:13] for bar in found] == stamps


def test_a_week_over_a_split_is_adjusted_by_days(make_wire: MakeWire) -> None:
    wire = make_wire()
    wire.open_session("2005-03-04", AFTER)
    query = {"adjustment": "split"}
    (week,) = bars(wire, "1Week", "2005-02-28", "2005-03-04T20:30:00Z", **query)
    before = bars(wire, "1Min", "2005-02-25", "2005-02-25T21:30:00Z", **query)
    raw = next(day for day in load().bars["AAPL"] if day.session == date(2005, 2, 25))
    assert week["o"] == 44.68
    assert before[-1]["c"] == pytest.approx(float(raw.close / 2), abs=1e-4)
    assert sum(bar["v"] for bar in before) == raw.volume * 2


def test_the_minutes_of_a_session_are_unknown_until_its_close(wire: Wire) -> None:
    today = ("2012-08-08", "2012-08-08T23:59:00Z")
    assert bars(wire, "1Min", *today, feed="iex") == []
    wire.open_session("2012-08-08", "16:00")
    assert len(bars(wire, "1Min", *today, feed="iex")) == 390
    assert bars(wire, "1Min", "2012-08-08", "2012-08-08T19:45:00Z", feed="sip") == []
    wire.open_session("2012-08-08", "16:15")
    assert len(bars(wire, "1Min", "2012-08-08", "2012-08-08T20:00:00Z", feed="sip")) == 390


def test_the_interval_holds_the_stamps_of_its_bars(closed: Wire) -> None:
    found = bars(closed, "1Hour", "2012-08-09T14:00:00Z", "2012-08-09T16:59:59Z")
    assert [bar["t"][11:16] for bar in found] == ["14:00", "15:00", "16:00"]
    found = bars(closed, "1Min", "2012-08-09T14:00:00.5Z", "2012-08-09T14:02:00Z")
    assert [bar["t"][11:16] for bar in found] == ["14:01", "14:02"]


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_of_minutes_miss_none(closed: Wire, sort: str) -> None:
    query = {"symbols": "MSFT,AAPL", "timeframe": "5Min", "sort": sort, "limit": 100}
    query |= {"start": "2012-08-08", "end": "2012-08-10T20:30:00Z"}
    rows, token = [], None
    while True:
        answer = closed.get(BARS, **query, **({"page_token": token} if token else {}))
        rows += [(symbol, bar["t"]) for symbol, bars in answer["bars"].items() for bar in bars]
        token = answer["next_page_token"]
        if token is None:
            break
    times = sorted({time for _, time in rows}, reverse=sort == "desc")
    assert len(times) == 3 * 78
    assert rows == [(symbol, time) for symbol in ("AAPL", "MSFT") for time in times]


@pytest.mark.parametrize(
    "timeframe", ["0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "1min", "Min", "1Year"]
)
def test_a_timeframe_that_alpaca_lacks_is_400(wire: Wire, timeframe: str) -> None:
    query = {"symbols": "AAPL", "timeframe": timeframe, "start": "2012-08-01"}
    answer = wire.send("GET", BARS, **query)
    assert answer.status_code == 400
    assert (answer.json or {})["message"] == f"invalid timeframe: {timeframe}"
