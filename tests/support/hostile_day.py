"""Owns a trading day in this process, on which a test can spoil each of the broker's answers.

It uses the real handlers, an AWS in memory, and the paper broker without a socket.
"""

from __future__ import annotations

import copy
import importlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from werkzeug.test import EnvironBuilder, run_wsgi_app

from algotrader import errors
from algotrader.adapters.aws import clients_from
from algotrader.adapters.store import Store
from algotrader.contracts import CONTRACT_VERSION, Artifact, decode
from algotrader.model import Decision
from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.data import History, load
from local.paper_broker.server import ROUTES
from local.paper_broker.wsgi import Application
from tests.support.lambda_context import LambdaContext
from tests.support.memory_aws import MemoryAws
from tests.support.own_strategies import own_strategies
from tests.support.settings import default_variables

SESSION, NEXT_SESSION = date(2012, 6, 20), date(2012, 7, 2)
BUCKET, BROKER = "bucket", "http://127.0.0.1"
ARN = "arn:aws:states:us-east-1:123456789012:execution:desk:one"
KEYS = {"key_id": "K" * 20, "secret_key": "S" * 40}
STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")
#: Attempts for a step; the state machine makes more, but fewer make the tests faster.
TRIES = 2
MOST_CALLS = 25
WAIT_SECONDS = 30
TRANSIENT = (
    errors.BrokerUnavailableError,
    errors.BrokerRateLimitedError,
    errors.OrderStateUnknownError,
)

STRATEGY = '''
from decimal import Decimal

from algotrader.strategy import Indicator, Strategy


class Rotates(Strategy):
    """Holds two symbols of three, and other ones from July on, each with a stop."""

    indicators = {"strength": Indicator("roc", window=5)}

    def target_weights(self, market, portfolio):
        if market.session.month == 6:
            return {"AAPL": 0.3, "IBM": 0.3}
        return {"IBM": 0.2, "MSFT": 0.3}

    def stop_prices(self, market, portfolio):
        prices = {symbol: market[symbol].price for symbol in ("AAPL", "IBM", "MSFT")}
        return {symbol: price * Decimal("0.9") for symbol, price in prices.items() if price}
'''

Answer = tuple[int, dict[str, str], bytes]
Spoiler = Callable[[str, Answer], Answer]


def leaves() -> set[type[errors.DeskError]]:
    """Return the error classes without subclasses, which the state machine knows by name."""
    found, todo = set(), [errors.DeskError]
    while todo:
        below = (kind := todo.pop()).__subclasses__()
        todo += below
        if not below:
            found.add(kind)
    return found


LEAVES = leaves()


class UnnamedError(AssertionError):
    """A step ended with an error that the state machine does not know by name."""


@dataclass(slots=True)
class Day:
    """The result of a day.

    Attributes
    ----------
    state : str
        The last state before Notify.
    leaf : DeskError or None
        The error that ended the execution, if it failed.
    decision : Decision or None
        The result of Decide Orders.
    posts : list of dict
        The bodies of the orders that the desk sent.
    """

    state: str = "Fetch Bars"
    leaf: errors.DeskError | None = None
    decision: Decision | None = None
    posts: list[dict[str, Any]] = field(default_factory=list)
    email: str = ""


@dataclass(slots=True)
class World:
    """AWS, a deployment and a broker, whose clock advances with each request and each wait.

    Attributes
    ----------
    posts : list of dict
        The bodies of the orders that the desk has sent on the latest day.
    spoiler : callable or None
        Changes the broker's answers.
    spoiled : list of str
        Descriptions of what a trial has spoiled.
    handed_on : list of tuple
        Each call to a step, with its event and its result.
    requests, received : int
        The number of requests to the broker, and the bytes of its answers.
    """

    aws: MemoryAws
    environ: dict[str, str]
    broker: PaperBroker = field(init=False)
    app: Application = field(init=False)
    seconds: float = 0.0
    posts: list[dict[str, Any]] = field(default_factory=list)
    spoiler: Spoiler | None = None
    spoiled: list[str] = field(default_factory=list)
    handed_on: list[tuple[str, Any, Any]] = field(default_factory=list)
    requests: int = 0
    received: int = 0

    def call(self, step: str, event: Any) -> Any:
        """Invoke a step's handler; raise `UnnamedError` for any error that is not a leaf."""
        handler = importlib.import_module(f"{step}.app").lambda_handler
        try:
            result = handler(event, LambdaContext(aws_request_id=f"{self.seconds}"))
        except errors.DeskError as error:
            if type(error) not in LEAVES or not str(error).isprintable():
                raise UnnamedError(f"{step}: {error!r}") from error
            raise
        except Exception as error:
            raise UnnamedError(f"{step}: {type(error).__name__}: {error}") from error
        json.dumps(result, allow_nan=False).encode()
        self.handed_on.append((step, event, result))
        return result

    def live(self, value: Any = None) -> Day:
        """Run an execution to its end, as the state machine would."""
        day = Day()
        day.posts = self.posts = []
        state: dict[str, Any] = dict.fromkeys(
            ("run", "settings", "snapshot", "features", "decision", "submission")
        )
        try:
            self._walk({} if value is None else value, state, day)
            if state["run"] is not None:
                self._notify(value, state, day)
        except errors.DeskError as error:
            day.leaf = error
            cause = {"errorMessage": str(error), "errorType": type(error).__name__}
            failure = {
                "state": day.state,
                "error": type(error).__name__,
                "cause": json.dumps(cause),
            }
            self._notify(value, {**state, "failure": failure}, day)
        return day

    def _notify(self, value: Any, state: dict[str, Any], day: Day) -> None:
        reported = {"execution_arn": ARN, "input": value, "failure": None, **state}
        try:
            day.email = self.call("notify", {"contract": CONTRACT_VERSION, **reported})["email"]
        except errors.DeskError as error:
            if day.leaf is None:
                raise
            raise UnnamedError(f"the failure is not reported: {error}") from error

    def _walk(self, value: Any, state: dict[str, Any], day: Day) -> None:
        fetched = self._try("fetch_bars", {"execution_arn": ARN, "input": value})
        if fetched["outcome"] in {"CLOSED", "DUPLICATE"}:
            return
        state |= {name: fetched[name] for name in ("run", "settings", "snapshot")}
        if fetched["outcome"] == "REPORT":
            return
        common = {"run": state["run"], "settings": state["settings"]}
        if fetched["outcome"] == "OPEN":
            day.state = "Compute Indicators"
            computed = self._try("compute_indicators", {**common, "bars": fetched["bars"]})
            state["features"] = computed["features"]
        day.state = "Decide Orders"
        given = {**common, "snapshot": state["snapshot"], "features": state["features"]}
        decided = self._try("decide_orders", given)
        state["decision"] = decided["decision"]
        artifact = decode(Artifact, decided["decision"], "decision")
        day.decision = Store(BUCKET).get(artifact, Decision)
        if decided["outcome"] != "SUBMIT":
            return
        day.state = "Submit Orders"
        plan = decided["plan"]
        for _ in range(MOST_CALLS):
            given = {**common, "decision": state["decision"], "plan": plan}
            sent = self._try("submit_orders", given)
            plan = sent["plan"]
            state["submission"] = sent["submission"] or state["submission"]
            if sent["outcome"] == "COMPLETE":
                return
            self.wait(sent["wait_seconds"])

    def wait(self, seconds: float) -> None:
        """Let the time of a state machine's wait pass."""
        self.seconds += seconds

    def _try(self, step: str, event: dict[str, Any]) -> Any:
        event = {"contract": CONTRACT_VERSION, **event}
        for _ in range(TRIES - 1):
            try:
                return self.call(step, event)
            except TRANSIENT:
                self.seconds += WAIT_SECONDS
        return self.call(step, event)

    def send(self, request: Any, **_: Any) -> requests.Response:
        """Answer a request of the HTTP client, without a socket."""
        self.seconds += 0.01
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        path, _, query = request.url.removeprefix(BROKER).partition("?")
        if request.method == "POST":
            self.posts.append(json.loads(body))
        environ = EnvironBuilder(
            path=path,
            query_string=query,
            method=request.method,
            headers=dict(request.headers),
            data=body,
        ).get_environ()
        parts, status, headers = run_wsgi_app(self.app, environ)
        answer: Answer = (int(status[:3]), dict(headers), b"".join(parts))
        if self.spoiler is not None:
            answer = self.spoiler(f"{request.method} {path}", answer)
        code, kept, content = answer
        self.requests += 1
        self.received += len(content)
        return HTTPAdapter().build_response(
            request, urllib3.HTTPResponse(io.BytesIO(content), kept, code, preload_content=False)
        )


@cache
def deployed() -> dict[str, str]:
    """Return the environment of all functions, with the template's defaults."""
    return {
        **default_variables(),
        "STACK_NAME": "desk",
        "STACK_ID": "desk",
        "BUCKET": BUCKET,
        "ALPACA_KEYS_PARAMETER": "/desk/alpaca-keys",
        "TRADING_STATE_PARAMETER": "/desk/trading-state",
        "LIVE_ARMING_PARAMETER": "/desk/live-arming",
        "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:texts",
        "APCA_API_BASE_URL": BROKER,
        "APCA_API_DATA_URL": BROKER,
    }


@contextmanager
def quiet_steps() -> Iterator[None]:
    """Log nothing of the steps, and restore their levels for the tests that follow."""
    loggers = [importlib.import_module(f"{step}.app").logger for step in STEPS]
    levels = [each.log_level for each in loggers]
    for each in loggers:
        each.setLevel("CRITICAL")
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


@contextmanager
def worlds(folder: Path) -> Iterator[Callable[[], World]]:
    """Yield a maker of identical worlds at a desk's second bell.

    Parameters
    ----------
    folder : Path
        The folder for the desk's strategy.
    """
    deployment = {**deployed(), "SYMBOLS": "AAPL,IBM,MSFT", "STRATEGY": "rotates"}
    with (
        quiet_steps(),
        patch("algotrader.adapters.alpaca.client.READ_PAUSES_SECONDS", (0.0,)),
        patch("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", ()),
        # Its thread ends an answer that never completes, but here no answer takes time.
        patch("algotrader.adapters.alpaca.client.within", lambda _seconds, call: call()),
        patch("submit_orders.app.run_at_once", lambda works: [each() for each in works]),
        pytest.MonkeyPatch.context() as monkeypatch,
        own_strategies(folder, monkeypatch) as write,
    ):
        write("rotates", STRATEGY)
        first = _world(deployment)
        with reached(first):
            day = first.live()
        assert day.leaf is None, day.leaf
        assert day.posts
        yield lambda: _world(deployment, first)


@contextmanager
def reached(world: World) -> Iterator[World]:
    """Connect the HTTP client and the AWS clients to a world until the block ends."""
    send = patch.object(HTTPAdapter, "send", world.send)
    with send, clients_from(world.aws.client), patch.dict("os.environ", world.environ):
        yield world


def world_of(history: History, deployment: Mapping[str, str], session: date) -> World:
    """Build a world at its first bell, on a given market."""
    return _world(deployment, session=session, history=history)


def _world(
    deployment: Mapping[str, str],
    before: World | None = None,
    session: date = SESSION,
    history: History | None = None,
) -> World:
    """Build a world at its first bell, or a copy of ``before`` at the next session."""
    world = World(MemoryAws(), dict(deployment))
    secret = ("SecureString", json.dumps(KEYS), 1)
    world.aws.parameters[deployment["ALPACA_KEYS_PARAMETER"]] = secret
    market = load() if history is None else history
    broker = PaperBroker(market, Options(session=session), lambda: world.seconds)
    if before is not None:
        world.aws.objects = dict(before.aws.objects)
        there = before.broker.exchange
        broker.exchange = copy.deepcopy(there, {id(there.market): broker.market})
        broker.move_to(NEXT_SESSION)
    world.broker, world.app = broker, copy.copy(_compiled())  # compiling the routes takes long
    world.app.broker = broker
    return world


def event_world() -> World:
    """Build the world of the sample events."""
    return _world({**deployed(), "STACK_NAME": "algo-trader"}, session=date(2012, 2, 15))


@cache
def _compiled() -> Application:
    return Application(PaperBroker(load(), Options(requests_per_minute=0)), ROUTES)


def beyond(day: Day) -> list[str]:
    """List the orders that the desk sent but the decision does not contain."""
    if day.decision is None:
        return [f"{each} without a decision" for each in day.posts]
    intents = {each.client_order_id: each for each in (*day.decision.exits, *day.decision.entries)}
    stops = {each.client_order_id: each for each in day.decision.stops}
    found = []
    for each in day.posts:
        name = each["client_order_id"]
        if name in intents:
            intent = intents[name]
            fits = (
                each["symbol"] == intent.symbol
                and each["side"] == intent.side.value
                and each["type"] == intent.order_type.value
                and _is_at_most(each.get("qty"), intent.qty)
                and _is_at_most(each.get("notional"), intent.notional or Decimal(0))
                and each.get("limit_price")
                == (None if intent.limit_price is None else f"{intent.limit_price:f}")
            )
        elif name in stops:
            wish = stops[name]
            bought = sum(
                (it.qty for it in day.decision.entries if it.symbol == wish.symbol), Decimal(0)
            )
            fits = (
                (each["symbol"], each["side"], each["type"]) == (wish.symbol, "sell", "stop")
                and each["stop_price"] == f"{wish.stop_price:f}"
                and _is_at_most(each["qty"], wish.held + bought)
            )
        else:
            fits = False
        if not fits:
            found.append(str(each))
    return found


def _is_at_most(text: str | None, most: Decimal) -> bool:
    return text is None or 0 < Decimal(text) <= most
