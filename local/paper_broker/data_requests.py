"""Owns what all requests for market data share: symbols, feeds, intervals and pages."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any

from local.paper_broker import queries
from local.paper_broker.market import new_york_date, new_york_instant
from local.paper_broker.values import ApiError
from local.paper_broker.wsgi import Call

PAGE_OF_POINTS, MOST_POINTS = 1000, 10_000
SIP_DELAY = timedelta(minutes=15)
FEEDS = ("iex", "sip", "otc", "boats", "delayed_sip", "overnight")
NOT_SUBSCRIBED = "subscription does not permit querying recent SIP data"
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,6}([./][A-Z]{1,3})?")

Body = dict[str, Any]
# Returns a symbol's bodies with a stamp ``t`` from a start to an end, both included. The last
# argument says whether the newest comes first.
RowsOf = Callable[[str, datetime, datetime, bool], Iterator[Body]]


def symbols(call: Call) -> list[str]:
    """Read the symbols that a request names."""
    wanted = call.symbols()
    if not wanted:
        raise bad("symbols is required")
    return [check_symbol(symbol) for symbol in wanted]


def check_symbol(symbol: str) -> str:
    """Return a symbol if it looks like one."""
    if not _SYMBOL.fullmatch(symbol):
        raise bad(f"invalid symbol: {symbol}")
    return symbol


def newest(call: Call) -> datetime:
    """Return the instant up to which the requested feed has data."""
    feed = queries.word(call, "feed", ("sip", *FEEDS), status=400)
    if feed == "sip" and not call.broker.options.real_time_sip:
        return call.exchange.now - SIP_DELAY
    return call.exchange.now


def check_latest_feed(call: Call) -> None:
    """Refuse the newest SIP data on a plan that has none."""
    feed = queries.word(call, "feed", FEEDS, status=400)
    if feed == "sip" and not call.broker.options.real_time_sip:
        raise ApiError(403, None, NOT_SUBSCRIBED)


def read_page(
    call: Call, wanted: list[str], rows_of: RowsOf
) -> tuple[list[tuple[str, Body]], str | None]:
    """Return a page of bodies with their symbols, and the token of the next page.

    A page is sorted by symbol and time, and ``limit`` counts the points of all symbols.
    """
    limit = queries.whole(call, "limit", PAGE_OF_POINTS, MOST_POINTS, status=400)
    descending = queries.word(call, "sort", ("asc", "desc"), status=400) == "desc"
    start, end = _interval(call)
    after = _place(call)
    rows = (
        (symbol, body)
        for symbol in sorted(wanted)
        for body in _rest(symbol, after, (start, end), rows_of, descending=descending)
    )
    page = list(islice(rows, limit + 1))
    if len(page) <= limit:
        return page, None
    symbol, body = page[limit - 1]
    return page[:limit], encode(f"{symbol}|{body['t']}")


def by_symbol(page: list[tuple[str, Body]]) -> dict[str, list[Body]]:
    """Group a page's bodies by symbol."""
    found: dict[str, list[Body]] = {}
    for symbol, body in page:
        found.setdefault(symbol, []).append(body)
    return found


def _rest(
    symbol: str,
    after: tuple[str, str] | None,
    interval: tuple[datetime, datetime],
    rows_of: RowsOf,
    *,
    descending: bool,
) -> Iterator[Body]:
    """Return a symbol's bodies after the last one of the previous page."""
    start, end = interval
    if after is None or symbol > after[0]:
        yield from rows_of(symbol, start, end, descending)
    elif symbol == after[0]:
        at = datetime.fromisoformat(after[1])
        first, last = (start, min(end, at)) if descending else (max(start, at), end)
        yield from (row for row in rows_of(symbol, first, last, descending) if row["t"] != after[1])


def _interval(call: Call) -> tuple[datetime, datetime]:
    now, known = call.exchange.now, newest(call)
    start = queries.instant(call, "start", status=400)
    end = queries.instant(call, "end", status=400)
    if known < now and end is not None and end > known:
        raise ApiError(403, None, NOT_SUBSCRIBED)
    if start is None:
        start = new_york_instant(new_york_date(now), time(0))
    end = known if end is None else end
    if start > end:
        raise bad("end should not be before start")
    return start, end


def _place(call: Call) -> tuple[str, str] | None:
    token = call.text("page_token")
    if token is None:
        return None
    symbol, _, stamp = decode(token).partition("|")
    try:
        datetime.fromisoformat(stamp)
    except ValueError as error:
        raise bad("invalid page_token") from error
    return symbol, stamp


def encode(text: str) -> str:
    """Make a page token."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode(token: str) -> str:
    """Read a page token, or raise a 400."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise bad("invalid page_token") from error


def bad(message: str) -> ApiError:
    """Return the refusal of an invalid data request."""
    return ApiError(400, 40010000, message)
