"""Owns the endpoints of past trades and quotes, which come from the synthetic minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from local.paper_broker import data_requests, data_wire
from local.paper_broker.data import Listing
from local.paper_broker.data_requests import Body
from local.paper_broker.market import new_york_date
from local.paper_broker.ticks import Tick, ticks
from local.paper_broker.wsgi import Answer, Call, Route

Shape = Callable[[Tick, Listing], dict[str, Any]]


def get_trades(call: Call) -> Answer:
    """Return past trades of several symbols, sorted by symbol and time."""
    return _several(call, "trades", data_wire.past_trade)


def get_symbol_trades(call: Call) -> Answer:
    """Return past trades of one symbol."""
    return _one(call, "trades", data_wire.past_trade)


def get_quotes(call: Call) -> Answer:
    """Return past quotes of several symbols, sorted by symbol and time."""
    return _several(call, "quotes", data_wire.past_quote)


def get_symbol_quotes(call: Call) -> Answer:
    """Return past quotes of one symbol."""
    return _one(call, "quotes", data_wire.past_quote)


def _several(call: Call, name: str, shape: Shape) -> Answer:
    wanted = data_requests.symbols(call)
    page, token = data_requests.read_page(call, wanted, _Ticks(call, shape).rows)
    return Answer({name: data_requests.by_symbol(page), "next_page_token": token})


def _one(call: Call, name: str, shape: Shape) -> Answer:
    symbol = data_requests.check_symbol(call.path["symbol"])
    page, token = data_requests.read_page(call, [symbol], _Ticks(call, shape).rows)
    return Answer({"symbol": symbol, name: [body for _, body in page], "next_page_token": token})


class _Ticks:
    """The trades of a request, in the shape of trades or of quotes."""

    def __init__(self, call: Call, shape: Shape) -> None:
        self._market = call.exchange.market
        self._newest = data_requests.newest(call)
        self._shape = shape

    def rows(
        self,
        symbol: str,
        start: datetime,
        end: datetime,
        descending: bool,  # see `data_requests.RowsOf`
    ) -> Iterator[Body]:
        """Return a symbol's ticks; see `data_requests.RowsOf`."""
        listing = self._market.history.listings.get(symbol)
        if listing is None:
            return
        sessions = self._sessions(symbol, start, end)
        for session in reversed(sessions) if descending else sessions:
            minutes = self._market.known_minutes(symbol, session, self._newest)
            found = ticks(minutes, self._market.opens(session))
            for tick in reversed(found) if descending else found:
                if start <= tick.at <= end:
                    yield self._shape(tick, listing)

    def _sessions(self, symbol: str, start: datetime, end: datetime) -> list[date]:
        known = self._market.known_bars(symbol, self._newest, new_york_date(start))
        return [day.session for day in known if day.session <= new_york_date(end)]


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/stocks/trades", get_trades),
    ("GET", "/v2/stocks/<symbol>/trades", get_symbol_trades),
    ("GET", "/v2/stocks/quotes", get_quotes),
    ("GET", "/v2/stocks/<symbol>/quotes", get_symbol_quotes),
)
