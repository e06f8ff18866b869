"""Owns the endpoints of the latest bars, trades and quotes, and of snapshots."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from local.paper_broker import data_requests, data_wire, timeframes
from local.paper_broker.data import DailyBar, Listing
from local.paper_broker.data_requests import Body
from local.paper_broker.market import Price
from local.paper_broker.timeframes import Bar, Timeframe
from local.paper_broker.values import ApiError
from local.paper_broker.wsgi import Answer, Call, Route

MINUTES, DAYS = Timeframe(1, "Min"), Timeframe(1, "Day")
Shape = Callable[[Price, Listing], Body]


def get_latest_bars(call: Call) -> Answer:
    """Return the newest minute bar of each symbol."""
    return Answer({"bars": _latest(call, data_requests.symbols(call), _minute_of(call))})


def get_latest_bar(call: Call) -> Answer:
    """Return the newest minute bar of one symbol."""
    return _one(call, "bar", _minute_of(call))


def get_latest_trades(call: Call) -> Answer:
    """Return the latest trade of each symbol."""
    return Answer({"trades": _latest(call, data_requests.symbols(call), data_wire.trade)})


def get_latest_trade(call: Call) -> Answer:
    """Return the latest trade of one symbol."""
    return _one(call, "trade", data_wire.trade)


def get_latest_quotes(call: Call) -> Answer:
    """Return the latest quote of each symbol."""
    return Answer({"quotes": _latest(call, data_requests.symbols(call), data_wire.quote)})


def get_latest_quote(call: Call) -> Answer:
    """Return the latest quote of one symbol."""
    return _one(call, "quote", data_wire.quote)


def get_snapshots(call: Call) -> Answer:
    """Return a snapshot of each symbol."""
    return Answer(_latest(call, data_requests.symbols(call), _snapshot_of(call)))


def get_snapshot(call: Call) -> Answer:
    """Return a snapshot of one symbol."""
    symbol = data_requests.check_symbol(call.path["symbol"])
    return Answer({"symbol": symbol, **_only(call, symbol, _snapshot_of(call))})


def _latest(call: Call, symbols: list[str], shape: Shape) -> dict[str, Body]:
    data_requests.check_latest_feed(call)
    exchange = call.exchange
    listings = exchange.market.history.listings
    age = timedelta(seconds=exchange.behaviour.price_age_seconds)
    return {
        symbol: shape(latest, listings[symbol])
        for symbol in symbols
        if (latest := exchange.market.latest(symbol, exchange.now, age)) is not None
    }


def _one(call: Call, name: str, shape: Shape) -> Answer:
    symbol = data_requests.check_symbol(call.path["symbol"])
    return Answer({"symbol": symbol, name: _only(call, symbol, shape)})


def _only(call: Call, symbol: str, shape: Shape) -> dict[str, Any]:
    found = _latest(call, [symbol], shape)
    if symbol not in found:
        raise ApiError(404, 40410000, f"no data found for {symbol}")
    return dict(found[symbol])


def _minute_of(call: Call) -> Shape:
    return lambda price, listing: data_wire.bar(_newest_minute(call, price, listing.symbol))


def _newest_minute(call: Call, price: Price, symbol: str) -> Bar:
    """Return the newest minute that is known, or else the latest trade as a bar of its own."""
    market, now = call.exchange.market, call.exchange.now
    session = market.last_opened(now)
    minutes = market.known_minutes(symbol, session, now) if session else ()
    if session is None or not minutes:
        stamp = timeframes.wire_stamp(price.at.replace(second=0))
        paid, shares = price.price, Decimal(data_wire.SHARES_PER_TRADE)
        return Bar(stamp, paid, paid, paid, paid, shares)
    return next(timeframes.minute_bars(MINUTES, market, session, minutes[-1:], ()))


def _snapshot_of(call: Call) -> Shape:
    def shape(price: Price, listing: Listing) -> Body:
        symbol = listing.symbol
        days = list(timeframes.day_bars(DAYS, _newest_two(call, symbol), ()))
        return data_wire.snapshot(price, listing, _newest_minute(call, price, symbol), days)

    return shape


def _newest_two(call: Call, symbol: str) -> tuple[DailyBar, ...]:
    market, now = call.exchange.market, call.exchange.now
    opened = market.last_opened(now)
    return market.known_bars(symbol, now, market.before(opened) if opened else None)


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/stocks/bars/latest", get_latest_bars),
    ("GET", "/v2/stocks/trades/latest", get_latest_trades),
    ("GET", "/v2/stocks/quotes/latest", get_latest_quotes),
    ("GET", "/v2/stocks/snapshots", get_snapshots),
    ("GET", "/v2/stocks/<symbol>/bars/latest", get_latest_bar),
    ("GET", "/v2/stocks/<symbol>/trades/latest", get_latest_trade),
    ("GET", "/v2/stocks/<symbol>/quotes/latest", get_latest_quote),
    ("GET", "/v2/stocks/<symbol>/snapshot", get_snapshot),
)
