"""Owns sample answers in Alpaca's format, for tests to vary."""

from __future__ import annotations

from typing import Any

CLOCK = {
    "timestamp": "2026-01-06T09:35:00.123456789-05:00",
    "is_open": True,
    "next_open": "2026-01-07T09:30:00-05:00",
    "next_close": "2026-01-06T16:00:00-05:00",
}

ACCOUNT = {
    "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98",
    "account_number": "PA1234567890",
    "status": "ACTIVE",
    "currency": "USD",
    "equity": "100000.12",
    "last_equity": "99000",
    "cash": "50000.50",
    "buying_power": "150000",
    "non_marginable_buying_power": "50000.50",
    "account_blocked": False,
    "trading_blocked": False,
    "trade_suspended_by_user": False,
    "transfers_blocked": False,
}


def position(symbol: str, qty: str, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "qty": qty,
        "qty_available": qty,
        "avg_entry_price": "100.5",
        "side": "long",
        "asset_class": "us_equity",
        **changes,
    }


def order(client_order_id: str = "at1-x", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{client_order_id}",
        "client_order_id": client_order_id,
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "side": "buy",
        "type": "limit",
        "order_type": "limit",
        "time_in_force": "day",
        "qty": "10",
        "notional": None,
        "limit_price": "101.25",
        "status": "new",
        "filled_qty": "0",
        "filled_avg_price": None,
        "created_at": "2026-01-06T14:35:01.1Z",
        "submitted_at": "2026-01-06T14:35:01.123456789Z",
        "updated_at": "2026-01-06T14:35:02Z",
        "filled_at": None,
        **changes,
    }


def asset(symbol: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": "904837e3-3b76-47ec-b432-046db621571b",
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "fractionable": True,
        **changes,
    }


def bar(day: str, close: float = 100.0, **changes: Any) -> dict[str, Any]:
    return {
        "t": f"{day}T05:00:00Z",
        "o": close,
        "h": close + 1,
        "l": close - 1,
        "c": close,
        "v": 1000,
        "n": 10,
        "vw": close,
        **changes,
    }
