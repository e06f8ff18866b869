"""Owns how market data looks on Alpaca's wire: bars, trades, quotes, snapshots, actions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from local.paper_broker.data import Dividend, Listing, Split
from local.paper_broker.exchange import NAMESPACE
from local.paper_broker.market import ANNOUNCED, Price
from local.paper_broker.ticks import Tick
from local.paper_broker.timeframes import Bar
from local.paper_broker.trading_wire import instant, text

PRECISION = Decimal("0.0001")
SHARES_PER_TRADE = 100
HALF_SPREAD = Decimal("0.0001")
TAPES = {"NYSE": "A"}


def bar(it: Bar) -> dict[str, Any]:
    """Return a bar.

    The data lack the number of trades and the mean price, which Alpaca always sends. So ``n`` is
    one trade per hundred shares, and ``vw`` is the mean of high, low and close.
    """
    shares = int(it.volume.to_integral_value(ROUND_HALF_UP))
    return {
        "t": it.stamp,
        "o": _price(it.open),
        "h": _price(it.high),
        "l": _price(it.low),
        "c": _price(it.close),
        "v": shares,
        "n": shares // SHARES_PER_TRADE,
        "vw": _price((it.high + it.low + it.close) / 3),
    }


def trade(it: Price, listing: Listing) -> dict[str, Any]:
    """Return a latest trade."""
    return _trade(it.at, it.price, SHARES_PER_TRADE, int(it.at.timestamp()), listing)


def past_trade(it: Tick, listing: Listing) -> dict[str, Any]:
    """Return a past trade."""
    return _trade(it.at, it.price, it.size, it.number, listing)


def _trade(
    at: datetime, price: Decimal, size: int, number: int, listing: Listing
) -> dict[str, Any]:
    return {
        "t": instant(at),
        "x": "V",
        "p": float(price),
        "s": size,
        "c": ["@"],
        "i": number,
        "z": _tape(listing),
    }


def quote(it: Price, listing: Listing) -> dict[str, Any]:
    """Return a latest quote, one basis point to each side of the latest trade."""
    return _quote(it.at, it.price, listing)


def past_quote(it: Tick, listing: Listing) -> dict[str, Any]:
    """Return the quote at a past trade, one basis point to each side of it."""
    return _quote(it.at, it.price, listing)


def _quote(at: datetime, price: Decimal, listing: Listing) -> dict[str, Any]:
    return {
        "t": instant(at),
        "ax": "V",
        "ap": _price(price * (1 + HALF_SPREAD)),
        "as": 1,
        "bx": "V",
        "bp": _price(price * (1 - HALF_SPREAD)),
        "bs": 1,
        "c": ["R"],
        "z": _tape(listing),
    }


def snapshot(latest: Price, listing: Listing, minute: Bar, days: Sequence[Bar]) -> dict[str, Any]:
    """Return a snapshot; ``days`` has the newest daily bar last, after the previous one if any."""
    body = {
        "latestTrade": trade(latest, listing),
        "latestQuote": quote(latest, listing),
        "minuteBar": bar(minute),
        "dailyBar": bar(days[-1]),
    }
    if len(days) > 1:
        body["prevDailyBar"] = bar(days[-2])
    return body


def split(it: Split, listing: Listing) -> dict[str, Any]:
    """Return a forward or reverse split; `split_key` distinguishes them."""
    body: dict[str, Any] = {
        **_action(it.symbol, it.ex_date.isoformat(), "split"),
        "new_rate": it.new_rate,
        "old_rate": it.old_rate,
    }
    if it.ratio >= 1:
        return {**body, "cusip": listing.cusip}
    return {**body, "old_cusip": listing.cusip, "new_cusip": listing.cusip}


def split_key(it: Split) -> str:
    """Return the name of the list that a split belongs to."""
    return "forward_splits" if it.ratio >= 1 else "reverse_splits"


def dividend(it: Dividend, listing: Listing) -> dict[str, Any]:
    """Return a cash dividend."""
    return {
        **_action(it.symbol, it.ex_date.isoformat(), f"dividend:{it.special}"),
        "process_date": it.payable.isoformat(),
        "payable_date": it.payable.isoformat(),
        "cusip": listing.cusip,
        "rate": float(it.amount),
        "special": it.special,
        "foreign": False,
    }


def announcement(key: str, action: dict[str, Any]) -> dict[str, Any]:
    """Return a split or a dividend in the form of Alpaca's older endpoint.

    The source has no declaration or record dates. The declaration date is the day on which the
    broker first lists the action, and the record date is the ex-date.
    """
    is_split = key != "cash_dividends"
    sub_type = {"forward_splits": "stock_split", "reverse_splits": "reverse_split"}.get(key, "cash")
    cusip = action.get("cusip") or action["old_cusip"]
    ex_date = date.fromisoformat(action["ex_date"])
    return {
        "id": action["id"],
        "corporate_action_id": f"{cusip}_{ex_date:%y%m%d}",
        "ca_type": "split" if is_split else "dividend",
        "ca_sub_type": sub_type,
        "initiating_symbol": action["symbol"],
        "initiating_original_cusip": cusip,
        "target_symbol": action["symbol"],
        "target_original_cusip": cusip,
        "declaration_date": (ex_date - ANNOUNCED).isoformat(),
        "effective_date": action["ex_date"],
        "ex_date": action["ex_date"],
        "record_date": action["ex_date"],
        "payable_date": action["payable_date"],
        "cash": "0" if is_split else text(Decimal(str(action["rate"]))),
        "old_rate": str(action.get("old_rate", 1)),
        "new_rate": str(action.get("new_rate", 1)),
    }


def _action(symbol: str, ex_date: str, kind: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(NAMESPACE, f"{kind}:{symbol}:{ex_date}")),
        "symbol": symbol,
        "process_date": ex_date,
        "ex_date": ex_date,
        "payable_date": ex_date,
    }


def _price(price: Decimal) -> float:
    return float(price.quantize(PRECISION, ROUND_HALF_UP))


def _tape(listing: Listing) -> str:
    return TAPES.get(listing.exchange, "C")
