"""Our requests match Alpaca's own OpenAPI documents."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

import pytest
from msgspec.structs import replace
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.errors import OrderStateUnknownError
from algotrader.model import OrderType, Session
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, CLOCK, asset, order
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen
from tests.functions.algotrader.adapters.test_alpaca_faults import ACCEPTED, INTENT

PAGES = {"next_page_token": None}


@cache
def document(name: str) -> OpenAPI:
    text = files("alpaca_mcp_server").joinpath("specs", f"{name}.json").read_text()
    return OpenAPI.from_dict(json.loads(text))


def request_as_seen(seen: Seen, host: str) -> MockRequest:
    return MockRequest(
        host,
        seen.method.lower(),
        seen.path,
        args=seen.query,
        headers=seen.headers,
        data=seen.body or None,
        content_type="application/json",
    )


def submit_by_value(broker: AlpacaBroker) -> None:
    market = {"order_type": OrderType.MARKET, "limit_price": None, "notional": Decimal("500.50")}
    with pytest.raises(OrderStateUnknownError):  # the answer reports a quantity, not a notional
        broker.submit(replace(INTENT, **market))


SESSIONS = tuple(
    Session(
        date(2026, 1, day),
        datetime(2026, 1, day, 14, 30, tzinfo=UTC),
        datetime(2026, 1, day, 21, tzinfo=UTC),
    )
    for day in (2, 5)
)
CALLS = {
    "clock": lambda broker: broker.clock(),
    "sessions": lambda broker: broker.sessions(date(2026, 1, 2), date(2026, 1, 6)),
    "account": lambda broker: broker.account(),
    "positions": lambda broker: broker.positions(),
    "open orders": lambda broker: broker.open_orders(),
    "orders after": lambda broker: broker.orders_after(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    "order": lambda broker: broker.order(INTENT.client_order_id),
    "submit": lambda broker: broker.submit(INTENT),
    "submit by value": submit_by_value,
    "cancel": lambda broker: broker.cancel("61e69015-8549-4bfd-b9c3-01e75843f47d"),
    "asset": lambda broker: broker.assets(["AAPL"]),
    "assets": lambda broker: broker.assets([f"S{n}" for n in range(41)]),
    "history": lambda broker: broker.session_equity(date(2026, 1, 6), date(2026, 1, 5)),
    "fills": lambda broker: broker.fills(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    "statement": lambda broker: broker.statement(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    "bars": lambda broker: broker.bars(["AAPL", "IBM"], SESSIONS, "iex", "split"),
    "latest prices": lambda broker: broker.latest_prices(["AAPL", "IBM"], "iex"),
    "corporate actions": lambda broker: broker.corporate_actions(
        ["AAPL"], date(2026, 1, 5), date(2026, 1, 6)
    ),
}


@pytest.fixture
def _answers(server: ScriptedBroker) -> None:
    server.on("GET /v2/clock", CLOCK)
    server.on("GET /v2/calendar", [])
    server.on("GET /v2/account", ACCOUNT)
    server.on("GET /v2/positions", [])
    server.on("GET /v2/orders", [])
    server.on("POST /v2/orders", ACCEPTED)
    server.on("GET /v2/orders:by_client_order_id", order(INTENT.client_order_id))
    server.on("DELETE /v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", Answer(b"", 204))
    server.on("GET /v2/assets/AAPL", asset("AAPL"))
    server.on("GET /v2/assets", [])
    server.on("GET /v2/account/activities", [])
    server.on("GET /v2/stocks/bars", {"bars": {}, **PAGES})
    server.on("GET /v2/stocks/trades/latest", {"trades": {}})
    server.on("GET /v1/corporate-actions", {"corporate_actions": {}, **PAGES})


@pytest.mark.usefixtures("_answers")
@pytest.mark.parametrize("call", CALLS)
def test_every_request_is_one_that_alpaca_documents(
    server: ScriptedBroker, broker: AlpacaBroker, call: str
) -> None:
    CALLS[call](broker)

    assert server.requests
    for seen in server.requests:
        is_data = seen.path.startswith(("/v2/stocks", "/v1/"))
        name, host = (
            ("market-data-api", "https://data.alpaca.markets")
            if is_data
            else ("trading-api", "https://paper-api.alpaca.markets")
        )
        document(name).validate_request(request_as_seen(seen, host))
