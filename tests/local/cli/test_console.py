"""Commands print within 80 columns, without color under NO_COLOR, and into a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cli.app import COMMANDS, run_command
from local.cli.console import make_console
from local.cli.decision_tables import print_plan
from local.cli.tables import print_day, print_days
from local.cli.timeline import TimelineView, progress_bar
from local.execution_history import Visit
from tests.local.cli.conftest import COMMAND
from tests.local.cli.test_plan import DECIDED
from tests.local.cli.test_tables import DAY

LONG = "PRICE_DEVIATION: 1234567.89 is 43.21 % off the close 2345678.90, limit 20 %"
ORDER = DAY["orders"][0] | {
    "symbol": "SYN0001",
    "side": "sell",
    "qty": "1234.123456789",
    "order_type": "stop",
    "limit_price": "1234.56",
    "status": "partially_filled",
    "filled_qty": "1034.123456789",
    "filled_avg_price": "1234.5678",
}
DENIED = {
    "side": "buy",
    "symbol": "SYN0001",
    "qty": "1234.123456789",
    "code": "SYMBOL_NOT_TRADABLE",
    "detail": LONG,
}
CROWDED = DAY | {
    "orders": [ORDER],
    "denied": [DENIED, DENIED | {"code": "MAX_ORDERS"}],
    "decision": {"why": {"SYN0001": LONG}},
    "account": {
        "equity": "1234567.12",
        "last_equity": "1345678.12",
        "cash": "-1345678.90",
        "profit": "-111111.00",
    },
}
PLANNED = DECIDED | {
    "decision": DECIDED["decision"]
    | {
        "entries": [DECIDED["decision"]["entries"][0] | {"symbol": "SYN0001", "qty": "1234567.5"}],
        "denied": [DENIED],
        "why": {"SYN0001": LONG},
    }
}
Print = Callable[[Any], None]
PRINTED: dict[str, Print] = {
    "a day": lambda console: print_day(console, CROWDED, ""),
    "a failed day": lambda console: print_day(
        console,
        CROWDED
        | {"execution": {"status": "FAILED", "error": "ConfigurationError", "cause": LONG * 3}},
        "",
    ),
    "several days": lambda console: print_days(
        console,
        [
            CROWDED | {"account": DAY["account"]},
            CROWDED | {"execution": {"status": "FAILED", "error": "BrokerUnavailableError"}},
        ],
    ),
    "a plan": lambda console: print_plan(console, PLANNED, ""),
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_80_columns(show: Print) -> str:
    """Return the output for a pipe."""
    console = make_console()
    target = io.StringIO()
    console.file = target
    show(console)
    return target.getvalue()


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("show", PRINTED.values(), ids=PRINTED)
def test_no_line_is_longer_than_80_columns(show: Print) -> None:
    out = on_80_columns(show)
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    assert "…" not in out


@pytest.mark.usefixtures("plain")
def test_nothing_is_lost_on_80_columns() -> None:
    def letters(text: object) -> str:
        return re.sub(r"\W", "", str(text))

    # A table folds long text in its last column, so the letters stay in order.
    for show in (PRINTED["a day"], PRINTED["a plan"]):
        lines = on_80_columns(show).splitlines()
        assert letters(LONG) in letters("".join(line[14:] for line in lines))
    day, days = (on_80_columns(PRINTED[each]) for each in ("a day", "several days"))
    for number in ("1234.123456789", "1034.123456789", "1234.5678", "-1,345,678.90"):
        assert number in day
    assert days.count("2012-02-15") == 2
    for part in ("1,234,567.12", "-1,345,678.90", "-8.26%", "105,012.34", "+0.01%"):
        assert days.count(part) == 1
    run = "".join(line[12:20].strip() for line in days.splitlines()[3:])
    assert "BrokerUnavailableError" in run


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
def test_the_schedule_fits_on_80_columns(capsys: pytest.CaptureFixture[str], zone: str) -> None:
    friday = ("--after", "2026-10-30T00:00:00Z", "--next", "4", "--timezone", zone)
    assert run_command(["schedule", "--expression", "cron(35 9 ? * FRI-MON *)", *friday]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert len([line for line in lines if "2026" in line]) == 4
    if zone == "America/New_York":
        assert "clockschanged-1h" in "".join("".join(lines).split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_on_80_columns(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([name, "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(("no_color", "escapes"), [("1", False), ("", True), (None, True)])
def test_no_color_leaves_no_escape_code_on_a_terminal(
    no_color: str | None, escapes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    if no_color is None:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", no_color)
    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    console = make_console()
    with TimelineView(console, quiet=False) as view:
        view.title("2012-02-15")
        view.working("Starting")
        at = datetime(2012, 2, 15, tzinfo=UTC)
        view.ended(Visit("Fetch Bars", "Task", at, at + timedelta(seconds=1), 2, None, "Error"))
    with progress_bar(2) as advance:
        advance("2012-02-15")
    for show in PRINTED.values():
        show(console)
    assert ("\x1b" in out.getvalue()) is escapes
    assert ("\x1b" in err.getvalue()) is escapes
    assert "Fetch Bars" in out.getvalue()


def test_a_terminal_with_no_color_gets_no_escape_code(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "schedule"],
        env=environment | {"NO_COLOR": "1", "TERM": "xterm"},
        stdout=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the terminal has closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"New York" in shown
    assert b"\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("schedule", "--next", "1000"), 0),
        (("--help",), 0),
        (("run", "--sessions", "0"), 2),
    ],
)
def test_a_reader_that_stops_reading_changes_neither_the_command_nor_its_status(
    environment: dict[str, str], arguments: tuple[str, ...], status: int
) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=write, stderr=subprocess.PIPE, text=True
    ) as process:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, bool(err)) == (status, status > 0)
    with subprocess.Popen(command, env=environment, stdout=write, stderr=write) as process:
        os.close(write)
    assert process.returncode == status


def test_the_status_of_a_command_is_that_of_its_work_once_its_reader_has_gone(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The command goes on printing and working after ``head`` has ended."""
    done = tmp_path / "done"
    program = f"""
import sys, click, pathlib
from rich.console import Console
from local.cli import app, main
def work(arguments):
    print("first", flush=True)
    for _ in range(200):
        click.echo("more" * 1000); Console().print("more"); print("more", file=sys.stderr)
    pathlib.Path({str(done)!r}).touch()
    return 7
app.run_command = work
main()"""
    whole = f"{shlex.join([sys.executable, '-c', program])} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    answer = subprocess.run(
        ["/bin/bash", "-c", whole], check=True, env=environment, capture_output=True, text=True
    )
    assert (answer.stdout, answer.stderr, done.exists()) == ("first\n7\n", "", True)
