"""Owns the trials of hostile values: each trial spoils one thing, chosen by a seed.

A trial checks that every step succeeds or fails with an error that the state machine knows by name.
It also checks that Notify's e-mail is printable, and that the decision contains every sent order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random
from typing import Any

from msgspec import structs

from algotrader.adapters.alpaca import wire
from algotrader.contracts import encode
from algotrader.errors import DeskError
from algotrader.model import BOUNDS, Settings
from tests.support.checkout import CHECKOUT
from tests.support.hostile_day import Answer, Day, Spoiler, UnnamedError, World, beyond, reached
from tests.support.settings import SETTINGS
from tests.support.spoiling import VALUES, as_json, as_python, spoil

EVENTS = CHECKOUT / "events"
#: A day makes about this many requests; a trial spoils one of them.
REQUESTS = 45
JUNK: tuple[tuple[int, bytes], ...] = (
    *((200, each) for each in (b"", b"null", b"[]", b"{}", b"<html>", b'{"x":', b"\xff\xfe")),
    (200, b"[" * 100_000),
    (204, b""),
    (301, b""),
    *((401, each) for each in (b"", b"{}", b"null")),
    *((403, each) for each in (b"", b'{"code": 40310000, "message": "\xe2\x80\xaeno"}')),
    *((404, each) for each in (b"", b"{}")),
    (418, b""),
    (422, b'{"code": 42210000, "message": "client_order_id must be unique"}'),
    (422, b'{"code": 1e999, "message": "x"}'),
    (429, b"{}"),
    *((500, b""), (504, b"<html>")),
)

Trial = Callable[[World, Random], Iterator[str]]


def failures(trial: Trial, fresh: Callable[[], World], seeds: Iterable[int]) -> list[str]:
    """Run a trial with each seed, and list its findings with the seed and what it spoiled."""
    found = []
    for seed in seeds:
        world = fresh()
        reported: list[str] = []
        with reached(world):
            try:
                reported.extend(trial(world, chance_of(seed)))
            except UnnamedError as problem:
                reported.append(str(problem))
        found += [f"seed {seed}: {world.spoiled} -> {each}" for each in reported]
    return found


def chance_of(seed: float) -> Random:
    """Return a random generator that always draws the same."""
    return Random(seed)  # noqa: S311 - a trial, not a secret


def spoiled_input(world: World, chance: Random) -> Iterator[str]:
    """Start an execution with a spoiled input."""
    inputs = [*_documents("execution").values(), {"Comment": {"a": [1, "x"]}, "symbols": ["IBM"]}]
    value = _spoiled(world, chance, chance.choice(inputs))
    yield from _judge(world.live(value))


def spoiled_settings(world: World, chance: Random) -> Iterator[str]:
    """Start an execution after one or two of the deployment's parameters are spoiled."""
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice([each for each in world.environ if each in OF_A_RUN])
        text = chance.choice(TEXTS)
        if chance.random() < 0.5 and "{" in world.environ[name]:
            document, _how = spoil(chance, {"top": 2, "share": 0.5})
            text = as_json(document)
        world.environ[name] = text
        world.spoiled.append(f"{name}={text!r:.60}")
    yield from _judge(world.live())


def spoiled_event(world: World, chance: Random) -> Iterator[str]:
    """Invoke a step with a sample event that is spoiled at one or two places."""
    events = {
        f"{step}/{name}": event
        for step in ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")
        for name, event in _documents(step).items()
    }
    name = chance.choice(sorted(events))
    world.spoiled.append(name)
    event = _spoiled(world, chance, events[name])
    try:
        result = world.call(name.partition("/")[0], event)
    except DeskError:
        result = None
    if name.startswith("submit_orders/"):
        yield from _sent_beyond_event(world, event)
    elif world.posts:
        yield f"{name} sent orders: {world.posts}"
    if name.startswith("notify/") and result is not None:
        yield from _judge_email(result["email"])


def spoiled_answers(world: World, chance: Random) -> Iterator[str]:
    """Run a day with one spoiled answer from the broker, or with spoiled answers to one request."""
    world.spoiler = _spoiler(world, chance)
    yield from _judge(world.live())


def _spoiler(world: World, chance: Random) -> Spoiler:
    kind = chance.choice(("once", "once", "always", "always", "junk once", "junk always"))
    at, seed, junk = chance.randrange(REQUESTS), chance.random(), chance.choice(JUNK)
    count, question = 0, ""

    def change(request: str, answer: Answer) -> Answer:
        nonlocal count, question
        here = re.sub(r"/orders/.*|/positions/.*|/assets/.*", "/...", request)
        if count == at:
            question = here
        count += 1
        if not (here == question if kind.endswith("always") else count - 1 == at):
            return answer
        status, headers, body = answer
        if kind.startswith("junk"):
            world.spoiled.append(f"{request}: {junk!r:.60}")
            return junk[0], headers, junk[1]
        if not body:
            return answer
        spoiled = _spoiled(world, chance_of(seed), json.loads(body), request, as_text=True)
        return status, headers, spoiled.encode()

    return change


def _spoiled(
    world: World, chance: Random, document: Any, what: str = "", *, as_text: bool = False
) -> Any:
    read = READ_OF_ANSWERS if as_text and chance.random() < 0.9 else frozenset()
    for _ in range(chance.choice((1, 1, 2))):
        document, how = spoil(chance, document, read)
        world.spoiled.append(f"{what} {how}".lstrip())
    return as_json(document) if as_text else as_python(document)


def _judge(day: Day) -> Iterator[str]:
    yield from (f"beyond the decision: {each}" for each in beyond(day))
    yield from _judge_email(day.email)


def _judge_email(email: str) -> Iterator[str]:
    if not email.replace("\n", "").isprintable():
        yield f"the e-mail holds what does not show: {email!r}"


def _sent_beyond_event(world: World, event: Any) -> Iterator[str]:
    """List the orders that Submit Orders sent but the event's decision does not contain."""
    try:
        decision = event["decision"]["inline"]
        approved = {
            each["client_order_id"]: each for each in (*decision["exits"], *decision["entries"])
        }
    except (LookupError, TypeError):
        approved = {}
    for sent in world.posts:
        each = approved.get(sent["client_order_id"], {})
        same = all(sent[name] == each.get(name) for name in ("symbol", "side"))
        if not same or float(sent["qty"]) > float(each["qty"]):
            yield f"beyond the decision: {sent}"


@cache
def _documents(folder: str) -> dict[str, Any]:
    found = sorted((EVENTS / folder).glob("*.json"))
    return {path.stem: _completed(json.loads(path.read_text(encoding="utf-8"))) for path in found}


def _completed(event: Any) -> Any:
    """Add the numbers that an event's settings omit, so a trial can spoil those too."""
    if isinstance(event, dict) and event.get("settings") is not None:
        numbers = {name: value for name, value in encode(SETTINGS).items() if name in BOUNDS}
        event["settings"] = numbers | event["settings"]
    return event


#: Fields of the broker's answers that the adapter reads.
READ_OF_ANSWERS = frozenset(
    field.encode_name
    for kind in (*wire.Answer.__subclasses__(), wire.Bar)
    for field in structs.fields(kind)
)
#: The variables of a deployment that Fetch Bars reads.
OF_A_RUN = {"STACK_NAME", "TRADING_MODE", *(each.upper() for each in Settings.__struct_fields__)}
TEXTS = (
    *(each for each in VALUES if isinstance(each, str) and each.isascii() and "\x00" not in each),
    *(
        "\udcff",
        "\u202e",
        "day,0935",
        "AAPL,AAPL",
        "@nothing",
        "live",
        "notional",
        "1",
        "0.1",
        "99",
    ),
)
