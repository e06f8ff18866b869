"""Owns the world outside a call, which it can save and load: broker, bucket, switch and clock.

`World.save` and `World.key` contain everything that affects the future, and nothing else. Two
worlds with the same key therefore have the same future, so `explore` can merge them.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from algotrader.model import Leg
from algotrader.orders.ids import desk_id, desk_prefix
from local.paper_broker.book import Book
from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.exchange import Exchange
from local.paper_broker.market import HistoricalMarket
from local.paper_broker.rules import parse_ticket
from local.paper_broker.server import ROUTES
from local.paper_broker.values import AccountSetup, ApiError, Behaviour, Order
from local.paper_broker.wsgi import Application
from tests.faults.market import (
    CASH,
    DESK_HOLDS,
    HISTORY,
    OLD_LEVEL,
    PRICES,
    REBALANCE,
    SETTINGS,
    TODAY,
    USER_HOLDS,
    Scenario,
    older_limit,
    resting_id,
    stop_level,
)

KEYS = json.dumps({"key_id": "key", "secret_key": "secret"})
HELD = {
    each: DESK_HOLDS.get(each, Decimal(0)) + USER_HOLDS.get(each, Decimal(0)) for each in PRICES
}
# A POST takes this long, so no two orders arrive in the same millisecond.
POST_MS = 2
EXCHANGE_PARTS = {
    *("market", "opening", "behaviour", "start", "now", "book", "_counter", "_last_stamp"),
    *("id", "account", "first_equity"),
}


class Count:
    """A counter that pickle can save; Python 3.14 cannot pickle `itertools.count`."""

    def __init__(self) -> None:
        self.last = 0

    def __next__(self) -> int:
        self.last += 1
        return self.last


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; ``promised`` is the length that its header claims."""

    status: int
    body: bytes
    promised: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution as Step Functions knows it.

    Attributes
    ----------
    results : dict of str to Any
        Results of the states by name, as JSON.
    variant : int
        The decision's variant, as in `market.decision_of`.
    """

    status: str
    results: dict[str, Any] = field(default_factory=dict)
    variant: int = 0


@dataclass(slots=True)
class State:
    """The part of a world that is not in the broker's account.

    Attributes
    ----------
    other_bucket : dict of str to bytes
        The bucket of a stack of the same name in another region. They share only the account.
    late : list of (int or None, bytes)
        Orders sent but not yet delivered, with the due instant. None means after the next look-up.
    hidden : dict of str to int
        For each order that the broker hides, by our id, the instant at which it shows the order.
    views : dict of str to (int, bytes)
        Old views of ``orders``, ``positions`` or ``account`` that the broker shows until an
        instant.
    executions : dict of str to Execution
        Executions by ARN; empty if the simulation covers only Submit Orders.
    notes : set of str
        Events that may excuse a difference, and findings that must never occur.
    """

    ms: int = 0
    bucket: dict[str, bytes] = field(default_factory=dict)
    other_bucket: dict[str, bytes] = field(default_factory=dict)
    switch: str = "ACTIVE"
    deployment: str = ""  # what a deploy has changed since the run began
    executions: dict[str, Execution] = field(default_factory=dict)
    late: list[tuple[int | None, bytes]] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)
    hide_next_ms: int = 0
    views: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    twins: int = 0
    deposited: Decimal = Decimal(0)
    by_hand: set[str] = field(default_factory=set)  # the broker's ids of orders that others placed


class _Broker(PaperBroker):
    """The paper broker, which can also show an earlier state of the account."""

    view: Exchange | None = None

    @contextmanager
    def look(self) -> Iterator[Exchange]:
        if self.view is not None:
            yield self.view
            return
        with super().look() as exchange:
            yield exchange


class World:
    """A simulated world: the paper broker's engine and wire, a small S3 and SSM, and virtual time.

    Parameters
    ----------
    behaviour : Behaviour
        How the broker fills orders.
    book : callable
        Builds the broker's book; a test can pass one that accepts repeated ids.
    pauses : bool
        Whether the pauses between a client's attempts take time. Without them, more worlds are
        equal, and a retry finds the world unchanged.
    scenario : Scenario
        The run, and the stops that are open when it begins.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        book: Callable[[], Book] = Book,
        *,
        pauses: bool = False,
        scenario: Scenario = REBALANCE,
    ) -> None:
        self.scenario = scenario
        self.state = State()
        self._pauses = pauses
        self.twin: Callable[..., None] = lambda **_: None  # the machine sets these three
        self.twin_stack: Callable[..., None] = lambda **_: None
        self.run_others: Callable[[], None] = lambda: None
        opening = AccountSetup(CASH, HELD, 2, "faults")
        options = Options(
            opening=opening,
            behaviour=behaviour,
            session=TODAY,
            requests_per_minute=0,  # a reloaded world would keep other worlds' count
        )
        self.broker = _Broker(HISTORY, options, lambda: self.state.ms / 1000)
        self.exchange.book = book()
        self.exchange._counter = Count()
        self.application = Application(self.broker, ROUTES)
        assert set(vars(self.exchange)) == EXCHANGE_PARTS, "World.key must know every part"
        self.account_number = json.loads(self.ask("GET", "/v2/account").body)["account_number"]
        self.desk = desk_id(self.account_number, SETTINGS.stack)
        for symbol, qty in scenario.resting.items():
            self.order_stop(resting_id(self.desk, symbol), symbol, qty)
        for symbol, qty in scenario.buys.items():
            order_id = resting_id(self.desk, symbol, Leg.ENTRY)
            terms = {"type": "limit", "time_in_force": "day", "client_order_id": order_id}
            wanted = {"side": "buy", "qty": qty, "limit_price": str(older_limit(symbol))}
            self.exchange.submit(parse_ticket({**terms, **wanted, "symbol": symbol}))
        for order in self.exchange.book.open:
            if status := scenario.hangs.get(order.ticket.symbol):
                self.exchange.hang(order.id, status)

    @property
    def exchange(self) -> Exchange:
        """The account's current state."""
        return self.broker.exchange

    # -- saving and loading ---------------------------------------------------------------------

    def save(self) -> bytes:
        return self._frozen(self.exchange, self.state)

    def load(self, saved: bytes) -> None:
        self.broker.exchange, self.state = self._thawed(saved)

    def key(self) -> str:
        """Return a string of everything that affects the future."""
        it, state = self.exchange, self.state
        account = it.account
        # Later calls read only the name of a send lease, because none of them has its id.
        bucket, other_bucket = (
            {name: b"" if "/sending-" in name else body for name, body in each.items()}
            for each in (state.bucket, state.other_bucket)
        )
        return repr(
            (
                *(it.now, it._last_stamp, it._counter.last, it.behaviour),
                *(account.cash, sorted(account.holdings.items()), account.activities),
                *(account.closes, it.book.all),
                *(state.ms, bucket, other_bucket, state.switch, state.deployment),
                state.executions,
                *(state.late, state.hidden),
                *(state.hide_next_ms, state.views, sorted(state.notes), state.twins),
                *(state.deposited, sorted(state.by_hand)),
            )
        )

    def _frozen(self, *values: object) -> bytes:
        file = io.BytesIO()
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.persistent_id = lambda value: (
            "market" if isinstance(value, HistoricalMarket) else None
        )
        pickler.dump(values)
        return file.getvalue()

    def _thawed(self, frozen: bytes) -> Any:
        unpickler = pickle.Unpickler(io.BytesIO(frozen))  # noqa: S301 - our own bytes
        unpickler.persistent_load = lambda _: self.broker.market
        return unpickler.load()

    # -- requests -------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Advance virtual time."""
        self.state.ms += round(seconds * 1000)

    def pause(self, seconds: float) -> None:
        """Advance time between a client's attempts, if pauses take time."""
        if self._pauses:
            self.sleep(seconds)

    def ask(self, method: str, target: str, body: bytes = b"") -> Reply:
        """Send a request to the broker, with no fault on the way."""
        if method == "POST":
            self.state.ms += POST_MS
        self._deliver(after_look_up=False)
        path, _, query = target.partition("?")
        view = self._view_of(path)
        if view is None:
            reply = self._call(method, path, query, body)
        else:
            self.broker.view = view
            try:
                reply = self._call(method, path, query, body)
            finally:
                self.broker.view = None
        if method == "POST" and self.state.hide_next_ms and reply.status < 300:
            order_id = json.loads(body)["client_order_id"]
            self.state.hidden[order_id] = self.state.ms + self.state.hide_next_ms
            self.state.hide_next_ms = 0
        if path.startswith("/v2/orders") and method == "GET":
            reply = self._without_hidden(reply)
            self._deliver(after_look_up=True)
        self._watch()
        return reply

    def _call(self, method: str, path: str, query: str, body: bytes) -> Reply:
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "broker",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_APCA_API_KEY_ID": "key",
            "HTTP_APCA_API_SECRET_KEY": "secret",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        status = 0

        def start(text: str, _headers: object) -> None:
            nonlocal status
            status = int(text[:3])

        answer = b"".join(self.application(environ, start))
        return Reply(status, answer, len(answer))

    def _view_of(self, path: str) -> Exchange | None:
        for name, (until, frozen) in list(self.state.views.items()):
            if until <= self.state.ms:
                del self.state.views[name]
            elif path.startswith(f"/v2/{name}") and not path.startswith("/v2/account/"):
                return self._thawed(frozen)[0]
        return None

    def _without_hidden(self, reply: Reply) -> Reply:
        hidden = {each for each, until in self.state.hidden.items() if until > self.state.ms}
        if not hidden or reply.status != 200:
            return reply
        found = json.loads(reply.body)
        if isinstance(found, dict):
            if found["client_order_id"] not in hidden:
                return reply
            body = b'{"code":40410000,"message":"order not found"}'
            return Reply(404, body, len(body))
        body = json.dumps(
            [each for each in found if each["client_order_id"] not in hidden]
        ).encode()
        return Reply(200, body, len(body))

    def _deliver(self, *, after_look_up: bool) -> None:
        """Deliver the late orders that are due."""
        due = [
            each
            for each in self.state.late
            if (after_look_up if each[0] is None else each[0] <= self.state.ms)
        ]
        for each in due:
            self.state.late.remove(each)
            self._call("POST", "/v2/orders", "", each[1])

    def order_stop(self, order_id: str, symbol: str, qty: int) -> None:
        """Place a stop the way an earlier run of the desk did."""
        terms = {"type": "stop", "time_in_force": "gtc", "client_order_id": order_id}
        level = str(stop_level(symbol, OLD_LEVEL))
        with self.broker.look() as exchange:
            body = {**terms, "symbol": symbol, "side": "sell", "qty": qty, "stop_price": level}
            exchange.submit(parse_ticket(body))

    def desk_orders(self) -> list[Order]:
        """List the desk's orders of this run and of earlier runs."""
        return [
            each
            for each in self.exchange.book.all
            if each.client_order_id.startswith(desk_prefix(self.desk))
            and each.id not in self.state.by_hand
        ]

    def desk_holds(self) -> dict[str, Decimal]:
        """Sum the shares that the desk holds through its own orders."""
        held = {symbol: DESK_HOLDS.get(symbol, Decimal(0)) for symbol in PRICES}
        for order in self.desk_orders():
            held[order.ticket.symbol] += order.filled_qty * (1 if order.is_buy else -1)
        return held

    def _watch(self) -> None:
        """Note what must never happen: a short position, or more for sale than the desk holds."""
        if any(holding.qty < 0 for holding in self.exchange.account.holdings.values()):
            self.state.notes.add("SHORT")
        held = self.desk_holds()
        for order in self.desk_orders():
            if order.is_open and not order.is_buy:
                held[order.ticket.symbol] -= order.remaining
        if any(qty < 0 for qty in held.values()):
            self.state.notes.add("OVERSOLD")

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Switch to the other region's bucket and deployment until the block ends."""
        state = self.state
        here, state.deployment = state.deployment, ""
        state.bucket, state.other_bucket = state.other_bucket, state.bucket
        try:
            yield
        finally:
            state.bucket, state.other_bucket = state.other_bucket, state.bucket
            state.deployment = here

    # -- what others do ---------------------------------------------------------------------------

    def by_hand(self, symbol: str, side: str, qty: Decimal, **terms: str) -> Order | None:
        """Trade as the user does on the broker's website; return None if the broker refuses."""
        body = {"type": "market", "time_in_force": "day", **terms}
        with self.broker.look() as exchange:
            try:
                order = exchange.submit(
                    parse_ticket({**body, "symbol": symbol, "side": side, "qty": str(qty)})
                )
            except ApiError:
                return None
        self.state.by_hand.add(order.id)
        return order

    def deposit(self, dollars: Decimal) -> None:
        self.exchange.account.cash += dollars
        self.state.deposited += dollars

    def fall_behind(self, name: str, seconds: int) -> None:
        """Freeze for a while what the broker shows of orders, positions or the account."""
        with self.broker.look() as exchange:
            self.state.views[name] = (self.state.ms + seconds * 1000, self._frozen(exchange))

    def settle(self) -> None:
        """Let everything under way finish."""
        self.state.ms += 120_000
        self.state.views.clear()
        self.state.hidden.clear()
        self._deliver(after_look_up=True)
        self._deliver(after_look_up=False)
        for _ in range(5):
            with self.broker.look():
                self._watch()
            self.state.ms += 10_000
