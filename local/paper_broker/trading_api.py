"""Owns the trading endpoints: clock, calendar, account, orders, assets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime
from typing import Any

from msgspec import structs

from local.paper_broker import queries, trading_wire
from local.paper_broker.market import new_york_date
from local.paper_broker.rules import parse_ticket
from local.paper_broker.values import Activity, ActivityKind, ApiError, Order
from local.paper_broker.wsgi import Answer, Call, Route

PAGE_OF_ORDERS, MOST_ORDERS = 50, 500
PAGE_OF_ACTIVITIES = 100
WRONG_FIELD = 40010001
SETTABLE = frozenset({"no_shorting", "suspend_trade"})


def get_clock(call: Call) -> Answer:
    """Return the broker's clock."""
    return Answer(trading_wire.clock(call.exchange.market, call.exchange.now))


def get_calendar(call: Call) -> Answer:
    """Return the sessions from start to end, both included."""
    market = call.exchange.market
    start = queries.day(call, "start") or date.min
    end = queries.day(call, "end") or date.max
    indices = range(bisect_left(market.sessions, start), bisect_right(market.sessions, end))
    return Answer([trading_wire.calendar_day(market, index) for index in indices])


def get_account(call: Call) -> Answer:
    """Return the account."""
    return Answer(trading_wire.account(call.exchange))


def get_configurations(call: Call) -> Answer:
    """Return the user's configuration of the account."""
    return Answer(trading_wire.configurations(call.exchange))


def patch_configurations(call: Call) -> Answer:
    """Set the fields for short sales and suspended trading; the other fields cannot change."""
    wanted, now = call.body(), trading_wire.configurations(call.exchange)
    if not isinstance(wanted, dict) or not _given(wanted).keys() <= now.keys():
        raise ApiError(422, WRONG_FIELD, "expected an object of account configurations")
    changes = _given(wanted)
    for name, value in changes.items():
        if type(value) is not type(now[name]) or (name not in SETTABLE and value != now[name]):
            raise ApiError(422, WRONG_FIELD, f"{name} cannot be set to this value")
    after = now | changes
    call.broker.behave(
        structs.replace(
            call.exchange.behaviour,
            shorting=not after["no_shorting"],
            trade_suspended_by_user=after["suspend_trade"],
        )
    )
    return Answer(trading_wire.configurations(call.exchange))


def _given(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a client set; alpaca-py sends the others as null."""
    return {name: value for name, value in body.items() if value is not None}


def get_orders(call: Call) -> Answer:
    """List orders by time of submission; ``after`` and ``until`` are exclusive."""
    status = queries.word(call, "status", ("open", "closed", "all"))
    direction = queries.word(call, "direction", ("desc", "asc"))
    limit = queries.whole(call, "limit", PAGE_OF_ORDERS, MOST_ORDERS)
    after = queries.instant(call, "after") or datetime.min.replace(tzinfo=UTC)
    until = queries.instant(call, "until") or datetime.max.replace(tzinfo=UTC)
    symbols, side = call.symbols(), call.text("side")
    if not {"us_equity", "all"} & set(call.symbols("asset_class") or ["all"]):
        return Answer([])
    found = [
        order
        for order in _between_ids(call)
        if (status == "all" or order.is_open == (status == "open"))
        and after < order.submitted_at < until
        and (symbols is None or order.ticket.symbol in symbols)
        and (side is None or order.ticket.side == side)
    ]
    if direction == "desc":
        found.reverse()
    return Answer([_order(call, order) for order in found[:limit]])


def _between_ids(call: Call) -> list[Order]:
    """List the orders before or after the one that the request names, oldest first."""
    book = call.exchange.book
    before, after = call.text("before_order_id"), call.text("after_order_id")
    if before and after:
        message = "only one of before_order_id or after_order_id is accepted"
        raise ApiError(422, WRONG_FIELD, message)
    orders = book.all
    if before:
        return orders[: orders.index(book.find(before))]
    return orders[orders.index(book.find(after)) + 1 :] if after else orders


def post_order(call: Call) -> Answer:
    """Submit an order."""
    return Answer(_order(call, call.exchange.submit(parse_ticket(call.body()))))


def get_order(call: Call) -> Answer:
    """Return an order by the broker's id."""
    return Answer(_order(call, call.exchange.book.find(call.path["order_id"])))


def get_order_by_client_id(call: Call) -> Answer:
    """Return an order by the client's id."""
    client_order_id = call.text("client_order_id")
    if client_order_id is None:
        raise ApiError(422, 40010001, "client_order_id is required")
    return Answer(_order(call, call.exchange.book.find_by_client_id(client_order_id)))


def patch_order(call: Call) -> Answer:
    """Replace an order with a new one, which has a new id."""
    return Answer(_order(call, call.exchange.replace(call.path["order_id"], call.body())))


def delete_order(call: Call) -> Answer:
    """Request an order's cancellation."""
    call.exchange.cancel(call.path["order_id"])
    return Answer(None, 204)


def delete_orders(call: Call) -> Answer:
    """Request the cancellation of every open order."""
    answers = []
    for order in call.exchange.book.open:
        call.exchange.cancel(order.id)
        answers.append({"id": order.id, "status": 200, "body": _order(call, order)})
    return Answer(answers, 207)


def get_assets(call: Call) -> Answer:
    """List the assets that have begun to trade."""
    status = call.text("status") or "active"
    asset_class = call.text("asset_class") or "us_equity"
    if status != "active" or asset_class != "us_equity":
        return Answer([])
    exchange, listings = call.exchange, call.exchange.market.history.listings
    wanted = call.text("exchange")
    found = [listings[symbol] for symbol in exchange.market.symbols(exchange.now)]
    return Answer(
        [trading_wire.asset(exchange, it) for it in found if wanted in (None, it.exchange)]
    )


def get_asset(call: Call) -> Answer:
    """Return one asset, by symbol or id."""
    exchange, wanted = call.exchange, call.path["symbol"]
    for symbol in exchange.market.symbols(exchange.now):
        if wanted in (symbol, exchange.asset_id(symbol)):
            listing = exchange.market.history.listings[symbol]
            return Answer(trading_wire.asset(exchange, listing))
    raise ApiError(404, 40410000, f"asset not found for {wanted}")


def get_activities(call: Call) -> Answer:
    """List the account's activities, by default newest first."""
    wanted = call.path.get("activity_type")
    types = [wanted] if wanted else call.symbols("activity_types")
    direction = queries.word(call, "direction", ("desc", "asc"))
    limit = queries.whole(call, "page_size", PAGE_OF_ACTIVITIES, PAGE_OF_ACTIVITIES)
    after = queries.instant(call, "after") or datetime.min.replace(tzinfo=UTC)
    until = queries.instant(call, "until") or datetime.max.replace(tzinfo=UTC)
    on = queries.day(call, "date")
    category, order_id = call.text("category"), call.text("order_id")
    found = [
        activity
        for activity in call.exchange.account.activities
        if (types is None or activity.kind.value in types)
        and (
            category is None
            or (category == "trade_activity") == (activity.kind is ActivityKind.FILL)
        )
        and after < activity.at < until
        and (on is None or new_york_date(activity.at) == on)
        and order_id in (None, activity.order_id)
    ]
    if direction == "desc":
        found.reverse()
    page = _after_token(found, call.text("page_token"))[:limit]
    return Answer([trading_wire.activity(activity) for activity in page])


def _after_token(found: list[Activity], token: str | None) -> list[Activity]:
    ids = [activity.id for activity in found]
    return found[ids.index(token) + 1 :] if token in ids else found


def _order(call: Call, order: Order) -> dict[str, object]:
    return trading_wire.order(call.exchange, order)


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/clock", get_clock),
    ("GET", "/v2/calendar", get_calendar),
    ("GET", "/v2/account", get_account),
    ("GET", "/v2/account/configurations", get_configurations),
    ("PATCH", "/v2/account/configurations", patch_configurations),
    ("GET", "/v2/account/activities", get_activities),
    ("GET", "/v2/account/activities/<activity_type>", get_activities),
    ("GET", "/v2/orders", get_orders),
    ("POST", "/v2/orders", post_order),
    ("DELETE", "/v2/orders", delete_orders),
    ("GET", "/v2/orders:by_client_order_id", get_order_by_client_id),
    ("GET", "/v2/orders/<order_id>", get_order),
    ("PATCH", "/v2/orders/<order_id>", patch_order),
    ("DELETE", "/v2/orders/<order_id>", delete_order),
    ("GET", "/v2/assets", get_assets),
    ("GET", "/v2/assets/<symbol>", get_asset),
)
