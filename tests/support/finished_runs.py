"""Owns the finished runs for the tests of messages and of Notify."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.messages import RunReport, make_texts, read_failure
from algotrader.model import (
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderType,
    Performance,
    Return,
    Returns,
    Side,
    Submission,
    SymbolProfit,
    TradingMode,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.support import desk_world

RUN = replace(
    desk_world.RUN,
    run_id="2013-02-28-day",
    session=date(2013, 2, 28),
    journal="runs/2013-02-28/2013-02-28-day/",
)
DRY_RUN = replace(RUN, sends_orders=False, journal=f"{RUN.journal}dry-run/one/")
REPORT = replace(
    RUN,
    run_id="2013-02-28-report",
    slot="report",
    sends_orders=False,
    journal="runs/2013-02-28/2013-02-28-report/one/",
)
LIVE = replace(RUN, mode=TradingMode.LIVE)

ACCOUNT = desk_world.account(
    "1000", equity=Decimal(100000), last_equity=Decimal("100020.10"), buying_power=Decimal(1000)
)
SYMBOL_PROFIT = SymbolProfit(
    symbol="AAPL",
    qty=Decimal(56),
    price=Decimal("441.50"),
    value=Decimal(24724),
    realized=Decimal("12.5"),
    unrealized=Decimal("-200.25"),
    dividends=Decimal("3.75"),
)
FIRST_SESSION = date(2013, 2, 15)
RETURNS = Returns(
    first_session=FIRST_SESSION,
    last=Return(date(2013, 2, 26), Decimal("0.00123"), Decimal("0.002")),
    day=Return(date(2013, 2, 27), Decimal("-0.0037"), Decimal("-0.0031")),
    week=Return(date(2013, 2, 22), Decimal("0.0125"), Decimal("0.0101")),
    month=Return(date(2013, 2, 14), Decimal("0.042"), Decimal("0.0389")),
    total=Return(date(2013, 2, 14), Decimal("0.042"), Decimal("0.0389")),
)
PERFORMANCE = Performance(
    deposits=Decimal(0),
    symbols=(SYMBOL_PROFIT,),
    worth=Decimal(50000),
    drawdown=Decimal("0.0123"),
    benchmark="SPY",
    returns=RETURNS,
)
SNAPSHOT = desk_world.snapshot(
    account=ACCOUNT,
    previous_session=date(2013, 2, 27),
    last_session_pnl=Decimal("123.45"),
    since_close_pnl=Decimal("-20.10"),
    close_equity=Decimal("100020.10"),
    performance=PERFORMANCE,
)


def order_id(symbol: str, leg: Leg = Leg.ENTRY) -> str:
    return client_order_id(OrderPlace(RUN.desk, RUN.session, "day", symbol, leg, 0))


def order(symbol: str, filled: str, qty: str | None = None, **changes: Any) -> Order:
    """Return an order that has ended; by default, it was filled in full."""
    plain = desk_world.open_order(
        symbol,
        Side.BUY,
        filled if qty is None else qty,
        "101",
        order_id(symbol),
        status="filled" if qty is None else "canceled",
        filled_qty=Decimal(filled),
        filled_avg_price=Decimal(100) if Decimal(filled) else None,
    )
    return replace(plain, **changes)


def sell(symbol: str, filled: str, qty: str | None = None, **changes: Any) -> Order:
    return order(
        symbol, filled, qty, side=Side.SELL, client_order_id=order_id(symbol, Leg.EXIT), **changes
    )


def submission(*orders: Order, **changes: Any) -> Submission:
    plain = Submission(orders=orders, denied=(), rejected=(), unsettled=(), account=ACCOUNT)
    return replace(plain, **changes)


def intent(symbol: str, qty: str, side: Side = Side.BUY) -> OrderIntent:
    leg = Leg.ENTRY if side is Side.BUY else Leg.EXIT
    return OrderIntent(
        client_order_id=order_id(symbol, leg),
        symbol=symbol,
        side=side,
        leg=leg,
        qty=Decimal(qty),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("100.20"),
        reference_price=Decimal(100),
        why="Target weight 25%.",
    )


def denied(symbol: str, code: str = "MAX_ORDER_NOTIONAL") -> OrderDenied:
    return OrderDenied(
        symbol=symbol, side=Side.BUY, qty=Decimal(900), code=code, detail="90000 > 50000"
    )


def decision(*entries: OrderIntent, **changes: Any) -> Decision:
    plain = Decision(
        run_id=RUN.run_id,
        strategy="momentum_rotation",
        desk_capital=Decimal(100000),
        spendable=Decimal(98000),
        target_weights={each.symbol: Decimal("0.25") for each in entries},
        exits=(),
        entries=entries,
        cancels=(),
        denied=(),
        why={each.symbol: each.why for each in entries},
    )
    return replace(plain, **changes)


def run_report(**changes: Any) -> RunReport:
    """Return the report of a successful run, with ``changes``."""
    plain = RunReport(
        execution_arn=RUN.execution_arn,
        run=RUN,
        settings=desk_world.SETTINGS,
        snapshot=SNAPSHOT,
        decision=decision(),
        submission=None,
        record=f"s3://bucket/{RUN.journal}record.json",
    )
    return replace(plain, **changes)


def sms(**changes: Any) -> str:
    """Return the text message about a successful run."""
    return make_texts(run_report(**changes)).sms


def failed(state: str, error: str, cause: str, **changes: Any) -> RunReport:
    """Return the report of a failed run."""
    plain = {"decision": None, **changes}
    return run_report(failure=read_failure(state, error, cause), **plain)
