"""Owns the section `orders`: requests and time of Submit Orders, next to the plain script."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from requests.adapters import HTTPAdapter

from algotrader.adapters.aws import clients_from
from local.paper_broker.data.computed import sample_history, synthetic_symbol
from tests.bench.day import SESSION, Watch, opened_session, run_script
from tests.bench.section import Rows, Section, Table, in_fresh_process
from tests.support.hostile_day import KEYS, STEPS, World, deployed
from tests.support.memory_aws import MemoryAws

#: Synthetic symbols for each order, because about half of them trend up on the day.
SYMBOLS_PER_ORDER = 2
SIZES = (20, 361)
LIMITED, PER_MINUTE, WANTED_SECONDS = 180, 200, 75
FAST, SLOW = 20, 100
WANTED_PER_ORDER, WANTED_SPARE, WANTED_FASTER = 1.1, 15, 6


@dataclass(slots=True)
class RemoteWorld(World):
    """A desk in this process, with an AWS in memory and a broker in another process.

    Attributes
    ----------
    watch : Watch
        Starts with the first call of Submit Orders.
    by_step : dict of str to int
        The number of requests to the broker.
    """

    watch: Watch = field(kw_only=True)
    by_step: dict[str, int] = field(default_factory=dict)
    step: str = ""

    def call(self, step: str, event: Any) -> Any:
        if step == "submit_orders" and step not in self.by_step:
            self.watch.start()
        self.step = step
        self.by_step.setdefault(step, 0)
        return World.call(self, step, event)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def trending(count: int) -> list[str]:
    """Return the first synthetic symbols that trend up, so that each becomes an order."""
    universe = count * SYMBOLS_PER_ORDER
    history = sample_history(universe)
    found = []
    for symbol in map(synthetic_symbol, range(1, universe + 1)):
        closes = [float(each.close) for each in history.bars[symbol] if each.session < SESSION]
        fast, slow = (sum(closes[-length:]) / length for length in (FAST, SLOW))
        if fast > slow:
            found.append(symbol)
    return found[:count]


def desk(orders: int, per_minute: int) -> dict[str, float]:
    """Send the orders of a day, with everything before them in this process."""
    for step in STEPS:
        importlib.import_module(f"{step}.app").logger.setLevel("CRITICAL")
    with (
        opened_session(orders * SYMBOLS_PER_ORDER, orders, per_minute) as watch,
        reached_desk(watch, trending(orders)) as world,
    ):
        day = world.live()
        if day.leaf is not None:
            raise day.leaf
        seconds, sent = watch.last_order()
        calls = sum(step == "submit_orders" for step, _, _ in world.handed_on)
    return {
        "orders": sent,
        "seconds": seconds,
        "requests": world.by_step["submit_orders"],
        "calls": calls,
    }


@contextmanager
def reached_desk(watch: Watch, symbols: Sequence[str]) -> Iterator[RemoteWorld]:
    """Connect a desk that trades these symbols to the broker until the block ends."""
    url = watch.broker.url
    variables = {
        "SYMBOLS": ",".join(symbols),
        "STRATEGY": "sma_cross",
        "BENCHMARK": "",
        "MAX_ORDERS_PER_RUN": str(len(symbols)),
        "RUN_DEADLINE_SECONDS": "3600",
        "APCA_API_BASE_URL": url,
        "APCA_API_DATA_URL": url,
    }
    world = RemoteWorld(MemoryAws(), {**deployed(), **variables}, watch=watch)
    secret = ("SecureString", json.dumps(KEYS), 1)
    world.aws.parameters[world.environ["ALPACA_KEYS_PARAMETER"]] = secret
    send = HTTPAdapter.send

    def counted(*arguments: Any, **options: Any) -> Any:
        world.by_step[world.step] += 1
        return send(*arguments, **options)

    with (
        clients_from(world.aws.client),
        patch.dict(os.environ, world.environ),
        patch.object(HTTPAdapter, "send", counted),
    ):
        yield world


def script(orders: int) -> dict[str, float]:
    """Run the plain script on the same symbols, and return the time of its orders alone."""
    with opened_session(orders * SYMBOLS_PER_ORDER, orders) as watch:
        run_script(watch, trending(orders))
        times = watch.order_times()
    between = (times[-1] - times[0]).total_seconds() / (len(times) - 1)
    return {"orders": len(times), "seconds": between * len(times)}


def measure() -> Sequence[Rows]:
    """Measure the sizes without a rate limit, and one size with it."""
    rows = []
    for orders in SIZES:
        ours, plain = (_fresh(each, orders) for each in ("desk", "script"))
        rows.append(
            [
                f"{ours['orders']}",
                f"{ours['requests']}",
                f"{ours['requests'] / ours['orders']:.2f}",
                f"{WANTED_PER_ORDER * orders + WANTED_SPARE:.0f}",
                f"{ours['seconds']:.2f}",
                f"{plain['seconds']:.2f}",
                f"{plain['seconds'] / ours['seconds']:.1f}",
                f"{WANTED_FASTER}" if orders == max(SIZES) else "",
            ]
        )
    limited = _fresh("desk", LIMITED, PER_MINUTE)
    return rows, [
        [
            f"{limited['orders']}",
            f"{limited['requests']}",
            f"{limited['calls']}",
            f"{limited['seconds']:.1f}",
            f"{WANTED_SECONDS}",
        ]
    ]


def _fresh(whose: str, orders: int, per_minute: int = 0) -> Any:
    found = in_fresh_process("tests.bench.orders", whose, str(orders), str(per_minute))
    if found["orders"] != orders:
        message = f"{whose}: {found['orders']} orders instead of {orders}"
        raise RuntimeError(message)
    return found


SECTION = Section(
    title="Orders",
    about="""\
The time runs from the first call of Submit Orders to the moment at which the broker accepts the
last order. The handlers run in one new process, which has already imported them and gathered the
day's data. AWS is in memory, and the state machine's waits take their real time. The broker is
another process and takes 50 ms for each request. The script's time is that of its orders alone,
one after another. Requests are those of Submit Orders until the run is complete, polls included.
Each figure is of one run.""",
    tables=(
        Table(
            (
                "Orders",
                "Requests",
                "Requests an order",
                "Wanted requests, at most",
                "Desk, s",
                "Script, s",
                "Times as fast",
                "Wanted, at least",
            ),
            "The broker limits no rate:",
        ),
        Table(
            ("Orders", "Requests", "Calls", "Desk, s", "Wanted, at most"),
            f"The broker allows {PER_MINUTE} requests a minute:",
        ),
    ),
    measure=measure,
)


if __name__ == "__main__":
    count, rate = int(sys.argv[2]), int(sys.argv[3])
    result = desk(count, rate) if sys.argv[1] == "desk" else script(count)
    print(json.dumps(result))  # noqa: T201 - `in_fresh_process` reads it
