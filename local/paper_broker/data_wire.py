"""Owns how market data looks on Alpaca's wire: bars, trades, quotes, snapshots, actions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from local.paper_broker.adjustment import Factor, factor_at
from local.paper_broker.data import DailyBar, Dividend, Listing, Split
from local.paper_broker.exchange import NAMESPACE
from local.paper_broker.market import Price, new_york_instant
from local.paper_broker.trading_wire import instant

PRECISION = Decimal("0.0001")
SHARES_PER_TRADE = 100
HALF_SPREAD = Decimal("0.0001")
TAPES = {"NYSE": "A"}


@cache
def stamp(session: date) -> str:
    """Return the time stamp of a session's daily bar, which is midnight in New York."""
    return new_york_instant(session, time(0)).strftime("%Y-%m-%dT%H:%M:%SZ")


def bar(it: DailyBar, found: Sequence[Factor] = ()) -> dict[str, Any]:
    """Return an adjusted bar.

    The data lack the number of trades and the mean price, which Alpaca always sends. So ``n`` is
    one trade per hundred shares, and ``vw`` is the mean of high, low and close.
    """
    price, volume = factor_at(found, it.session)
    shares = int((it.volume * volume).to_integral_value(ROUND_HALF_UP))
    return {
        "t": stamp(it.session),
        "o": _price(it.open * price),
        "h": _price(it.high * price),
        "l": _price(it.low * price),
        "c": _price(it.close * price),
        "v": shares,
        "n": shares // SHARES_PER_TRADE,
        "vw": _price((it.high + it.low + it.close) / 3 * price),
    }


def trade(it: Price, listing: Listing) -> dict[str, Any]:
    """Return a latest trade."""
    return {
        "t": instant(it.at),
        "x": "V",
        "p": float(it.price),
        "s": SHARES_PER_TRADE,
        "c": ["@"],
        "i": int(it.at.timestamp()),
        "z": _tape(listing),
    }


def quote(it: Price, listing: Listing) -> dict[str, Any]:
    """Return a latest quote, one basis point to each side of the latest trade."""
    return {
        "t": instant(it.at),
        "ax": "V",
        "ap": _price(it.price * (1 + HALF_SPREAD)),
        "as": 1,
        "bx": "V",
        "bp": _price(it.price * (1 - HALF_SPREAD)),
        "bs": 1,
        "c": ["R"],
        "z": _tape(listing),
    }


def snapshot(known: Sequence[DailyBar], latest: Price, listing: Listing) -> dict[str, Any]:
    """Return a snapshot; its minute bar is a single trade because the data are daily."""
    price = float(latest.price)
    minute = latest.at.replace(second=0, microsecond=0)
    body = {
        "latestTrade": trade(latest, listing),
        "latestQuote": quote(latest, listing),
        "minuteBar": {
            "t": minute.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **dict.fromkeys("ohlc", price),
            "v": SHARES_PER_TRADE,
            "n": 1,
            "vw": price,
        },
        "dailyBar": bar(known[-1]),
    }
    if len(known) > 1:
        body["prevDailyBar"] = bar(known[-2])
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
