"""Owns a small made-up market with simple figures for the paper broker's tests.

``FLAT`` opens and closes at 100 and ranges from 95 to 105 each session. ``SPLT`` does the same
until it splits 2:1 on the fourth session, which halves its prices. ``PAYS`` closes at 50, goes
ex-dividend by 1 dollar on the fourth session, and then stays at 49. It pays on the Sunday before
the sixth session. ``LATE`` lists on the third session.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from local.paper_broker.data import DailyBar, Dividend, History, Hours, Listing, Split
from local.paper_broker.exchange import Exchange
from local.paper_broker.market import HistoricalMarket, new_york_instant
from local.paper_broker.rules import parse_ticket
from local.paper_broker.values import AccountSetup, Behaviour, Order

SESSIONS = tuple(date(2024, 3, day) for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15))
ACTION_DAY = SESSIONS[3]
SHORT_DAY = SESSIONS[1]
D = Decimal


def _bars(before: str, after: str, *, first: int = 0) -> tuple[DailyBar, ...]:
    bars = []
    for session in SESSIONS[first:]:
        price = D(before if session < ACTION_DAY else after)
        spread = price / 20
        bars.append(DailyBar(session, price, price + spread, price - spread, price, 1000))
    return tuple(bars)


HISTORY = History(
    sessions=SESSIONS,
    bars={
        "FLAT": _bars("100", "100"),
        "LATE": _bars("10", "10", first=2),
        "PAYS": _bars("50", "49"),
        "SPLT": _bars("100", "50"),
    },
    unusual_hours={SHORT_DAY: Hours(time(9, 30), time(13, 0))},
    splits=(Split("SPLT", ACTION_DAY, 2, 1),),
    dividends=(Dividend("PAYS", ACTION_DAY, D(1), special=False, days_to_payment=3),),
    listings={
        symbol: Listing(symbol, f"{symbol} Inc.", "NASDAQ", "000000000")
        for symbol in ("FLAT", "LATE", "PAYS", "SPLT")
    },
)


def at(session: int, clock: str = "09:35") -> datetime:
    """Return the instant of a New York time in one of `SESSIONS`."""
    return new_york_instant(SESSIONS[session], time.fromisoformat(clock))


class World:
    """An exchange over `HISTORY` that a test drives by session numbers and times of day."""

    def __init__(
        self,
        *,
        cash: str = "100000",
        holdings: Mapping[str, str] | None = None,
        multiplier: int = 2,
        session: int = 0,
        moving_prices: bool = False,
        **behaviour: Any,
    ) -> None:
        opening = AccountSetup(
            D(cash), {symbol: D(qty) for symbol, qty in (holdings or {}).items()}, multiplier
        )
        changed = Behaviour(**{"slippage_bps": D(0), **behaviour})
        market = HistoricalMarket(HISTORY, moving_prices=moving_prices)
        self.exchange = Exchange(market, opening, changed, at(session))

    def go(self, session: int, clock: str = "09:35") -> None:
        """Advance to a time of a session."""
        self.exchange.advance(at(session, clock))

    def look(self) -> None:
        """Let orders fill without letting time pass."""
        self.exchange.advance(self.exchange.now)

    def place(self, side: str, qty: str | None, symbol: str = "FLAT", **terms: str) -> Order:
        """Place an order, by default a market order for the day."""
        body = {"type": "market", "time_in_force": "day", "symbol": symbol, "side": side, **terms}
        return self.exchange.submit(parse_ticket(body if qty is None else {**body, "qty": qty}))

    def limit(self, side: str, qty: str, price: str, **terms: str) -> Order:
        """Place a limit order, by default on FLAT."""
        return self.place(side, qty, **{"type": "limit", "limit_price": price, **terms})

    def stop(self, side: str, qty: str, price: str, **terms: str) -> Order:
        """Place a stop order, by default on FLAT."""
        return self.place(side, qty, **{"type": "stop", "stop_price": price, **terms})

    def bought(self, qty: str, symbol: str = "FLAT") -> None:
        """Buy at the market and let the order fill."""
        self.place("buy", qty, symbol)
        self.look()

    def qty(self, symbol: str = "FLAT") -> Decimal:
        return self.exchange.account.qty(symbol)

    @property
    def cash(self) -> Decimal:
        return self.exchange.account.cash
