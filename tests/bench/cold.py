"""Owns the section `cold`: each step from the start of its process to its first result."""

from __future__ import annotations

import compileall
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.sandbox.aws.template import read_template
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.sessions import DEFAULT_SESSION
from tests.bench.replay import Replay
from tests.bench.section import Rows, Section, Table, in_fresh_process, medians_in_turn
from tests.support.checkout import CHECKOUT

#: The commit before the work on cold starts. The column stays empty in a checkout without history.
BEFORE = "472c212"
REPETITIONS = 5
#: Lambda gives one core at this memory and a proportional share below it.
CORE_MIB = 1769
REQUEST_SECONDS = 0.05
WANTED_RATIO, WANTED_SHARE = 1.15, 0.8
EVENTS = {
    "fetch_bars": "by-hand",
    "compute_indicators": "sma-cross",
    "decide_orders": "first-day",
    "submit_orders": "first-day",
    "notify": "trading-day",
}
#: What a step cannot avoid apart from the clients of AWS and the broker: exact numbers, instants,
#: JSON lines in the log, msgspec, and arrays where it computes.
NEEDED = ("datetime", "decimal", "json", "logging", "msgspec")
NEEDED_BY = {"compute_indicators": ("numpy",)}


@dataclass(slots=True)
class Recorded:
    """A step's environment, and the servers that repeat what it received.

    Attributes
    ----------
    variables : dict of str to str
        The variables of the deployed function, with the addresses of the servers.
    aws_calls : list
        The calls as service, operation and parameters.
    """

    step: str
    code: Path
    aws: Replay
    broker: Replay
    variables: dict[str, str]
    aws_calls: list[Any] = field(default_factory=list)

    @property
    def event(self) -> str:
        return str(self.code / "events" / self.step / f"{EVENTS[self.step]}.json")

    @property
    def requests(self) -> int:
        """The number of the step's recorded requests to AWS and to the broker."""
        return len(self.aws.requests) + len(self.broker.requests)

    @property
    def memory(self) -> int:
        """The function's MemorySize in MiB."""
        resources = read_template(self.code / "template.yaml")["Resources"]
        name = self.step.title().replace("_", "")
        return int(resources[name]["Properties"]["MemorySize"])

    def start_step(self, *arguments: str) -> dict[str, float]:
        """Run the handler once in a new process."""
        path = f"{self.code / 'functions'}:{CHECKOUT}"
        variables = {**self.variables, "PYTHONPATH": path}
        return _figures(
            in_fresh_process(
                "tests.bench.cold_step", self.step, self.event, *arguments, variables=variables
            )
        )

    def measure_step(self) -> dict[str, float]:
        """Measure the handler with the recorded answers."""
        self.aws.repeat()
        self.broker.repeat()
        figures = self.start_step()
        if unknown := [*self.aws.unknown, *self.broker.unknown]:
            message = f"{self.step} asked what it did not ask when it was recorded: {unknown[0]}"
            raise RuntimeError(message)
        return figures

    def measure_floor(self, folder: Path) -> dict[str, float]:
        """Measure the floor with the recorded answers."""
        work = folder / "work.json"
        work.write_text(
            json.dumps(
                {
                    "imports": [*NEEDED, *NEEDED_BY.get(self.step, ())],
                    "event": json.loads(Path(self.event).read_text(encoding="utf-8")),
                    "aws": self.aws_calls,
                    "broker": self.broker.url,
                    "requests": self.broker.requests,
                }
            ),
            encoding="utf-8",
        )
        self.aws.repeat()
        self.broker.repeat()
        return _figures(
            in_fresh_process("tests.bench.cold_floor", str(work), variables=self.variables)
        )


@contextmanager
def recorded(code: Path, folder: Path, *, notes_calls: bool) -> Iterator[dict[str, Recorded]]:
    """Run each step once on a new local desk, and record every answer that it receives."""
    steps = {}
    with ExitStack() as stack:
        config = LocalDeskConfig(broker=None, parameters={}, enforce_iam=False)
        desk = stack.enter_context(open_desk(config))
        if desk.paper_broker is not None:
            desk.paper_broker.open_session(DEFAULT_SESSION)
        for step in EVENTS:
            aws = stack.enter_context(Replay(desk.aws.endpoint_url).serving())
            broker = stack.enter_context(Replay(desk.broker.trading_url).serving())
            found = Recorded(step, code, aws, broker, _variables(desk, step, aws, broker))
            calls = folder / f"{step}.calls"
            found.start_step(*([str(calls)] if notes_calls else []))
            if notes_calls and calls.exists():
                found.aws_calls = [json.loads(each) for each in calls.read_text().splitlines()]
            steps[step] = found
        yield steps


def _variables(desk: LocalDesk, step: str, aws: Replay, broker: Replay) -> dict[str, str]:
    name = f"algo-trader-{step.replace('_', '-')}"
    function = desk.aws.client("lambda").get_function_configuration(FunctionName=name)
    return {
        **function["Environment"]["Variables"],
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": aws.url,
        "APCA_API_BASE_URL": broker.url,
        "APCA_API_DATA_URL": broker.url,
    }


def _figures(found: Any) -> dict[str, float]:
    return {str(name): float(it) for name, it in found.items()}


def code_before(folder: Path) -> Path | None:
    """Unpack the code of `BEFORE`, with its bytecode; None if the checkout has no history."""
    done = subprocess.run(
        ["git", "archive", BEFORE, "functions", "events", "template.yaml"],  # noqa: S607
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    compileall.compile_dir(folder, quiet=1)
    return folder


def measure() -> Sequence[Rows]:
    """Measure every step in turn, its floor, and the same step in the code of `BEFORE`."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        before = code_before(folder / "before")
        ours = stack.enter_context(recorded(CHECKOUT, folder, notes_calls=True))
        old = stack.enter_context(recorded(before, folder, notes_calls=False)) if before else {}
        figures = {}
        for step, each in ours.items():
            measures = [each.measure_step, partial(each.measure_floor, folder)]
            if step in old:
                measures.append(old[step].measure_step)
            figures[step] = medians_in_turn(REPETITIONS, *measures)
        return times(figures), costs(figures, ours, old)


def times(figures: Mapping[str, Sequence[Mapping[str, float]]]) -> Rows:
    """Return a row for each step and one for their sum."""
    rows = []
    for step, (ours, floor, *old) in figures.items():
        split = (f"{ours['import']:.0f}", f"{ours['first']:.0f}")
        rows.append([_title(step), *split, *_compared(ours, floor, *old)])
    totals = [
        {"total": sum(each[column]["total"] for each in figures.values())}
        for column in range(len(figures["notify"]))
    ]
    return [*rows, ["All five", "", "", *_compared(*totals)]]


def _compared(
    ours: Mapping[str, float], floor: Mapping[str, float], *old: Mapping[str, float]
) -> list[str]:
    cells = [f"{ours['total']:.0f}", f"{floor['total']:.0f}"]
    cells.append(f"{ours['total'] / floor['total']:.2f}")
    for each in old:
        cells += [f"{each['total']:.0f}", f"{ours['total'] / each['total']:.2f}"]
    return cells if old else [*cells, "", ""]


def costs(
    figures: Mapping[str, Sequence[Mapping[str, float]]],
    ours: Mapping[str, Recorded],
    old: Mapping[str, Recorded],
) -> Rows:
    """Estimate the seconds and GB-seconds of five cold invocations on Lambda."""
    rows, sums = [], [0.0] * 4
    for step, (now, _, *was) in figures.items():
        row, numbers = [_title(step)], []
        sides = [(old[step], was[0])] if was else []
        for side, measured in (*sides, (ours[step], now)):
            seconds = measured["total"] / 1000 / min(1.0, side.memory / CORE_MIB)
            seconds += side.requests * REQUEST_SECONDS
            numbers += [seconds, seconds * side.memory / 1024]
            row += [str(side.memory), str(side.requests)]
            row += [f"{seconds:.2f}", f"{numbers[-1]:.2f}"]
        rows.append([*row[:1], *[""] * (9 - len(row)), *row[1:]])
        numbers = [0.0] * (4 - len(numbers)) + numbers
        sums = [a + b for a, b in zip(sums, numbers, strict=True)]
    shown = [f"{each:.2f}" if each else "" for each in sums]
    return [*rows, ["All five", "", "", *shown[:2], "", "", *shown[2:]]]


def _title(step: str) -> str:
    return step.replace("_", " ").title()


SECTION = Section(
    title="Cold start",
    about=f"""\
Processor time of a new process from its start to the end of its first invocation, in milliseconds.
Each step gets its sample event. Two loopback servers repeat what the emulator and the paper broker
answered when the bench recorded the step. The floor is a bare interpreter that makes the same AWS
calls with botocore and the same HTTP requests with the session of alpaca-trade-api. It also imports
{", ".join(NEEDED)}, and numpy for Compute Indicators. It has neither
the desk's modules nor Powertools. It never pauses the garbage collector, which three of the steps
do while they load. The figures are medians of {REPETITIONS} processes in turn. The last two columns
compare with commit {BEFORE}, in the same run. Wanted: at most {WANTED_RATIO} times the floor, and
in all at most {WANTED_SHARE} times the time before.""",
    tables=(
        Table(
            (
                "Step",
                "Import",
                "First invocation",
                "Process",
                "Floor",
                "Ratio",
                "Before",
                "Ratio to before",
            )
        ),
        Table(
            (
                "Step",
                *("MiB before", "Requests before", "Seconds before", "GB-s before"),
                *("MiB", "Requests", "Seconds", "GB-s"),
            ),
            f"""\
An estimate of these five cold invocations on Lambda, with the initialization, which Lambda bills.
It assumes that a core of Lambda is as fast as one here. A function gets `MemorySize` / {CORE_MIB}
of a core and at most one, also while it initializes. A request to AWS or to
the broker takes {REQUEST_SECONDS * 1000:.0f} ms.""",
        ),
    ),
    measure=measure,
)
