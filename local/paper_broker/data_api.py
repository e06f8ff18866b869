"""Owns the market data endpoints: bars, latest trades and quotes, snapshots, corporate actions."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

from local.paper_broker import adjustment, data_wire, queries
from local.paper_broker.data import DailyBar
from local.paper_broker.market import Price, new_york_date, new_york_instant
from local.paper_broker.values import ApiError
from local.paper_broker.wsgi import Answer, Call, Route

PAGE_OF_BARS, MOST_BARS = 1000, 10_000
PAGE_OF_ACTIONS, MOST_ACTIONS = 100, 1000
SIP_DELAY = timedelta(minutes=15)
FEEDS = ("iex", "sip", "otc", "boats", "delayed_sip", "overnight")
DAILY = ("1Day", "1D")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,6}([./][A-Z]{1,3})?")
NOT_SUBSCRIBED = "subscription does not permit querying recent SIP data"


def get_bars(call: Call) -> Answer:
    """Return daily bars of several symbols, sorted by symbol and time."""
    page, token = _page(call, _symbols(call))
    bars: dict[str, list[dict[str, Any]]] = {}
    for symbol, body in page:
        bars.setdefault(symbol, []).append(body)
    return Answer({"bars": bars, "next_page_token": token})


def get_symbol_bars(call: Call) -> Answer:
    """Return daily bars of one symbol."""
    symbol = _check_symbol(call.path["symbol"])
    page, token = _page(call, [symbol])
    return Answer({"symbol": symbol, "bars": [body for _, body in page], "next_page_token": token})


def get_latest_bars(call: Call) -> Answer:
    """Return the newest known daily bar of each symbol."""
    _check_latest_feed(call)
    found = {symbol: _newest_two(call, symbol) for symbol in _symbols(call)}
    bars = {symbol: data_wire.bar(known[-1]) for symbol, known in found.items() if known}
    return Answer({"bars": bars})


def get_latest_trades(call: Call) -> Answer:
    """Return the latest trade of each symbol."""
    return Answer({"trades": _latest(call, _symbols(call), data_wire.trade)})


def get_latest_trade(call: Call) -> Answer:
    """Return the latest trade of one symbol."""
    symbol = _check_symbol(call.path["symbol"])
    return Answer({"symbol": symbol, "trade": _only(call, symbol, data_wire.trade)})


def get_latest_quotes(call: Call) -> Answer:
    """Return the latest quote of each symbol."""
    return Answer({"quotes": _latest(call, _symbols(call), data_wire.quote)})


def get_latest_quote(call: Call) -> Answer:
    """Return the latest quote of one symbol."""
    symbol = _check_symbol(call.path["symbol"])
    return Answer({"symbol": symbol, "quote": _only(call, symbol, data_wire.quote)})


def get_snapshots(call: Call) -> Answer:
    """Return a snapshot of each symbol."""
    return Answer(_latest(call, _symbols(call), _snapshot_of(call)))


def get_snapshot(call: Call) -> Answer:
    """Return a snapshot of one symbol."""
    symbol = _check_symbol(call.path["symbol"])
    return Answer({"symbol": symbol, **_only(call, symbol, _snapshot_of(call))})


def get_corporate_actions(call: Call) -> Answer:
    """Return the splits and dividends that the market has announced, by ``process_date``.

    For a dividend that is the day of payment, as at Alpaca.
    """
    exchange = call.exchange
    start = queries.day(call, "start") or exchange.today
    end = queries.day(call, "end") or exchange.today
    limit = queries.whole(call, "limit", PAGE_OF_ACTIONS, MOST_ACTIONS, status=400)
    symbols, types = call.symbols(), call.symbols("types")
    listings = exchange.market.history.listings
    found: list[tuple[str, str, dict[str, Any]]] = []
    for split in exchange.market.announced_splits(exchange.now):
        body = data_wire.split(split, listings[split.symbol])
        found.append((body["process_date"], data_wire.split_key(split), body))
    for dividend in exchange.market.announced_dividends(exchange.now):
        body = data_wire.dividend(dividend, listings[dividend.symbol])
        found.append((body["process_date"], "cash_dividends", body))
    wanted = [
        (key, body)
        for day, key, body in sorted(found, key=lambda row: (row[0], row[2]["symbol"], row[1]))
        if start.isoformat() <= day <= end.isoformat()
        and (symbols is None or body["symbol"] in symbols)
        and (types is None or key.removesuffix("s") in types)
    ]
    first = _token_number(call)
    actions: dict[str, list[dict[str, Any]]] = {}
    for key, body in wanted[first : first + limit]:
        actions.setdefault(key, []).append(body)
    more = first + limit < len(wanted)
    token = _encode(str(first + limit)) if more else None
    return Answer({"corporate_actions": actions, "next_page_token": token})


def _page(call: Call, symbols: list[str]) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    if call.text("timeframe") not in DAILY:
        raise _bad(f"invalid timeframe: {call.text('timeframe')}; this broker has daily bars only")
    words = frozenset((call.text("adjustment") or "raw").split(","))
    if not words <= set(adjustment.WORDS):
        raise _bad(f"invalid adjustment: {call.text('adjustment')}")
    limit = queries.whole(call, "limit", PAGE_OF_BARS, MOST_BARS, status=400)
    descending = queries.word(call, "sort", ("asc", "desc"), status=400) == "desc"
    newest = _newest(call)
    start, end = _interval(call, newest)
    token = call.text("page_token")
    after = _decode(token).split("|") if token else None
    if after is not None and len(after) != len(("symbol", "time")):
        raise _bad("invalid page_token")
    if after is not None:
        symbols = [symbol for symbol in symbols if symbol >= after[0]]
    rows = _bars(call, sorted(symbols), words, (start, end), newest, descending=descending)
    if after is not None:
        rows = _rest(rows, after, descending=descending)
    page = list(islice(rows, limit + 1))
    if len(page) <= limit:
        return page, None
    symbol, body = page[limit - 1]
    return page[:limit], _encode(f"{symbol}|{body['t']}")


def _bars(
    call: Call,
    symbols: list[str],
    words: frozenset[str],
    interval: tuple[datetime, datetime],
    newest: datetime,
    *,
    descending: bool,
) -> Iterator[tuple[str, dict[str, Any]]]:
    market, now = call.exchange.market, call.exchange.now
    first, last = (new_york_date(each) for each in interval)
    if new_york_instant(first, time(0)) < interval[0]:
        first += timedelta(days=1)
    for symbol in symbols:
        known = market.known_bars(symbol, newest, first)
        factors = adjustment.factors(
            known,
            [it for it in market.splits(now) if it.symbol == symbol],
            [it for it in market.dividends(now) if it.symbol == symbol],
            words,
        )
        for it in reversed(known) if descending else known:
            if it.session <= last:
                yield symbol, data_wire.bar(it, factors)


def _rest(
    rows: Iterator[tuple[str, dict[str, Any]]], after: list[str], *, descending: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    for symbol, body in rows:
        behind = body["t"] < after[-1] if descending else body["t"] > after[-1]
        if symbol > after[0] or behind:
            yield symbol, body


def _newest(call: Call) -> datetime:
    """Return the instant up to which the feed has data."""
    feed = queries.word(call, "feed", ("sip", *FEEDS), status=400)
    if feed == "sip" and not call.broker.options.real_time_sip:
        return call.exchange.now - SIP_DELAY
    return call.exchange.now


def _interval(call: Call, newest: datetime) -> tuple[datetime, datetime]:
    now = call.exchange.now
    start = queries.instant(call, "start", status=400)
    end = queries.instant(call, "end", status=400)
    if newest < now and end is not None and end > newest:
        raise ApiError(403, None, NOT_SUBSCRIBED)
    if start is None:
        start = new_york_instant(new_york_date(now), time(0)).astimezone(UTC)
    end = newest if end is None else end
    if start > end:
        raise _bad("end should not be before start")
    return start, end


def _newest_two(call: Call, symbol: str) -> tuple[DailyBar, ...]:
    market, now = call.exchange.market, call.exchange.now
    opened = market.last_opened(now)
    return market.known_bars(symbol, now, market.before(opened) if opened else None)


def _latest(
    call: Call, symbols: list[str], shape: Callable[[Price, Any], dict[str, Any]]
) -> dict[str, Any]:
    _check_latest_feed(call)
    exchange = call.exchange
    listings = exchange.market.history.listings
    age = timedelta(seconds=exchange.behaviour.price_age_seconds)
    return {
        symbol: shape(latest, listings[symbol])
        for symbol in symbols
        if (latest := exchange.market.latest(symbol, exchange.now, age)) is not None
    }


def _only(call: Call, symbol: str, shape: Callable[[Price, Any], dict[str, Any]]) -> dict[str, Any]:
    found = _latest(call, [symbol], shape)
    if symbol not in found:
        raise ApiError(404, 40410000, f"no data found for {symbol}")
    return dict(found[symbol])


def _snapshot_of(call: Call) -> Callable[[Price, Any], dict[str, Any]]:
    return lambda price, listing: data_wire.snapshot(
        _newest_two(call, listing.symbol), price, listing
    )


def _check_latest_feed(call: Call) -> None:
    feed = queries.word(call, "feed", FEEDS, status=400)
    if feed == "sip" and not call.broker.options.real_time_sip:
        raise ApiError(403, None, NOT_SUBSCRIBED)


def _symbols(call: Call) -> list[str]:
    symbols = call.symbols()
    if not symbols:
        raise _bad("symbols is required")
    return [_check_symbol(symbol) for symbol in symbols]


def _check_symbol(symbol: str) -> str:
    if not _SYMBOL.fullmatch(symbol):
        raise _bad(f"invalid symbol: {symbol}")
    return symbol


def _token_number(call: Call) -> int:
    token = call.text("page_token")
    number = _decode(token) if token else "0"
    if not number.isdigit():
        raise _bad("invalid page_token")
    return int(number)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _bad("invalid page_token") from error


def _bad(message: str) -> ApiError:
    return ApiError(400, 40010000, message)


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/stocks/bars", get_bars),
    ("GET", "/v2/stocks/bars/latest", get_latest_bars),
    ("GET", "/v2/stocks/trades/latest", get_latest_trades),
    ("GET", "/v2/stocks/quotes/latest", get_latest_quotes),
    ("GET", "/v2/stocks/snapshots", get_snapshots),
    ("GET", "/v2/stocks/<symbol>/bars", get_symbol_bars),
    ("GET", "/v2/stocks/<symbol>/trades/latest", get_latest_trade),
    ("GET", "/v2/stocks/<symbol>/quotes/latest", get_latest_quote),
    ("GET", "/v2/stocks/<symbol>/snapshot", get_snapshot),
    ("GET", "/v1beta1/corporate-actions", get_corporate_actions),
    ("GET", "/v1/corporate-actions", get_corporate_actions),
)
