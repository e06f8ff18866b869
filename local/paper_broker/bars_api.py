"""Owns the endpoints of past bars, in each of Alpaca's timeframes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from local.paper_broker import adjustment, data_requests, data_wire, timeframes
from local.paper_broker.data_requests import Body
from local.paper_broker.market import new_york_date
from local.paper_broker.timeframes import Bar, Timeframe
from local.paper_broker.wsgi import Answer, Call, Route

SECOND = timedelta(seconds=1)


def get_bars(call: Call) -> Answer:
    """Return bars of several symbols, sorted by symbol and time."""
    bars = _Bars(call)
    page, token = data_requests.read_page(call, data_requests.symbols(call), bars.rows)
    return Answer({"bars": data_requests.by_symbol(page), "next_page_token": token})


def get_symbol_bars(call: Call) -> Answer:
    """Return bars of one symbol."""
    symbol = data_requests.check_symbol(call.path["symbol"])
    page, token = data_requests.read_page(call, [symbol], _Bars(call).rows)
    return Answer({"symbol": symbol, "bars": [body for _, body in page], "next_page_token": token})


class _Bars:
    """The bars that a request asks for.

    A bar counts if its time stamp is in the request's interval. Then the whole bar counts,
    as far as the feed knows it.
    """

    def __init__(self, call: Call) -> None:
        self._market, self._now = call.exchange.market, call.exchange.now
        self._newest = data_requests.newest(call)
        self._timeframe = _timeframe(call)
        self._words = frozenset((call.text("adjustment") or "raw").split(","))
        if not self._words <= set(adjustment.WORDS):
            raise data_requests.bad(f"invalid adjustment: {call.text('adjustment')}")

    def rows(
        self,
        symbol: str,
        start: datetime,
        end: datetime,
        descending: bool,  # see `data_requests.RowsOf`
    ) -> Iterator[Body]:
        """Return a symbol's bars; see `data_requests.RowsOf`."""
        whole = start if start.microsecond == 0 else start.replace(microsecond=0) + SECOND
        first, last = timeframes.wire_stamp(whole), timeframes.wire_stamp(end)
        for bars in self._batches(symbol, start, end, descending=descending):
            for bar in reversed(bars) if descending else bars:
                if first <= bar.stamp <= last:
                    yield data_wire.bar(bar)

    def _batches(
        self, symbol: str, start: datetime, end: datetime, *, descending: bool
    ) -> Iterator[list[Bar]]:
        """Return ascending bars by session, or all at once if a bar spans a day or more."""
        market, now = self._market, self._now
        known = market.known_bars(
            symbol, self._newest, self._timeframe.first_day(new_york_date(start))
        )
        factors = adjustment.factors(
            known,
            [it for it in market.splits(now) if it.symbol == symbol],
            [it for it in market.dividends(now) if it.symbol == symbol],
            self._words,
        )
        last = new_york_date(end)
        days = [day for day in known if self._timeframe.first_day(day.session) <= last]
        if not self._timeframe.is_intraday:
            yield list(timeframes.day_bars(self._timeframe, days, factors))
            return
        for day in reversed(days) if descending else days:
            minutes = market.known_minutes(symbol, day.session, self._newest)
            yield list(
                timeframes.minute_bars(self._timeframe, market, day.session, minutes, factors)
            )


def _timeframe(call: Call) -> Timeframe:
    name = call.text("timeframe") or ""
    timeframe = timeframes.parse(name)
    if timeframe is None:
        raise data_requests.bad(f"invalid timeframe: {name}")
    return timeframe


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/stocks/bars", get_bars),
    ("GET", "/v2/stocks/<symbol>/bars", get_symbol_bars),
)
