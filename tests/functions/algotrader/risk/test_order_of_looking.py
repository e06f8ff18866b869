"""The desk checks its limits in a fixed sequence and reports the first that an order breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.model import (
    CorporateAction,
    LatestPrice,
    Leg,
    Order,
    OrderType,
    Run,
    Settings,
    Side,
    Snapshot,
    StrategyStart,
    TradingMode,
    TradingState,
    Unfit,
)
from tests.support.desk_world import (
    NOW,
    RUN,
    account,
    asset,
    codes,
    decided,
    ledger,
    open_order,
    own_id,
    position,
    settings,
    snapshot,
)

D = Decimal
MINE = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY))
A_SELL = open_order("IBM", Side.SELL, "5", "120", "user-1")
A_BUY = open_order("IBM", Side.BUY, "5", "80", "user-2")
A_CHANGED_BUY = replace(A_BUY, replaces="x")


@dataclass
class Bell:
    """An IBM order that breaks every limit until the test fixes them one by one."""

    weights: dict[str, Decimal]
    at: Snapshot
    run: Run = RUN
    under: Settings = field(default_factory=settings)
    stops: dict[str, Decimal] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        decision = decided(self.weights, self.at, under=self.under, of=self.run, stops=self.stops)
        return codes(decision).get("IBM")

    def put(self, **changes: Any) -> None:
        self.at = replace(self.at, **changes)

    def set(self, **changes: Any) -> None:
        self.under = replace(self.under, **changes)

    def open(self, *orders: Order) -> None:
        self.put(foreign_open_orders=orders)


def a_price(price: str, *, age: int = 0) -> dict[str, LatestPrice]:
    return {"IBM": LatestPrice(D(price), NOW - timedelta(seconds=age))}


def a_bell(weight: str, held: str) -> Bell:
    at = snapshot(
        trading_state=TradingState.HALTED,
        prices={},
        last_closes={},
        corporate_actions=(CorporateAction("IBM", "forward_split", date(2024, 3, 4), D(2)),),
        assets={"IBM": asset("IBM", tradable=False)},
        own_open_orders=(MINE,),
        ledger=ledger(IBM=held),
        positions={},
        account=account("0"),
    )
    return Bell({"IBM": D(weight)}, at)


def an_entry() -> Bell:
    bell = a_bell("0.9", "10")
    bell.run = replace(RUN, entry_symbols=(), mode=TradingMode.LIVE)
    started = StrategyStart("fixed_weights", NOW, None, "", RUN.journal)
    stale = Unfit("BARS_STALE", "newest bar 2024-02-29, 2 sessions old")
    bell.put(session=replace(bell.at.session, close=NOW), started=started, unfit={"IBM": stale})
    bell.open(A_SELL, A_CHANGED_BUY)
    bell.stops = {"IBM": D(5000)}
    bell.set(
        mode=TradingMode.LIVE,
        deny_symbols=("IBM",),
        max_position_weight=D("0.1"),
        max_order_notional=D(1),
        min_order_notional=D(10**6),
        max_orders_per_run=0,
        max_gross_exposure=D("0.01"),
        max_turnover=D("0.001"),
        live_ramp_notional=D(1),
        capital=D(1),
    )
    return bell


def alone(bell: Bell) -> Iterator[str | None]:
    """Yield the code of an entry that breaks every order limit, then fix one limit at a time."""
    yield bell.code
    bell.put(trading_state=TradingState.REDUCING)
    yield bell.code
    bell.put(trading_state=TradingState.ACTIVE)
    yield bell.code
    bell.put(unfit={})
    yield bell.code
    bell.put(prices=a_price("100", age=10**6))
    yield bell.code
    bell.put(corporate_actions=())
    yield bell.code
    bell.put(assets={"IBM": asset("IBM")})
    yield bell.code
    bell.put(own_open_orders=())
    yield bell.code
    bell.open(A_CHANGED_BUY)  # the stop's sell would trade with this buy
    yield bell.code
    bell.stops = {}
    yield bell.code
    bell.open()
    bell.stops = {"IBM": D(5000)}
    yield bell.code
    bell.put(ledger=ledger(), account=account("100000"))
    yield bell.code
    bell.set(deny_symbols=())
    yield bell.code
    bell.run = replace(bell.run, entry_symbols=("IBM",))
    yield bell.code
    bell.put(session=replace(bell.at.session, close=NOW + timedelta(hours=6)))
    yield bell.code
    bell.put(prices=a_price("100"))
    yield bell.code
    bell.put(last_closes={"IBM": D(100)})
    yield bell.code
    bell.stops = {}
    yield bell.code
    bell.set(min_order_notional=D("0.01"), capital=None, live_ramp_days=0)
    bell.weights = {"IBM": D("0.4")}
    yield bell.code
    bell.set(max_position_weight=D(1))
    yield bell.code
    bell.set(max_order_notional=D(10**9), order_type=OrderType.STOP)  # entries are never stops
    yield bell.code
    bell.set(order_type=OrderType.LIMIT)


def together(bell: Bell) -> Iterator[str | None]:
    """Yield the code of an entry that breaks every limit of a run, then fix one limit at a time."""
    # Only IBM has a price and cash. The limits leave too little for a smaller entry.
    poor = account("1")
    bell.put(account=poor, ledger=ledger(XOM="1000"), positions={"XOM": position("XOM", "1000")})
    prices = {"XOM": LatestPrice(D(100), NOW)} | a_price("100")
    bell.put(prices=prices, assets={"IBM": asset("IBM"), "XOM": asset("XOM", tradable=False)})
    bell.set(capital=D(100000), live_ramp_days=10)
    yield bell.code
    bell.set(max_orders_per_run=20)
    yield bell.code
    bell.put(account=account("100000"))
    yield bell.code
    bell.set(capital=None)
    yield bell.code
    bell.set(max_gross_exposure=D(1))
    yield bell.code
    bell.set(max_turnover=D(10))
    yield bell.code
    bell.set(live_ramp_days=0)
    yield bell.code


def sells() -> Iterator[str | None]:
    """Yield the code of an exit that breaks every limit for sells, then fix one limit at a time."""
    bell = a_bell("0", "10")
    bell.open(A_BUY)
    yield bell.code
    bell.put(trading_state=TradingState.REDUCING)
    yield bell.code
    bell.put(prices=a_price("100", age=10**6))
    yield bell.code
    bell.put(corporate_actions=())
    yield bell.code
    bell.put(assets={"IBM": asset("IBM")})
    yield bell.code
    bell.put(own_open_orders=())
    yield bell.code
    bell.open()
    yield bell.code
    bell.put(positions={"IBM": position("IBM", "10", "0")})
    yield bell.code
    bell.put(positions={"IBM": position("IBM", "10")})
    yield bell.code


def test_an_entry_is_denied_for_the_first_limit_that_it_breaks() -> None:
    bell = an_entry()
    assert [*alone(bell), *together(bell)] == [
        *("TRADING_HALTED", "TRADING_REDUCING", "SYMBOL_UNFIT", "NO_PRICE", "CORPORATE_ACTION"),
        *("NOT_TRADABLE", "OPEN_ORDER_UNSETTLED", "OPPOSITE_ORDER_OPEN", "OPPOSITE_ORDER_OPEN"),
        "ORDER_REPLACED",
        *("LEDGER_MISMATCH", "SYMBOL_DENIED", "NOT_IN_INPUT", "MINUTES_TO_CLOSE", "PRICE_STALE"),
        *("PRICE_DEVIATION", "STOP_ABOVE_PRICE", "BELOW_MINIMUM_ORDER", "MAX_POSITION_WEIGHT"),
        *("MAX_ORDER_NOTIONAL", "ORDER_RULE", "MAX_ORDERS_PER_RUN", "INSUFFICIENT_CASH"),
        *("CAPITAL_EXCEEDED", "MAX_GROSS_EXPOSURE", "MAX_TURNOVER", "LIVE_RAMP", None),
    ]


def test_an_exit_is_denied_for_the_first_limit_that_it_breaks() -> None:
    assert list(sells()) == [
        *("TRADING_HALTED", "NO_PRICE", "CORPORATE_ACTION", "NOT_TRADABLE"),
        *("OPEN_ORDER_UNSETTLED", "OPPOSITE_ORDER_OPEN", "LEDGER_MISMATCH", "NOTHING_TO_SELL"),
        None,
    ]
