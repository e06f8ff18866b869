"""Owns the faults, which break an exchange, and the events, which happen just before one.

An exchange proceeds as usual after an event. Events at the broker come only before exchanges with
the broker, and a change of the kill switch only before a run reads it. Before any other exchange,
an event would have the same effect as before the next exchange of its own kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

from tests.faults.forgeries import (
    PLAN,
    copy_plan,
    forge_decision,
    forge_denials,
    forge_plan,
    read_decision,
)
from tests.faults.market import PRICES, STARTED
from tests.faults.simulation import Reply, World
from tests.faults.wire import Broken, Exchange, Killed

HTML = b"<html><body>gateway</body></html>"
HIDDEN_MS = 29_000
LIMITED_SECONDS = 40
#: What a deploy may change during a run: limits, which travel with the run, or the mode.
DEPLOYMENTS = ("limits", "mode")
LATE_MS = 5_000

Act = Callable[[World, Exchange], Reply]
Fits = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault or event.

    Attributes
    ----------
    act : callable
        Carries out the exchange with the fault.
    fits : callable
        Returns whether the fault can hit an exchange.
    is_event : bool
        Whether it happens before the exchange, which then proceeds as usual.
    """

    name: str
    act: Act
    fits: Fits
    is_event: bool = False


def _answer(status: int, body: bytes, promised: int | None = None) -> Reply:
    return Reply(status, body, len(body) if promised is None else promised)


def _broken(how: str, *, applied: bool) -> Act:
    def act(_world: World, exchange: Exchange) -> Reply:
        if applied:
            exchange.apply()
        raise Broken(how)

    return act


def _answered(make: Callable[[], Reply], *, applied: bool) -> Act:
    def act(_world: World, exchange: Exchange) -> Reply:
        if applied:
            exchange.apply()
        return make()

    return act


def _killed(*, applied: bool) -> Act:
    def act(_world: World, exchange: Exchange) -> Reply:
        if applied:
            exchange.apply()
        raise Killed

    return act


def _cut(_world: World, exchange: Exchange) -> Reply:
    whole = exchange.apply()
    return Reply(whole.status, whole.body[: len(whole.body) // 2], len(whole.body), whole.headers)


def _cut_to_size(_world: World, exchange: Exchange) -> Reply:
    whole = exchange.apply()
    half = whole.body[: len(whole.body) // 2]
    return Reply(whole.status, half, len(half), whole.headers)


def _busy(_world: World, exchange: Exchange) -> Reply:
    if exchange.service == "broker":
        return _answer(429, b'{"code":42910000,"message":"rate limit exceeded"}')
    if exchange.service == "s3":
        return _answer(503, b"<Error><Code>SlowDown</Code><Message>no</Message></Error>")
    return _answer(400, b'{"__type":"ThrottlingException","message":"no"}')


def _limited(world: World, exchange: Exchange) -> Reply:
    """Answer that the limit is exhausted, for longer than a call waits before it sends an order."""
    del exchange
    now = STARTED + timedelta(milliseconds=world.state.ms)
    reset = int(now.timestamp()) + LIMITED_SECONDS
    headers = {"Date": format_datetime(now, usegmt=True), "X-RateLimit-Reset": str(reset)}
    body = b'{"code":42910000,"message":"too many requests."}'
    return Reply(429, body, len(body), tuple(headers.items()))


def _conflict(_world: World, _exchange: Exchange) -> Reply:
    code = "ConditionalRequestConflict"
    return _answer(409, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


def _late(due_ms: int | None) -> Act:
    """Answer an order with a gateway time-out, and deliver the order later."""

    def act(world: World, exchange: Exchange) -> Reply:
        world.state.late.append(
            (None if due_ms is None else world.state.ms + due_ms, exchange.body)
        )
        return _answer(504, HTML)

    return act


def _hidden(*, answered: bool) -> Act:
    """Accept the order, but hide it for a while."""

    def act(world: World, exchange: Exchange) -> Reply:
        world.state.hide_next_ms = HIDDEN_MS
        reply = exchange.apply()
        world.state.hide_next_ms = 0
        return reply if answered else _answer(504, HTML)

    return act


def _hanging(world: World, exchange: Exchange) -> Reply:
    """Accept the order, which then neither fills nor ends."""
    reply = exchange.apply()
    if reply.status < 300:
        world.exchange.hang(json.loads(reply.body)["id"], "held")
        world.state.notes.add("hangs")
    return reply


def _skewed(seconds: int) -> Act:
    def act(world: World, exchange: Exchange) -> Reply:
        before = world.state.ms
        reply = exchange.apply()
        clock_body = json.loads(reply.body)
        at = datetime.fromisoformat(clock_body["timestamp"]) + timedelta(seconds=seconds)
        assert world.state.ms == before
        world.state.notes.add("clock")
        return _answer(200, json.dumps(clock_body | {"timestamp": at.isoformat()}).encode())

    return act


# -- what others do between two exchanges ----------------------------------------------------------


def _event(do: Callable[[World], None], *notes: str) -> Act:
    def act(world: World, exchange: Exchange) -> Reply:
        do(world)
        world.state.notes.update(notes)
        return exchange.apply()

    return act


def _fill(world: World) -> None:
    exchange = world.exchange
    was = exchange.behaviour
    exchange.behaviour = was.__class__(slippage_bps=was.slippage_bps)
    with world.broker.look():
        pass
    exchange.behaviour = was


def _user_sells(world: World) -> None:
    world.by_hand("ALFA", "sell", Decimal(2))


def _user_sells_out(world: World) -> None:
    world.by_hand("ALFA", "sell", world.exchange.funds.available("ALFA"))


def _user_buys(world: World) -> None:
    world.by_hand("ALFA", "buy", Decimal(1))


def _user_stop(world: World) -> None:
    """Place a stop by hand that triggers immediately, because the price is already below it."""
    price = str(PRICES["CHAR"] + 1)
    world.by_hand("CHAR", "sell", Decimal(4), type="stop", stop_price=price)


def _user_cancels(world: World) -> None:
    with world.broker.look() as exchange:
        for order in exchange.book.open[:1]:
            exchange.cancel(order.id)
            world.state.notes.add("user")


def _stop_triggers(*, whole: bool) -> Callable[[World], None]:
    """Trigger the desk's oldest open stop at a price that nobody else sees."""

    def do(world: World) -> None:
        stops = [
            each for each in world.desk_orders() if each.is_open and each.ticket.type == "stop"
        ]
        if not stops:
            return
        was = world.exchange.behaviour
        world.exchange.behaviour = was.__class__(fill_parts=1 if whole else 2)
        others = [each for each in world.exchange.book.open if each is not stops[0]]
        for other in others:
            del world.exchange.book._open[other.id]
        stops[0].triggered = True
        with world.broker.look():
            pass
        stops[0].triggered = False
        ended = [each for each in (stops[0],) if each.is_open]
        world.exchange.book._open = {each.id: each for each in (*others, *ended)}
        world.exchange.behaviour = was
        world.state.notes.add("stop")

    return do


def _user_trades_against_entry(world: World) -> None:
    """Place a sell by hand that makes the desk's next buy a wash trade."""
    world.by_hand("DELT", "sell", Decimal(3), type="limit", limit_price="19")


def _foreign(world: World) -> None:
    """Place an order with other terms under the first of our ids that is still free."""
    prefix = "at1-"
    decision = read_decision(world) or {}
    ids = sorted(
        each["client_order_id"]
        for name in ("exits", "entries", "stops")
        for each in decision.get(name, ())
    )
    free = [each for each in ids if not world.exchange.book.is_taken(each)]
    assert all(each.startswith(prefix) for each in ids)
    if free and world.by_hand("ECHO", "buy", Decimal(1), client_order_id=free[0]):
        world.state.notes.add("foreign")


def _tampered(make: Callable[[World, str], bytes | None]) -> Act:
    """Replace an object just before the run reads or writes it, unless ``make`` returns None."""

    def act(world: World, exchange: Exchange) -> Reply:
        content = make(world, exchange.path)
        if content is not None:
            world.state.bucket[exchange.path] = content
            world.state.notes.add("forged")
        return exchange.apply()

    return act


def _deployed(deployment: str) -> Callable[[World], None]:
    def do(world: World) -> None:
        world.state.deployment = deployment

    return do


def _switch(word: str) -> Callable[[World], None]:
    def do(world: World) -> None:
        world.state.switch = f"{word} by hand"

    return do


def _always(_exchange: Exchange) -> bool:
    return True


def _of(service: str | None, *verbs: str, path: str = "") -> Fits:
    return lambda exchange: (
        (service is None or exchange.service == service)
        and (not verbs or exchange.verb in verbs)
        and path in exchange.path
    )


def _changes(exchange: Exchange) -> bool:
    return exchange.changes


def _reads(exchange: Exchange) -> bool:
    return not exchange.changes


def _all() -> tuple[Fault, ...]:
    def answers(status: int, body: bytes) -> Callable[[], Reply]:
        return lambda: _answer(status, body)

    no, yes = False, True
    is_post = _of("broker", "POST")
    is_switch = _of("ssm", path="trading-state")
    wire = [
        # A read changes nothing, so it does not matter whether the request arrived.
        Fault("504", _answered(answers(504, HTML), applied=no), _reads),
        Fault("reset", _broken("reset", applied=no), _reads),
        Fault("stalled", _broken("stalled", applied=no), _reads),
        Fault("html", _answered(answers(200, HTML), applied=no), _reads),
        Fault("empty", _answered(answers(200, b""), applied=no), _reads),
        Fault("kill", _killed(applied=no), _reads),
        Fault("504-before", _answered(answers(504, HTML), applied=no), _changes),
        Fault("504-after", _answered(answers(504, HTML), applied=yes), _changes),
        Fault("refused", _broken("refused", applied=no), _changes),
        Fault("reset-before", _broken("reset", applied=no), _changes),
        Fault("reset-after", _broken("reset", applied=yes), _changes),
        Fault("stalled-before", _broken("stalled", applied=no), _changes),
        Fault("stalled-after", _broken("stalled", applied=yes), _changes),
        Fault("html-before", _answered(answers(200, HTML), applied=no), _changes),
        Fault("html-after", _answered(answers(200, HTML), applied=yes), _changes),
        Fault("empty-before", _answered(answers(200, b""), applied=no), _changes),
        Fault("empty-after", _answered(answers(200, b""), applied=yes), _changes),
        Fault("kill-before", _killed(applied=no), _changes),
        Fault("kill-after", _killed(applied=yes), _changes),
        Fault("cut", _cut, _always),
        Fault("cut-to-size", _cut_to_size, _always),
        Fault("busy", _busy, _always),
        Fault("limited", _limited, _of("broker")),
        Fault("409", _conflict, _of("s3", "PUT")),
        Fault("late", _late(LATE_MS), is_post),
        Fault("late-after-look-up", _late(None), is_post),
        Fault("hidden", _hidden(answered=True), is_post),
        Fault("504-hidden", _hidden(answered=False), is_post),
        Fault("hangs", _hanging, is_post),
        Fault("clock+40s", _skewed(40), _of("broker", path="/clock")),
        Fault("clock-40s", _skewed(-40), _of("broker", path="/clock")),
        Fault("clock+1h", _skewed(3600), _of("broker", path="/clock")),
    ]
    events = [
        Fault(name, act, _of("broker"), is_event=True)
        for name, act in (
            ("fill", _event(_fill)),
            ("orders-behind", _event(lambda world: world.fall_behind("orders", 10))),
            ("positions-behind", _event(lambda world: world.fall_behind("positions", 10))),
            ("account-behind", _event(lambda world: world.fall_behind("account", 10))),
            ("user-sells", _event(_user_sells, "user")),
            ("user-sells-out", _event(_user_sells_out, "user")),
            ("user-buys", _event(_user_buys, "user")),
            ("user-stop", _event(_user_stop, "user")),
            ("user-cancels", _event(_user_cancels)),
            ("user-against-entry", _event(_user_trades_against_entry, "user")),
            ("foreign-order", _event(_foreign)),
        )
    ]
    twins = [
        ("twin-same", _event(lambda world: world.twin(first=False, whole=False))),
        ("twin-first", _event(lambda world: world.twin(first=True, whole=False))),
        ("twin-run", _event(lambda world: world.twin(first=True, whole=True))),
        (
            "twin-other",
            _event(lambda world: world.twin(first=True, whole=False, other=True), "twin"),
        ),
    ]
    events += [Fault(name, act, _always, is_event=True) for name, act in twins]
    is_plan, is_decision = _of("s3", "GET", path=PLAN), _of("s3", "PUT", path="/decision.json")
    events += [
        Fault(name, _tampered(make), fits, is_event=True)
        for name, make, fits in (
            ("plan-forged", forge_plan, is_plan),
            ("plan-refuses", forge_denials, is_plan),
            ("plan-corrupt", lambda *_: b'{"orders": [', is_plan),
            ("plan-stale", copy_plan, is_plan),
            ("decision-forged", forge_decision, is_decision),
            ("decision-corrupt", lambda *_: b"[]", is_decision),
        )
    ]
    events += [
        Fault(
            f"deployed-{each}",
            _event(_deployed(each), f"deployed {each}"),
            is_decision,
            is_event=True,
        )
        for each in DEPLOYMENTS
    ]
    events += [
        Fault(word.lower(), _event(_switch(word), "switch"), is_switch, is_event=True)
        for word in ("HALTED", "REDUCING")
    ]
    return (*wire, *events, *map(_after_others, filter(_fits_post, (*wire, *events))))


def _fits_post(fault: Fault) -> bool:
    return fault.fits(Exchange("broker", "POST", "/v2/orders", b"", lambda: _answer(200, b""), 1))


def _after_others(fault: Fault) -> Fault:
    """Let a fault hit an order after all others that the call sends at the same time."""

    def act(world: World, exchange: Exchange) -> Reply:
        world.run_others()
        return fault.act(world, exchange)

    return Fault(f"{fault.name}-last", act, _of("broker", "POST"), is_event=fault.is_event)


FAULTS = _all()
#: A stack of the same name in another region. The suite judges only single faults of this kind,
#: because the stacks share no journal. With a second fault, one stack may send an order that the
#: other reports as denied.
TWIN_STACK = tuple(
    Fault(name, act, _always, is_event=True)
    for name, act in (
        ("twin-stack", _event(lambda world: world.twin_stack(other=False), "twin-stack")),
        ("twin-stack-other", _event(lambda world: world.twin_stack(other=True), "foreign", "user")),
    )
)
#: Among stops, the price can reach an open stop at any time.
AMONG_STOPS_FAULTS = (
    *FAULTS,
    Fault("stop-reached", _event(_stop_triggers(whole=True)), _of("broker"), is_event=True),
    Fault(
        "stop-reached-in-part", _event(_stop_triggers(whole=False)), _of("broker"), is_event=True
    ),
)
#: The faults without a second submitter and without another program that uses our ids.
ALONE = tuple(
    each for each in FAULTS if not each.name.startswith("twin") and each.name != "foreign-order"
)
