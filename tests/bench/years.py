"""Owns the section `years`: what a session uses after days and after years."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from datetime import time as time_of_day
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from local.paper_broker.data import load
from tests.bench import soak
from tests.bench.section import Rows, Section, Table, in_fresh_process
from tests.support.hostile_day import World, deployed, quiet_steps, reached, world_of
from tests.support.own_strategies import own_strategies

FIRST = date(2009, 1, 5)
THREE_YEARS = 756
#: The checkpoint of the ledger stays ten days behind, so the first sessions differ.
SETTLED = 15
WINDOW = 20
Bells = tuple[tuple[time_of_day, dict[str, bool]], ...]
#: A session's run and its report: their times in New York and their inputs.
BELLS: Bells = ((time_of_day(9, 35), {}), (time_of_day(16, 15), {"report_only": True}))
#: Each figure's name, how the table shows it, its unit, and its digits after the decimal point.
FIGURES = (
    ("orders", "orders", 1, 0),
    ("requests", "requests to the broker", 1, 0),
    ("received", "answers of the broker, kB", 1000, 0),
    ("reads", "objects read", 1, 0),
    ("writes", "objects written", 1, 0),
    ("listings", "listings of objects", 1, 0),
    ("listed", "keys in these listings", 1, 0),
    ("bytes", "objects read and written, kB", 1000, 0),
    ("peak", "memory, kB", 1000, 0),
    ("seconds", "time, ms (slower while memory is measured)", 0.001, 0),
)
STRATEGY = """
from algotrader.strategy import Indicator, Strategy


class Turns(Strategy):
    \"""Holds two symbols of four, and in the next session the other two, each with a stop.\"""

    indicators = {"strength": Indicator("roc", window=126)}

    def target_weights(self, market, portfolio):
        pairs = ("AAPL", "GOOG"), ("IBM", "MSFT")
        return dict.fromkeys(pairs["AAPL" in portfolio.weights], 0.3)

    def stop_prices(self, market, portfolio):
        return {symbol: view.price / 2 for symbol, view in market.items() if view.price}
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one session used, with its run and its report.

    Attributes
    ----------
    requests, received : int
        Requests to the broker, and the bytes of its answers.
    reads, writes, listings, listed, bytes : int
        Calls of S3, the keys that its listings returned, and the bytes read and written.
    peak : int
        The most additional memory that the session allocated, in bytes; 0 if it was not measured.
    """

    orders: int
    requests: int
    received: int
    reads: int
    writes: int
    listings: int
    listed: int
    bytes: int
    seconds: float
    peak: int = 0


def sessions(
    count: int, *, every: int = 1, measured: Container[int] = (), reports: bool = True
) -> Iterator[Usage]:
    """Trade one session after another in this process, and yield what each used.

    The handlers, the paper broker's engine and an AWS in memory work in one process. The broker's
    clock is the only clock, so years take minutes.

    Parameters
    ----------
    every : int
        1 trades each session, 2 every other one, and so on.
    measured : container of int
        Numbers of the sessions, from 0, whose memory to measure. This makes a session slower.
    reports : bool
        Whether each session has its report after the close.
    """
    deployment = {**deployed(), "STRATEGY": "turns", "BENCHMARK": "IBM"}
    with quiet_steps(), _strategy():
        history = load()
        world = world_of(history, deployment, FIRST)
        begin = history.sessions.index(FIRST)
        with reached(world):
            bells = BELLS if reports else BELLS[:1]
            for number, session in enumerate(history.sessions[begin:][: count * every : every]):
                yield _session(world, session, bells, measures_memory=number in measured)


def _session(world: World, session: date, bells: Bells, *, measures_memory: bool) -> Usage:
    world.aws.usage.clear()
    world.handed_on.clear()
    world.requests = world.received = orders = 0
    if measures_memory:
        tracemalloc.start()
    began = time.perf_counter()
    for at, value in bells:
        world.broker.move_to(session, at)
        day = world.live(value)
        if day.leaf is not None:
            raise day.leaf
        orders += len(day.posts)
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1] if measures_memory else 0
    tracemalloc.stop()
    used = world.aws.usage
    return Usage(
        orders=orders,
        requests=world.requests,
        received=world.received,
        reads=used["reads"],
        writes=used["writes"],
        listings=used["listings"],
        listed=used["listed"],
        bytes=used["bytes"],
        seconds=seconds,
        peak=peak,
    )


def simulate() -> list[dict[str, float]]:
    """Trade three years, and return the medians of a window at the beginning and one at the end."""
    windows = (range(SETTLED, SETTLED + WINDOW), range(THREE_YEARS - WINDOW, THREE_YEARS))
    found = list(sessions(THREE_YEARS, measured={*windows[0], *windows[1]}))
    return [
        {
            each.name: median(getattr(found[number], each.name) for number in window)
            for each in fields(Usage)
        }
        for window in windows
    ]


def measure() -> Sequence[Rows]:
    """Measure both windows of the three years, and of the soak."""
    first, last = in_fresh_process("tests.bench.years")
    rows = [
        [label, *(f"{figures[name] / unit:.{digits}f}" for figures in (first, last))]
        for name, label, unit, digits in FIGURES
    ]
    return rows, soak.measure()


@contextmanager
def _strategy() -> Iterator[None]:
    # Each request has a thread that ends an answer that never completes. Here no answer takes time.
    within = patch("algotrader.adapters.alpaca.client.within", lambda _seconds, call: call())
    with (
        TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
        own_strategies(Path(folder), monkeypatch) as write,
        within,
    ):
        write("turns", STRATEGY)
        yield


SECTION = Section(
    title="Years of sessions",
    about="""\
The first table is of three years: 756 sessions in one process, each with its run and its report.
The handlers are the real ones. The paper broker's engine and an AWS in memory work in the same
process, without sockets, and the broker's clock is the only clock. Each session sells two
holdings, buys two others, and moves their stops. Memory is what Python allocated in addition.""",
    tables=(
        Table(("Per session, median", "Sessions 16 to 35", "Sessions 737 to 756")),
        soak.TABLE,
    ),
    measure=measure,
    is_long=True,
)


if __name__ == "__main__":
    print(json.dumps(simulate()))  # noqa: T201 - `in_fresh_process` reads it
