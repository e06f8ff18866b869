"""Recompute the computed symbols: a fund by its formula, and random walks from their seeds."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from itertools import islice, pairwise
from statistics import mean

import pytest

from algotrader.orders.ids import SYMBOL_PATTERN
from local.paper_broker.data import (
    FUND,
    MAX_SYNTHETIC,
    History,
    load,
    sample_history,
    synthetic_symbol,
)
from local.paper_broker.data.computed import ComputedBars
from tests.local.paper_broker.conftest import MakeWire

AAPL_DIVIDEND = date(2012, 8, 9)
MSFT_SPLIT = date(2003, 2, 18)
SPECIAL_DIVIDEND = date(2004, 11, 15)
GOOG_LISTS = date(2004, 8, 19)


@pytest.fixture(scope="module")
def history() -> History:
    return sample_history(synthetic=50)


def total_return(symbol: str, session: date) -> float | None:
    """Return a stock's growth since the previous close, or None without one."""
    bars = {bar.session: bar for bar in load().bars[symbol]}
    before = max((each for each in bars if each < session), default=None)
    if before is None or session not in bars:
        return None
    ratio = {(it.symbol, it.ex_date): float(it.ratio) for it in load().splits}
    paid = sum(
        float(it.amount) for it in load().dividends if (it.symbol, it.ex_date) == (symbol, session)
    )
    worth = (float(bars[session].close) + paid) * ratio.get((symbol, session), 1.0)
    return worth / float(bars[before].close)


@pytest.mark.parametrize(
    "session", [MSFT_SPLIT, GOOG_LISTS, SPECIAL_DIVIDEND, AAPL_DIVIDEND, date(2013, 3, 1)]
)
def test_the_fund_moves_by_the_mean_of_the_stocks_total_returns(
    history: History, session: date
) -> None:
    closes = {bar.session: float(bar.close) for bar in history.bars[FUND.symbol]}
    before = max(each for each in closes if each < session)
    growths = [growth for each in load().bars if (growth := total_return(each, session))]
    assert closes[session] / closes[before] == pytest.approx(mean(growths), abs=2e-4)


def test_the_fund_begins_at_100_dollars_and_no_split_or_dividend_breaks_it(
    history: History,
) -> None:
    bars = history.bars[FUND.symbol]
    assert {*map(float, bars[0][1:5])} == {100.0}
    assert all(0.8 < later.close / bar.close < 1.2 for bar, later in pairwise(bars))
    assert FUND.symbol not in {it.symbol for it in (*history.splits, *history.dividends)}


def test_every_computed_bar_is_possible(history: History) -> None:
    for symbol in (FUND.symbol, *map(synthetic_symbol, range(1, 51))):
        assert tuple(bar.session for bar in history.bars[symbol]) == history.sessions
        for bar in history.bars[symbol]:
            assert 0 < bar.low <= min(bar.open, bar.close), (symbol, bar)
            assert bar.high >= max(bar.open, bar.close), (symbol, bar)


def test_the_first_and_last_bars_of_synthetic_symbols_are_those_of_every_machine(
    history: History,
) -> None:
    ends = {
        symbol: [str(history.bars[symbol][place].close) for place in (0, 2000, -1)]
        for symbol in ("SYN0001", "SYN0050")
    }
    assert ends == {
        "SYN0001": ["176.81", "457.42", "337.58"],
        "SYN0050": ["94.40", "134.07", "454.06"],
    }


def test_a_synthetic_symbol_does_not_depend_on_how_many_there_are(history: History) -> None:
    alone = sample_history(synthetic=1)
    assert list(alone.bars["SYN0001"]) == list(history.bars["SYN0001"])
    assert "SYN0002" not in alone.bars
    assert history.bars["SYN0001"][5] != history.bars["SYN0002"][5]


def test_synthetic_symbols_move_like_stocks(history: History) -> None:
    for number in range(1, 51):
        bars = history.bars[synthetic_symbol(number)]
        growths = [float(later.close / bar.close) - 1 for bar, later in pairwise(bars)]
        assert 0.01 < mean(map(abs, growths)) < 0.02
        assert max(map(abs, growths)) < 0.12


def test_computed_symbols_say_what_they_are_and_have_names_that_the_desk_takes(
    history: History,
) -> None:
    assert "computed" in history.listings[FUND.symbol].name
    assert "Synthetic" in history.listings["SYN0050"].name
    assert set(history.listings) == set(history.bars)
    assert all(map(SYMBOL_PATTERN.fullmatch, history.listings))
    assert SYMBOL_PATTERN.fullmatch(synthetic_symbol(MAX_SYNTHETIC))


def test_a_slice_and_a_place_give_the_same_bars(history: History) -> None:
    bars = history.bars["SYN0003"]
    assert bars[-2:] == (bars[-2], bars[len(bars) - 1])
    assert bars[3:6] == tuple(islice(bars, 3, 6))
    with pytest.raises(IndexError):
        _ = bars[len(bars)]


def test_nothing_is_computed_before_it_is_asked_for(make_wire: MakeWire) -> None:
    wire = make_wire(synthetic=1000)
    history = wire.broker.market.history
    assert len(wire.get("/v2/assets")) == 1006
    wire.get("/v2/stocks/bars", symbols="SYN0007", timeframe="1Day", start="2012-08-01")
    computed = [
        symbol
        for symbol, bars in history.bars.items()
        if isinstance(bars, ComputedBars) and "_columns" in vars(bars)
    ]
    assert computed == ["SYN0007"]


def test_the_broker_starts_without_numpy() -> None:
    program = (
        "import sys; from local.paper_broker.data import sample_history; sample_history(); "
        "print('numpy' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert answer.stdout == "False\n"


def test_the_fund_has_prices_and_takes_no_orders(make_wire: MakeWire) -> None:
    wire = make_wire()
    assert wire.get(f"/v2/assets/{FUND.symbol}")["tradable"] is False
    assert wire.get("/v2/stocks/trades/latest", symbols=FUND.symbol, feed="iex")["trades"]
    body = {"symbol": FUND.symbol, "side": "buy", "qty": "1"}
    answer = wire.send("POST", "/v2/orders", {**body, "type": "market", "time_in_force": "day"})
    assert (answer.status_code, "is not tradable" in answer.text) == (422, True)


def test_pages_of_many_symbols_join_to_the_whole(make_wire: MakeWire) -> None:
    wire = make_wire(synthetic=3)
    query = {
        "symbols": "SYN0003,IBM,SYN0001,SYN0002",
        "timeframe": "1Day",
        "start": "2012-07-30T12:00:00Z",
        "end": "2012-08-07",
        "feed": "iex",
    }
    for sort in ("asc", "desc"):
        whole = wire.get("/v2/stocks/bars", sort=sort, **query)["bars"]
        joined: dict[str, list[object]] = {}
        token = None
        while True:
            more = {"page_token": token} if token else {}
            page = wire.get("/v2/stocks/bars", sort=sort, limit=4, **query, **more)
            for symbol, bars in page["bars"].items():
                joined.setdefault(symbol, []).extend(bars)
            token = page["next_page_token"]
            if token is None:
                break
        assert joined == whole
        assert [len(bars) for bars in whole.values()] == [6] * 4
