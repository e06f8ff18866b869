"""Owns the observations of the performance tests, of a desk that holds AAPL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.accounting.performance import Observation
from algotrader.model import Activity, ActivityKind, CorporateAction, Holding, Ledger
from tests.support.desk_world import DESK

FRIDAY, MONDAY, TUESDAY = date(2024, 3, 1), date(2024, 3, 4), date(2024, 3, 5)
BELL = datetime(2024, 3, 4, 14, 35, tzinfo=UTC)
AFTER_CLOSE = datetime(2024, 3, 4, 21, 15, tzinfo=UTC)
CASH_FLOW, DIVIDEND = ActivityKind.CASH_FLOW, ActivityKind.DIVIDEND


def ledger(realized: str = "0", **held: tuple[str, str]) -> Ledger:
    """Return a ledger of shares and their cost, by symbol; ``realized`` is for AAPL."""
    return Ledger(
        desk=DESK,
        through=None,
        holdings={s: Holding(Decimal(qty), Decimal(cost)) for s, (qty, cost) in held.items()},
        realized={"AAPL": Decimal(realized)} if Decimal(realized) else {},
    )


def prices(**by_symbol: str) -> dict[str, Decimal]:
    return {symbol: Decimal(price) for symbol, price in by_symbol.items()}


HELD = ledger(AAPL=("10", "900"))
LOOK = Observation(
    session=MONDAY,
    previous_session=FRIDAY,
    at=BELL,
    ledger=HELD,
    before=HELD,
    closes=prices(AAPL="100"),
    prices=prices(AAPL="100"),
    worth=Decimal(10000),
    statement=(),
    shares=prices(AAPL="10"),
    actions=(),
    reset_at=None,
)


def look(**changes: Any) -> Observation:
    """Return Monday's observation: 10 AAPL bought at 90, at 100 now and at Friday's close."""
    return replace(LOOK, **changes)


def next_day(price: str, **changes: Any) -> Observation:
    """Return Tuesday's observation, after a close of 100 on Monday."""
    tuesday: dict[str, Any] = {
        "session": TUESDAY,
        "previous_session": MONDAY,
        "at": BELL + timedelta(days=1),
        "closes": prices(AAPL="100"),
        "prices": prices(AAPL=price),
    }
    return look(**{**tuesday, **changes})


def row(kind: ActivityKind, amount: str, **changes: Any) -> Activity:
    plain = Activity(
        activity_id=f"id-{kind}-{amount}",
        kind=kind,
        description="a row",
        symbol="AAPL" if kind is DIVIDEND else "",
        qty=Decimal(10) if kind is DIVIDEND else None,
        amount=Decimal(amount),
        day=MONDAY,
        at=None,
    )
    return replace(plain, **changes)


def action(kind: str, day: date = MONDAY, ratio: str | None = None) -> CorporateAction:
    return CorporateAction("AAPL", kind, day, None if ratio is None else Decimal(ratio))
