"""Owns the environment of Fetch Bars: AWS, a scripted broker and the deployed parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from algotrader.adapters.aws import client
from algotrader.adapters.store import Store
from algotrader.contracts import (
    Artifact,
    DecideOrdersResult,
    FetchBarsEvent,
    FetchBarsResult,
    encode,
)
from algotrader.model import Decision, Leg, OrderIntent, OrderType, Run, Side
from algotrader.session.trigger import NEW_YORK
from fetch_bars.fetch import fetch
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, asset, bar
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen
from tests.support.executions import Executions, executions
from tests.support.in_process_aws import in_process_aws
from tests.support.settings import default_variables

__all__ = ["executions"]

KEYS_NAME, STATE_NAME = "/desk/alpaca-keys", "/desk/trading-state"
ARMING_NAME = "/desk/live-arming"
ARN = "arn:aws:states:us-east-1:123456789012:execution:desk:one"
TODAY = date(2026, 1, 6)
HOLIDAYS = {date(2025, 12, 25), date(2026, 1, 1)}

PARAMETERS = {
    **default_variables(),
    "STACK_NAME": "desk",
    "SYMBOLS": "AAPL,IBM",
    "STRATEGY": "sma_cross",
    "STRATEGY_PARAMETERS": '{"fast": 3, "slow": 5}',
    "ALPACA_KEYS_PARAMETER": KEYS_NAME,
    "TRADING_STATE_PARAMETER": STATE_NAME,
    "LIVE_ARMING_PARAMETER": ARMING_NAME,
    "STACK_ID": "desk",
}


def decision_of(run: Run, *symbols: str) -> Decision:
    """Return a decision to buy ten shares of each symbol."""
    return Decision(
        run_id=run.run_id,
        strategy="sma_cross",
        desk_capital=Decimal(100000),
        spendable=Decimal(98000),
        target_weights={},
        exits=(),
        entries=tuple(
            OrderIntent(
                client_order_id=f"at1-{run.desk}-{run.run_id}-{symbol}-entry-0",
                symbol=symbol,
                side=Side.BUY,
                leg=Leg.ENTRY,
                qty=Decimal(10),
                order_type=OrderType.LIMIT,
                limit_price=Decimal(100),
                reference_price=Decimal(100),
                why="test",
            )
            for symbol in symbols
        ),
        cancels=(),
        denied=(),
        why={},
    )


def weekdays(start: date, end: date) -> list[date]:
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]


@dataclass
class World:
    """A broker at 09:35 on a Tuesday, whose answers a test may change."""

    server: ScriptedBroker
    environ: dict[str, str]
    store: Store
    executions: Executions
    now: str = "2026-01-06T09:35:02-05:00"
    is_open: bool = True
    bars: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statement: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, price in (("AAPL", 100.0), ("IBM", 50.0)):
            self.assets[name] = asset(name)
            days = weekdays(date(2025, 10, 1), date(2026, 1, 9))
            self.bars[name] = [bar(str(day), price + n / 10) for n, day in enumerate(days)]
        serve = self.server.on
        serve("GET /v2/clock", lambda _: Answer({"timestamp": self.now, "is_open": self.is_open}))
        serve("GET /v2/calendar", self._calendar)
        serve("GET /v2/account", ACCOUNT)
        serve("GET /v2/account/configurations", {"no_shorting": True})
        serve("GET /v2/positions", [])
        serve("GET /v2/account/activities", self._activities)
        serve("GET /v2/account/portfolio/history", self._history)
        serve("GET /v2/orders", self._orders)
        serve("GET /v2/stocks/bars", self._bars)
        serve("GET /v2/stocks/trades/latest", self._trades)
        serve("GET /v1/corporate-actions", lambda _: Answer({"corporate_actions": self.actions}))
        self.server.scripts["*"] = self._asset

    def run(self, given: Any = None, arn: str = ARN) -> FetchBarsResult:
        event = FetchBarsEvent(execution_arn=arn, input={} if given is None else given)
        return fetch(event, self.environ, self.store)

    def decide(
        self, fetched: FetchBarsResult, *symbols: str, arn: str = ARN, **changes: Any
    ) -> Decision:
        """Record in the history and the journal that an execution decided to buy these symbols."""
        assert fetched.run is not None
        made = replace(decision_of(fetched.run, *symbols), **changes)
        handed_on = Artifact(inline=encode(made))
        decided = DecideOrdersResult("SUBMIT", decision=handed_on, plan=handed_on)
        self.executions.keep(arn, [("Fetch Bars", fetched), ("Decide Orders", decided)])
        self.store.write(f"{fetched.run.journal}decision.json", made)
        return made

    def stored(self) -> list[str]:
        """List the keys in the bucket."""
        answer = client("s3").list_objects_v2(Bucket=self.store.bucket)
        return [each["Key"] for each in answer.get("Contents", [])]

    def trade(self, client_order_id: str, **changes: Any) -> None:
        self.orders.append(
            {
                "id": f"id-{client_order_id}",
                "client_order_id": client_order_id,
                "symbol": "AAPL",
                "side": "buy",
                "type": "limit",
                "qty": "10",
                "limit_price": "100",
                "status": "filled",
                "filled_qty": "10",
                "filled_avg_price": "100",
                "submitted_at": "2026-01-05T14:35:05Z",
                "filled_at": "2026-01-05T14:35:06Z",
                **changes,
            }
        )

    def _calendar(self, seen: Seen) -> Answer:
        start, end = (date.fromisoformat(seen.query[name][:10]) for name in ("start", "end"))
        return Answer(
            [{"date": str(day), "open": "09:30", "close": "16:00"} for day in weekdays(start, end)]
        )

    def _activities(self, seen: Seen) -> Answer:
        is_trade = seen.query["category"] == "trade_activity"
        return Answer(self.fills if is_trade else self.statement)

    def _history(self, seen: Seen) -> Answer:
        start, end = (date.fromisoformat(seen.query[name]) for name in ("start", "end"))
        stamps = [
            int(datetime.combine(day, time(20), NEW_YORK).timestamp())
            for day in weekdays(start, end)
        ]
        none = [0] * len(stamps)
        equity = [ACCOUNT["last_equity"]] * len(stamps)
        return Answer({"timestamp": stamps, "equity": equity, "profit_loss": none})

    def _orders(self, seen: Seen) -> Answer:
        after = seen.query.get("after", "")
        is_open = seen.query["status"] == "open"
        return Answer(
            [
                each
                for each in self.orders
                if each["submitted_at"] > after
                and (not is_open or each["status"] in {"new", "accepted", "partially_filled"})
            ]
        )

    def _bars(self, seen: Seen) -> Answer:
        names = seen.query["symbols"].split(",")
        inside = {
            name: [
                each
                for each in self.bars[name]
                if seen.query["start"] <= each["t"] <= seen.query["end"]
            ]
            for name in names
            if self.bars.get(name)
        }
        return Answer({"bars": inside, "next_page_token": None})

    def _trades(self, seen: Seen) -> Answer:
        names = seen.query["symbols"].split(",")
        trade = {"t": "2026-01-06T14:35:00Z", "p": 101.5}
        return Answer({"trades": {name: trade for name in names if name in self.assets}})

    def _asset(self, seen: Seen) -> Answer:
        found = self.assets.get(seen.path.removeprefix("/v2/assets/"))
        return Answer(found) if found else Answer({"message": "not found"}, 404)


def new_store() -> Store:
    """Create a bucket, and store a pair of keys."""
    bucket = f"desk-{uuid4()}"
    client("s3").create_bucket(Bucket=bucket)
    client("ssm").put_parameter(
        Name=KEYS_NAME,
        Type="SecureString",
        Value='{"key_id": "MARKED-KEY-ID", "secret_key": "MARKED-SECRET"}',
        Overwrite=True,
    )
    return Store(bucket)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """Start AWS once, because new clients for every test would take most of the time."""
    with in_process_aws():
        yield


@pytest.fixture
def world(aws: None, executions: Executions, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    del aws
    monkeypatch.setattr("algotrader.adapters.alpaca.client.READ_PAUSES_SECONDS", (0.01,))
    client("ssm").delete_parameters(Names=[STATE_NAME, ARMING_NAME])
    with ScriptedBroker() as server:
        urls = {"APCA_API_BASE_URL": server.url, "APCA_API_DATA_URL": server.url}
        yield World(server, {**PARAMETERS, **urls}, new_store(), executions)
