"""Owns a desk that can submit orders, with the paper broker over HTTP, a bucket and a run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.keys import Keys
from algotrader.adapters.store import Store
from algotrader.execution import Step, first_plan
from algotrader.model import (
    Decision,
    Leg,
    OrderIntent,
    OrderType,
    Plan,
    Run,
    Settings,
    Side,
    TradingMode,
    TradingState,
)
from algotrader.orders.ids import OrderPlace, client_order_id, desk_id
from local.paper_broker import PaperBrokerProcess
from submit_orders.call import SubmitCall
from submit_orders.connections import CONNECTIONS, run_at_once
from submit_orders.plan_journal import PlanJournal
from submit_orders.send_lease import SendLease
from tests.functions.conftest import BUCKET
from tests.support.distorting_proxy import Answer, DistortingProxy, as_json
from tests.support.settings import SETTINGS

KEYS = Keys("key", "secret")


@dataclass(slots=True)
class Desk:
    """A run at the open, and what a submission needs."""

    paper: PaperBrokerProcess
    proxy: DistortingProxy
    run: Run
    settings: Settings
    state: TradingState = TradingState.ACTIVE
    logged: list[str] = field(default_factory=list)
    connections: int = CONNECTIONS

    def price(self, symbol: str) -> Decimal:
        answer = self.paper.request("GET", f"/v2/stocks/trades/latest?symbols={symbol}&feed=iex")
        return Decimal(str(answer["trades"][symbol]["p"]))

    def intent(self, symbol: str, leg: Leg, qty: int) -> OrderIntent:
        """Build a marketable limit order for this run."""
        price = self.price(symbol)
        away = Decimal("0.97") if leg is Leg.EXIT else Decimal("1.03")
        place = OrderPlace(self.run.desk, self.run.session, self.run.slot, symbol, leg, 0)
        return OrderIntent(
            client_order_id=client_order_id(place),
            symbol=symbol,
            side=Side.SELL if leg is Leg.EXIT else Side.BUY,
            leg=leg,
            qty=Decimal(qty),
            order_type=OrderType.LIMIT,
            limit_price=(price * away).quantize(Decimal("0.01")),
            reference_price=price,
            why="test",
        )

    def decision(self, *intents: OrderIntent, spendable: str = "90000") -> Decision:
        """Build a decision from exits and entries."""
        return Decision(
            run_id=self.run.run_id,
            strategy=self.settings.strategy,
            desk_capital=Decimal(100000),
            spendable=Decimal(spendable),
            target_weights={},
            exits=tuple(each for each in intents if each.leg is Leg.EXIT),
            entries=tuple(each for each in intents if each.leg is Leg.ENTRY),
            cancels=(),
            denied=(),
            why={},
        )

    def broker(self) -> AlpacaBroker:
        return AlpacaBroker(KEYS, self.proxy.url, self.proxy.url, 30.0)

    def plans(self, decision: Decision) -> PlanJournal:
        return PlanJournal(self.run, decision, Store(BUCKET), KEYS)

    def call(self, decision: Decision, plan: Plan | None = None) -> Step:
        """Call the step as the Lambda function would, with a new client."""
        call = SubmitCall(
            run=self.run,
            settings=self.settings,
            decision=decision,
            store=Store(BUCKET),
            plans=self.plans(decision),
            lease=SendLease(self.run, Store(BUCKET), uuid.uuid4().hex),
            broker=self.broker(),
            senders=tuple(self.broker() for _ in range(self.connections)),
            run_all=run_at_once,
            trading_state=lambda: (self.state, "test"),
            log=lambda message, **_: self.logged.append(message),
        )
        return call.make(plan or first_plan(self.run, decision))

    def call_until_complete(self, decision: Decision, plan: Plan | None = None) -> Step:
        """Call repeatedly with the returned plan, as the state machine does."""
        step = self.call(decision, plan)
        for _ in range(40):
            if step.complete:
                return step
            step = self.call(decision, step.plan)
        pytest.fail("the run did not come to an end")

    def dawdle(self, seconds: float) -> None:
        """Stop the broker's clock at the bell and delay each POST by the given seconds."""

        def stand_still(_method: str, path: str, answer: Answer) -> Answer:
            if path != "/v2/clock":
                return answer
            return as_json({**answer.json, "timestamp": self.run.started_at.isoformat()})

        def wait(method: str, _path: str) -> None:
            if method == "POST":
                time.sleep(seconds)

        self.proxy.distort, self.proxy.intercept = stand_still, wait

    def own_orders(self) -> list[dict[str, Any]]:
        """Return the broker's orders with this run's ids."""
        prefix = f"at1-{self.run.desk}-{self.run.run_id}-"
        return [each for each in self.paper.orders() if each["client_order_id"].startswith(prefix)]

    def next_bell(self) -> None:
        """Advance to the next session's run."""
        days = self.paper.sessions()
        self.run = _run_at(self.paper, days[days.index(self.run.session) + 1], self.run)


def _run_at(paper: PaperBrokerProcess, day: date, run: Run) -> Run:
    paper.open_session(day)
    now = datetime.fromisoformat(paper.request("GET", "/v2/clock")["timestamp"])
    run_id = f"{day.isoformat()}-day"
    return replace(
        run,
        run_id=run_id,
        session=day,
        journal=f"runs/{day.isoformat()}/{run_id}/",
        started_at=now,
        deadline=now + timedelta(minutes=10),
    )


@pytest.fixture(scope="module")
def paper() -> Iterator[PaperBrokerProcess]:
    with PaperBrokerProcess(session=date(2012, 1, 3), clock_scale=30) as process:
        yield process


@pytest.fixture
def desk(paper: PaperBrokerProcess, s3: Any, settings: Settings) -> Iterator[Desk]:
    del s3
    account = paper.account()["account_number"]
    today = datetime.fromisoformat(paper.request("GET", "/v2/clock")["timestamp"]).date()
    blank = Run(
        run_id="",
        session=today,
        slot="day",
        desk=desk_id(account, settings.stack),
        mode=TradingMode.PAPER,
        execution_arn="arn:aws:states:us-east-1:123456789012:execution:desk:one",
        journal="",
        sends_orders=True,
        entry_symbols=settings.symbols,
        started_at=datetime.now(UTC),
        deadline=datetime.now(UTC),
    )
    with DistortingProxy(paper.url).serving() as proxy:
        made = Desk(paper, proxy, blank, settings)
        made.next_bell()
        yield made


@pytest.fixture
def settings() -> Settings:
    return replace(SETTINGS, limit_offset_bps=300)
