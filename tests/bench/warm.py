"""Owns the section `warm`: a bell every five minutes, and what a month of them costs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from local.execution_history import ENTERED, Timeline
from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import EmbeddedAws, Stack
from local.sandbox.aws.embedded import FUNCTIONS
from local.sandbox.aws.template import read_template
from tests.bench.day import ANSWER_SECONDS, SESSION
from tests.bench.section import Rows, Section, Table
from tests.bench.years import STRATEGY, Usage, sessions

#: The first bell, in minutes after midnight in New York, and the minutes between two bells.
FIRST, EVERY = 9 * 60 + 35, 5
MEASURED_BELLS = 4
#: From 09:35 to 15:55.
BELLS_A_SESSION, SESSIONS_A_MONTH = 77, 21
TASKS = ("Fetch Bars", "Compute Indicators", "Decide Orders", "Submit Orders", "Notify")
MEBIBYTES_A_GB = 1024
#: What AWS counts, its price in dollars, and how many units that buys. US East (N. Virginia),
#: x86, without the free tier, as aws.amazon.com/*/pricing listed it in November 2026.
PRICES = {
    "Lambda, GB-seconds": ("0.0000166667", 1),
    "Lambda, requests": ("0.20", 1_000_000),
    "Step Functions, state transitions": ("0.025", 1_000),
    "S3, writes and listings": ("0.005", 1_000),
    "S3, reads": ("0.0004", 1_000),
    "EventBridge Scheduler, starts": ("1.00", 1_000_000),
}


@dataclass(frozen=True, slots=True)
class Bell:
    """One run: its seconds, those of each Task, its Task attempts and state transitions."""

    seconds: float
    tasks: dict[str, float]
    calls: int
    transitions: int

    @property
    def gb_seconds(self) -> float:
        """The memory of each function times the time of its state."""
        return sum(seconds * _gigabytes(name) for name, seconds in self.tasks.items())


def bells() -> list[Bell]:
    """Ring some bells of one session; the first finds no running function."""
    minutes = range(FIRST, FIRST + EVERY * MEASURED_BELLS, EVERY)
    slots = [f"{each // 60:02}:{each % 60:02}" for each in minutes]
    with PaperBrokerProcess(answer_seconds=ANSWER_SECONDS) as broker, EmbeddedAws() as aws:
        broker.open_session(SESSION)
        with _functions() as functions:
            stack = aws.deploy(
                "warm",
                {
                    "Strategy": "turns",
                    "Slots": ",".join(each.replace(":", "") for each in slots),
                    "Benchmark": "EQWT",
                    "AlpacaTradingUrl": broker.url,
                    "AlpacaDataUrl": broker.url,
                },
                functions,
                keys={"key_id": broker.key_id, "secret_key": broker.secret_key},
            )
            return [_ring(stack, broker.open_session(SESSION, each)) for each in slots]


def _ring(stack: Stack, bell: str) -> Bell:
    arn = stack.start({"scheduled_time": bell})
    ended = stack.wait(arn)
    if ended["status"] != "SUCCEEDED":
        raise RuntimeError(ended["cause"])
    history = stack.history(arn)
    timeline = Timeline()
    timeline.extend(history)
    tasks = [each for each in timeline.visits if each.name in TASKS]
    return Bell(
        seconds=(ended["stopDate"] - ended["startDate"]).total_seconds(),
        tasks={name: sum(it.seconds for it in tasks if it.name == name) for name in TASKS},
        calls=sum(each.attempts for each in tasks),
        transitions=sum(each["type"].endswith(ENTERED) for each in history),
    )


def measure() -> Sequence[Rows]:
    """Ring the bells, and compute the cost of a month of warm ones."""
    cold, *warm = bells()
    *_, settled = sessions(3, reports=False)
    gb_seconds = median(each.gb_seconds for each in warm)
    transitions = median(each.transitions for each in warm)
    rows = [
        ["time of the run, s", f"{cold.seconds:.2f}", f"{median(it.seconds for it in warm):.2f}"],
        *(
            [
                f"{name}, s",
                f"{cold.tasks[name]:.2f}",
                f"{median(it.tasks[name] for it in warm):.2f}",
            ]
            for name in TASKS
        ),
        ["GB-seconds, estimated", f"{cold.gb_seconds:.2f}", f"{gb_seconds:.2f}"],
        ["state transitions", f"{cold.transitions}", f"{transitions:.0f}"],
    ]
    return rows, _month(gb_seconds, median(it.calls for it in warm), transitions, settled)


def _month(gb_seconds: float, calls: float, transitions: float, used: Usage) -> Rows:
    bell = (gb_seconds, calls, transitions, used.writes + used.listings, used.reads, 1)
    rows, total = [], 0.0
    for (name, (price, unit)), amount in zip(PRICES.items(), bell, strict=True):
        month = amount * BELLS_A_SESSION * SESSIONS_A_MONTH
        cost = month * float(price) / unit
        total += cost
        shown = f"${price}" if unit == 1 else f"${price} for {unit:,}"
        rows.append([name, f"{amount:.4g}", f"{month:,.0f}", shown, f"${cost:.2f}"])
    return [*rows, ["in all", "", "", "", f"${total:.2f}"]]


@contextmanager
def _functions() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        functions = Path(folder, FUNCTIONS.name)
        shutil.copytree(FUNCTIONS, functions)
        (functions / "strategies" / "turns.py").write_text(STRATEGY, encoding="utf-8")
        yield functions


def _gigabytes(task: str) -> float:
    function: dict[str, Any] = read_template()["Resources"][task.replace(" ", "")]
    return float(function["Properties"]["MemorySize"]) / MEBIBYTES_A_GB


SECTION = Section(
    title="A warm bell every five minutes",
    about=f"""\
{MEASURED_BELLS} bells ring in one session, five minutes apart by the broker's clock. The first
finds no running function; the others are warm, and the table shows their median. Each run sells two
holdings, buys two others, and moves their stops. The time is that of the whole run in the local
emulator: with the real waits for fills, with polls, S3 and the messages. The broker takes 50 ms for
each request. A function's GB-seconds are its `MemorySize` times the time of its state on this
machine. On AWS a function has a smaller share of a processor, so its time differs.""",
    tables=(
        Table(("", "First bell", "Warm bell")),
        Table(
            ("AWS counts", "A warm bell", "A month", "Price", "Cost"),
            f"""\
A month has {SESSIONS_A_MONTH} sessions of {BELLS_A_SESSION} warm bells, from 09:35 to 15:55. The
prices are those of US East (N. Virginia) on x86 in November 2026, without the free tier, from the
pricing pages of [Lambda](https://aws.amazon.com/lambda/pricing/),
[Step Functions](https://aws.amazon.com/step-functions/pricing/),
[S3](https://aws.amazon.com/s3/pricing/) and
[EventBridge](https://aws.amazon.com/eventbridge/pricing/). Stored objects, images, logs, messages
and the calls of SSM are not included.""",
        ),
    ),
    measure=measure,
)
