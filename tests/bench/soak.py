"""Owns the soak: a thousand sessions of one local desk, whose processes run throughout."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

import psutil

from local.sandbox.runner.desk import LocalDeskConfig, open_desk
from tests.bench.section import Rows, Table

FIRST = date(2009, 1, 5)
SESSIONS = 1000
WINDOW = 20
SETTLED = 15
#: The factor for the state machine's waits; the broker's clock is faster by its inverse.
WAIT_SCALE = 0.02
PARAMETERS = {"Benchmark": "EQWT", "RunDeadlineSeconds": "3600", "MaxBellAgeSeconds": "3600"}
#: What a process's command line contains, and what the table calls it.
PROCESSES = {
    "fetch_bars.app": "Fetch Bars",
    "compute_indicators.app": "Compute Indicators",
    "decide_orders.app": "Decide Orders",
    "submit_orders.app": "Submit Orders",
    "notify.app": "Notify",
    "local.paper_broker": "the paper broker",
    "ministack_main": "the emulator",
}
TABLE = Table(
    (
        "",
        f"Sessions {SETTLED + 1} to {SETTLED + WINDOW}",
        f"Sessions {SESSIONS - WINDOW + 1} to {SESSIONS}",
    ),
    f"""\
The second table is of a soak: {SESSIONS} sessions of `algo-trader run`, whose processes live from
the first session to the last. The emulator keeps every execution and object in its memory, and the
paper broker every order.""",
)


@dataclass(frozen=True, slots=True)
class Look:
    """A session's seconds, and each process's memory in MiB and its open files."""

    seconds: float
    memory: dict[str, float]
    files: dict[str, float]


def measure(count: int = SESSIONS, window: int = WINDOW, settled: int = SETTLED) -> Rows:
    """Trade all sessions, and return the rows of the table."""
    looks: list[Look] = []
    with open_desk(LocalDeskConfig(None, PARAMETERS, wait_scale=WAIT_SCALE)) as desk:
        known = desk.sessions()
        begin = known.index(FIRST)
        for session in known[begin : begin + count]:
            began = time.perf_counter()
            ended = desk.run({}, session).document["execution"]
            if ended["status"] != "SUCCEEDED":
                raise RuntimeError(f"{session}: {ended['error']}: {ended['cause']}")
            looks.append(_look(time.perf_counter() - began))
    return rows_of(looks[settled : settled + window], looks[-window:])


def rows_of(first: Sequence[Look], last: Sequence[Look]) -> Rows:
    """Compare two windows, each by its medians."""

    def row(label: str, *values: float) -> list[str]:
        return [label, *(f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in values)]

    rows = [
        row("time of a session, s", *(median(it.seconds for it in each) for each in (first, last)))
    ]
    for kind, unit in (("memory", "memory, MiB"), ("files", "open files")):
        for name in PROCESSES.values():
            figures = [median(getattr(look, kind)[name] for look in each) for each in (first, last)]
            rows.append([f"{unit}: {name}", *(f"{value:.0f}" for value in figures)])
    return rows


def _look(seconds: float) -> Look:
    memory: dict[str, float] = {}
    files: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        line = " ".join(process.cmdline())
        for part, name in PROCESSES.items():
            if part in line:
                memory[name] = process.memory_info().rss / 2**20
                files[name] = process.num_fds()
    return Look(seconds, memory, files)
