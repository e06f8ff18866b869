"""Owns a run of many orders at a broker with a rate limit; each request takes virtual time."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from werkzeug.test import Client

from algotrader.contracts import CONTRACT_VERSION, encode
from algotrader.execution import first_plan
from algotrader.model import Decision, Leg, OrderIntent, OrderType, Run, Side
from algotrader.orders.ids import OrderPlace, client_order_id
from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.data import DailyBar, History, Listing
from local.paper_broker.server import ROUTES
from local.paper_broker.values import AccountSetup, Order
from local.paper_broker.wsgi import Application
from submit_orders.app import lambda_handler
from tests.faults.market import EARLIER, SESSIONS, SETTINGS, STARTED, TODAY, run_of
from tests.faults.simulation import Reply, State
from tests.faults.wire import Wire
from tests.support.lambda_context import LambdaContext

PRICE = Decimal(10)
REQUEST_MS = 50
#: What Fetch Bars has requested in the same minute: clock, account, positions, orders and so on.
REQUESTS_BEFORE = 12
MOST_CALLS = 60


class ManyOrders:
    """A world in which one run sells some symbols and buys others.

    Parameters
    ----------
    requests_per_minute : int
        The broker's limit; 0 means none.
    """

    def __init__(self, *, exits: int, entries: int, requests_per_minute: int) -> None:
        self.state = State()
        self.requests: Counter[str] = Counter()
        self.sold = [f"S{number:04d}"[:5] for number in range(exits)]
        self.bought = [f"B{number:04d}"[:5] for number in range(entries)]
        options = Options(
            opening=AccountSetup(Decimal(10) ** 6, dict.fromkeys(self.sold, Decimal(5)), 2, "many"),
            session=TODAY,
            requests_per_minute=requests_per_minute,
        )
        history = _history([*self.sold, *self.bought])
        self.broker = PaperBroker(history, options, lambda: self.state.ms / 1000)
        self._client = Client(Application(self.broker, ROUTES))
        self.calls = 0

    def ask(self, method: str, target: str, body: bytes = b"") -> Reply:
        """Send a request to the broker, which answers after a while."""
        self.state.ms += REQUEST_MS
        self.requests[method] += 1
        keys = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
        answer = self._client.open(target, method=method, data=body, headers=keys)
        found = answer.get_data()
        return Reply(answer.status_code, found, len(found), tuple(answer.headers.items()))

    def pause(self, seconds: float) -> None:
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        self.state.ms += round(seconds * 1000)

    def orders(self) -> list[Order]:
        return self.broker.exchange.book.all

    def run(self, wire: Wire) -> dict[str, Any]:
        """Run to the end as the state machine does; return the last result."""
        for _ in range(REQUESTS_BEFORE):
            account = json.loads(self.ask("GET", "/v2/account").body)
        self.requests.clear()
        run = run_of(account["account_number"], 1, STARTED)
        made = self._decide(run)
        plan: dict[str, Any] = {"inline": encode(first_plan(run, made))}
        while self.calls < MOST_CALLS:
            self.calls += 1
            wire.plan = plan.get("inline") or self._stored(plan)
            event = {
                "contract": CONTRACT_VERSION,
                "run": encode(run),
                "settings": {"inline": encode(SETTINGS)},
                "decision": {"inline": encode(made)},
                "plan": plan,
            }
            result: dict[str, Any] = lambda_handler(
                event, LambdaContext(aws_request_id=str(self.calls))
            )
            if result["outcome"] == "COMPLETE":
                return result
            self.sleep(result["wait_seconds"])
            plan = result["plan"]
        message = "the run did not come to an end"
        raise AssertionError(message)

    def last_accepted(self) -> timedelta:
        """Return the time from the start to the last accepted order."""
        return max(each.submitted_at for each in self.orders()) - STARTED

    def _stored(self, plan: dict[str, Any]) -> Any:
        return json.loads(self.state.bucket[plan["s3"].removeprefix("s3://bucket/")])

    def _decide(self, run: Run) -> Decision:
        def intent(symbol: str, leg: Leg) -> OrderIntent:
            is_exit = leg is Leg.EXIT
            place = OrderPlace(run.desk, run.session, run.slot, symbol, leg, 0)
            return OrderIntent(
                client_order_id=client_order_id(place),
                symbol=symbol,
                side=Side.SELL if is_exit else Side.BUY,
                leg=leg,
                qty=Decimal(5),
                order_type=OrderType.LIMIT,
                limit_price=PRICE - 1 if is_exit else PRICE + 1,
                reference_price=PRICE,
                why="one of many",
            )

        return Decision(
            run_id=run.run_id,
            strategy=SETTINGS.strategy,
            desk_capital=Decimal(10) ** 6,
            spendable=Decimal(900_000),
            target_weights={},
            exits=tuple(intent(each, Leg.EXIT) for each in self.sold),
            entries=tuple(intent(each, Leg.ENTRY) for each in self.bought),
            cancels=(),
            denied=(),
            why={},
        )


def _history(symbols: list[str]) -> History:
    days = (*EARLIER[-5:], *SESSIONS)
    bar = [DailyBar(day, PRICE, PRICE, PRICE, PRICE, 1000) for day in days]
    return History(
        sessions=days,
        bars=dict.fromkeys(symbols, tuple(bar)),
        unusual_hours={},
        splits=(),
        dividends=(),
        listings={each: Listing(each, f"{each} Inc.", "NASDAQ", "000000000") for each in symbols},
    )
