"""Owns the desk for the tests of the decision: a bell at 09:35 with settings that trade."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.model import (
    Account,
    Asset,
    Clock,
    Decision,
    Features,
    FeatureValue,
    Holding,
    LatestPrice,
    Ledger,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Position,
    Run,
    Session,
    Settings,
    Side,
    Snapshot,
    TradingMode,
    TradingState,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.strategy import Market, Portfolio, Strategy
from tests.support.settings import SETTINGS as DEFAULTS

SESSION = date(2024, 3, 4)
NOW = datetime(2024, 3, 4, 14, 35, tzinfo=UTC)
DESK = "abc123"
UNIVERSE = ("AAPL", "GOOG", "IBM", "MSFT")

SETTINGS = replace(DEFAULTS, strategy="fixed_weights", symbols=UNIVERSE)
RUN = Run(
    run_id="2024-03-04-day",
    session=SESSION,
    slot="day",
    desk=DESK,
    mode=TradingMode.PAPER,
    execution_arn="arn:aws:states:us-east-1:123456789012:execution:desk:one",
    journal="runs/2024-03-04/2024-03-04-day/",
    sends_orders=True,
    entry_symbols=UNIVERSE,
    started_at=NOW,
    deadline=NOW + timedelta(minutes=10),
)


class FixedWeights(Strategy):
    """A strategy that returns fixed weights and stops, and keeps what it saw."""

    def __init__(self, answer: object, stops: object = None) -> None:
        super().__init__()
        self.answer = answer
        self.stops = {} if stops is None else stops
        self.shown: list[tuple[Market, Portfolio]] = []

    def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
        self.shown.append((market, portfolio))
        return self.answer

    def stop_prices(self, market: Market, portfolio: Portfolio) -> Any:
        del market, portfolio
        return self.stops


def settings(**changes: Any) -> Settings:
    return replace(SETTINGS, **changes)


def run(**changes: Any) -> Run:
    return replace(RUN, **changes)


def account(cash: str | Decimal = "100000", **changes: Any) -> Account:
    money = Decimal(cash)
    plain = Account(
        number="PA1",
        status="ACTIVE",
        equity=money,
        last_equity=money,
        cash=money,
        buying_power=money,
        non_marginable_buying_power=money,
        adjustments=Decimal(0),
        blocked_by=(),
    )
    return replace(plain, **changes)


def position(symbol: str, qty: str | Decimal, available: str | Decimal | None = None) -> Position:
    return Position(
        symbol=symbol,
        qty=Decimal(qty),
        qty_available=Decimal(qty if available is None else available),
        avg_entry_price=Decimal(90),
    )


def prices(at: datetime = NOW, **by_symbol: str) -> dict[str, LatestPrice]:
    return {symbol: LatestPrice(Decimal(price), at) for symbol, price in by_symbol.items()}


def ledger(**quantities: str) -> Ledger:
    return Ledger(
        desk=DESK,
        through=NOW - timedelta(days=1),
        holdings={
            symbol: Holding(qty=Decimal(qty), cost=Decimal(qty) * 90)
            for symbol, qty in quantities.items()
        },
    )


def asset(symbol: str, *, tradable: bool = True, fractionable: bool = True) -> Asset:
    return Asset(symbol=symbol, tradable=tradable, fractionable=fractionable)


def open_order(
    symbol: str, side: Side, qty: str | None, limit: str | None, order_id: str, **changes: Any
) -> Order:
    plain = Order(
        broker_id=f"broker-{order_id}",
        client_order_id=order_id,
        symbol=symbol,
        side=side,
        order_type="market" if limit is None else "limit",
        qty=None if qty is None else Decimal(qty),
        limit_price=None if limit is None else Decimal(limit),
        status="new",
        filled_qty=Decimal(0),
        filled_avg_price=None,
        submitted_at=NOW - timedelta(days=3),
        filled_at=None,
    )
    return replace(plain, **changes)


def ibm_entry(qty: str, limit: str | None = "10.02") -> OrderIntent:
    return OrderIntent(
        client_order_id="at1-abc123-2024-03-04-day-IBM-entry-0",
        symbol="IBM",
        side=Side.BUY,
        leg=Leg.ENTRY,
        qty=Decimal(qty),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        reference_price=Decimal(10),
        why="",
    )


def own_id(symbol: str, leg: Leg) -> str:
    return client_order_id(OrderPlace(DESK, date(2024, 3, 1), "day", symbol, leg, 0))


def snapshot(
    held: Mapping[str, str] | None = None, cash: str | Decimal = "100000", **changes: Any
) -> Snapshot:
    """Return a snapshot whose account matches the ledger, with every price at 100."""
    quantities = dict(held or {})
    symbols = sorted({*UNIVERSE, *quantities})
    plain = Snapshot(
        clock=Clock(now=NOW, is_open=True),
        session=Session(
            date=SESSION,
            open=NOW - timedelta(minutes=5),
            close=NOW + timedelta(hours=6, minutes=25),
        ),
        previous_session=date(2024, 3, 1),
        trading_state=TradingState.ACTIVE,
        trading_state_reason="",
        account=account(cash),
        positions={symbol: position(symbol, qty) for symbol, qty in quantities.items()},
        own_open_orders=(),
        foreign_open_orders=(),
        prices=prices(**dict.fromkeys(symbols, "100")),
        last_closes=dict.fromkeys(symbols, Decimal(99)),
        assets={symbol: asset(symbol) for symbol in symbols},
        ledger=ledger(**quantities),
        corporate_actions=(),
        last_session_pnl=None,
        warnings=(),
    )
    return replace(plain, **changes)


def features(*symbols: str) -> Features:
    return Features(
        as_of=date(2024, 3, 1),
        values={
            symbol: {"fast": FeatureValue(last=1.0, previous=0.5)}
            for symbol in (symbols or UNIVERSE)
        },
    )


def decided(
    weights: dict[str, Any],
    reported: Snapshot | None = None,
    *,
    under: Settings = SETTINGS,
    of: Run = RUN,
    stops: object = None,
) -> Decision:
    """Decide with fixed weights and stops."""
    strategy = FixedWeights(weights, stops)
    return decide(of, under, reported or snapshot(), features(*under.symbols), strategy)


def quantities(intents: tuple[OrderIntent, ...]) -> dict[str, Decimal]:
    return {intent.symbol: intent.qty for intent in intents}


def codes(decision: Decision) -> dict[str, str]:
    return {each.symbol: each.code for each in decision.denied}
