"""Owns the endpoints of splits and dividends, and of their older form, the announcements."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from local.paper_broker import data_wire, queries
from local.paper_broker.data_requests import bad, decode, encode
from local.paper_broker.values import ApiError
from local.paper_broker.wsgi import Answer, Call, Route

PAGE_OF_ACTIONS, MOST_ACTIONS = 100, 1000
LONGEST_RANGE = timedelta(days=90)
DATE_TYPES = ("ex_date", "declaration_date", "record_date", "payable_date")
WRONG_PARAMETER, NOT_FOUND = 40010001, 40410000


def get_corporate_actions(call: Call) -> Answer:
    """Return the splits and dividends that the market has announced, by ``process_date``.

    For a dividend, that is the day of payment, as at Alpaca.
    """
    exchange = call.exchange
    start = queries.day(call, "start") or exchange.today
    end = queries.day(call, "end") or exchange.today
    limit = queries.whole(call, "limit", PAGE_OF_ACTIONS, MOST_ACTIONS, status=400)
    descending = queries.word(call, "sort", ("asc", "desc"), status=400) == "desc"
    wanted = [row for row in _announced(call) if _is_wanted(call, *row, start, end)]
    wanted.sort(key=lambda row: (row[1]["process_date"], row[1]["symbol"], row[0]))
    if descending:
        wanted.reverse()
    first = _token_number(call)
    actions: dict[str, list[dict[str, Any]]] = {}
    for key, body in wanted[first : first + limit]:
        actions.setdefault(key, []).append(body)
    more = first + limit < len(wanted)
    token = encode(str(first + limit)) if more else None
    return Answer({"corporate_actions": actions, "next_page_token": token})


def _is_wanted(call: Call, key: str, body: dict[str, Any], start: date, end: date) -> bool:
    ids = call.symbols("ids")
    if ids is not None:
        return body["id"] in ids
    given = {
        "symbols": body["symbol"],
        "types": key.removesuffix("s"),
        "cusips": body.get("cusip") or body["old_cusip"],
    }
    return start.isoformat() <= body["process_date"] <= end.isoformat() and all(
        value in (call.symbols(name) or [value]) for name, value in given.items()
    )


def get_announcements(call: Call) -> Answer:
    """Return the announcements whose date of the wanted type is in a range of at most 90 days."""
    since, until = queries.day(call, "since"), queries.day(call, "until")
    if since is None or until is None:
        raise _wrong("invalid param: both since & until required")
    if until - since > LONGEST_RANGE:
        raise _wrong("invalid param: the date range is limited to 90 days")
    types = {each.lower() for each in call.symbols("ca_types") or ()}
    if not types:
        raise _wrong("invalid param: ca_types is required")
    date_type = queries.word(call, "date_type", DATE_TYPES)
    symbol, cusip = call.text("symbol"), call.text("cusip")
    found = [
        body
        for body in (data_wire.announcement(*row) for row in _announced(call))
        if body["ca_type"] in types
        and since <= date.fromisoformat(body[date_type]) <= until
        and symbol in (None, body["initiating_symbol"])
        and cusip in (None, body["initiating_original_cusip"])
    ]
    found.sort(key=lambda body: (body[date_type], body["initiating_symbol"], body["id"]))
    return Answer(found)


def get_announcement(call: Call) -> Answer:
    """Return one announcement."""
    wanted = call.path["announcement_id"]
    for key, body in _announced(call):
        if body["id"] == wanted:
            return Answer(data_wire.announcement(key, body))
    raise ApiError(404, NOT_FOUND, f"announcement not found for {wanted}")


def _announced(call: Call) -> list[tuple[str, dict[str, Any]]]:
    exchange = call.exchange
    market, listings = exchange.market, exchange.market.history.listings
    splits = [
        (data_wire.split_key(it), data_wire.split(it, listings[it.symbol]))
        for it in market.announced_splits(exchange.now)
    ]
    dividends = [
        ("cash_dividends", data_wire.dividend(it, listings[it.symbol]))
        for it in market.announced_dividends(exchange.now)
    ]
    return splits + dividends


def _token_number(call: Call) -> int:
    token = call.text("page_token")
    number = decode(token) if token else "0"
    if not number.isdigit():
        raise bad("invalid page_token")
    return int(number)


def _wrong(message: str) -> ApiError:
    return ApiError(422, WRONG_PARAMETER, message)


ROUTES: tuple[Route, ...] = (
    ("GET", "/v1beta1/corporate-actions", get_corporate_actions),
    ("GET", "/v1/corporate-actions", get_corporate_actions),
    ("GET", "/v2/corporate_actions/announcements", get_announcements),
    ("GET", "/v2/corporate_actions/announcements/<announcement_id>", get_announcement),
)
