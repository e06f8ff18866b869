"""Owns a run with a sell and two buys, for the tests that submit orders in several calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from algotrader.execution import (
    Known,
    PostResult,
    Step,
    advance,
    cut_off_if_due,
)
from algotrader.execution.late_orders import LOOK_BACK_SECONDS
from algotrader.model import (
    Account,
    Decision,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Plan,
    Run,
    Side,
    TradingMode,
    TradingState,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.support.settings import SETTINGS

BELL = datetime(2024, 3, 4, 14, 35, tzinfo=UTC)
DEADLINE = BELL + timedelta(minutes=10)
RUN = Run(
    run_id="2024-03-04-day",
    session=BELL.date(),
    slot="day",
    desk="abc123",
    mode=TradingMode.PAPER,
    execution_arn="arn:aws:states:us-east-1:123456789012:execution:desk:one",
    journal="runs/2024-03-04/2024-03-04-day/",
    sends_orders=True,
    entry_symbols=("AAPL", "IBM", "MSFT"),
    started_at=BELL,
    deadline=DEADLINE,
)
NOTHING = PostResult(accepted=(), rejected=(), shortages={})


def account(cash: int | str) -> Account:
    return Account(
        number="PA1",
        status="ACTIVE",
        equity=Decimal(cash),
        last_equity=Decimal(cash),
        cash=Decimal(cash),
        buying_power=Decimal(cash),
        non_marginable_buying_power=Decimal(cash),
        adjustments=Decimal(0),
        blocked_by=(),
    )


def intent(symbol: str, leg: Leg, qty: int, price: str = "100") -> OrderIntent:
    return OrderIntent(
        client_order_id=client_order_id(OrderPlace("abc123", RUN.session, "day", symbol, leg, 0)),
        symbol=symbol,
        side=Side.SELL if leg is Leg.EXIT else Side.BUY,
        leg=leg,
        qty=Decimal(qty),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        reference_price=Decimal(price),
        why="test",
    )


EXIT = intent("AAPL", Leg.EXIT, 10)
BUY_IBM = intent("IBM", Leg.ENTRY, 5)
BUY_MSFT = intent("MSFT", Leg.ENTRY, 20)


def decision(
    exits: tuple[OrderIntent, ...] = (EXIT,),
    entries: tuple[OrderIntent, ...] = (BUY_IBM, BUY_MSFT),
    cancels: tuple[str, ...] = (),
    spendable: int = 2000,
) -> Decision:
    return Decision(
        run_id=RUN.run_id,
        strategy="sma_cross",
        desk_capital=Decimal(10000),
        spendable=Decimal(spendable),
        target_weights={},
        exits=exits,
        entries=entries,
        cancels=cancels,
        denied=(),
        why={},
    )


def order(wanted: OrderIntent, status: str = "filled", filled: int | None = None) -> Order:
    done = wanted.qty if filled is None and status == "filled" else Decimal(filled or 0)
    return Order(
        broker_id=f"broker-{wanted.symbol}",
        client_order_id=wanted.client_order_id,
        symbol=wanted.symbol,
        side=wanted.side,
        order_type="limit",
        qty=wanted.qty,
        limit_price=wanted.limit_price,
        status=status,
        filled_qty=done,
        filled_avg_price=wanted.limit_price if done else None,
        submitted_at=BELL,
        filled_at=BELL if done else None,
    )


def known(
    *orders: Order,
    now: datetime = BELL,
    state: TradingState = TradingState.ACTIVE,
    cash: int | str = 100000,
) -> Known:
    return Known(
        now=now,
        trading_state=state,
        trading_state_reason="",
        account=account(cash),
        orders={each.client_order_id: each for each in orders},
    )


def call(plan: Plan, view: Known, made: Decision, outcome: PostResult = NOTHING) -> Step:
    return advance(RUN, SETTINGS, made, cut_off_if_due(RUN, made, plan, view), view, outcome)


def looked_back(step: Step, view: Known, made: Decision) -> Step:
    """Continue a run that gave up orders it could not see; the broker's view stays the same."""
    calls, waited = 0, step.wait_seconds
    while not step.complete:
        step = call(step.plan, view, made)
        calls, waited = calls + 1, waited + step.wait_seconds
        assert calls < 10
    assert waited == LOOK_BACK_SECONDS
    return step


def codes(step: Step) -> dict[str, str]:
    return {each.symbol: each.code for each in step.submission.denied}
