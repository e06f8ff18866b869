"""Owns the live timeline: one line for each state of the execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.status import Status
from rich.text import Text

from local.cli.console import can_redraw, clean, make_console
from local.execution_history import TASK, Visit

NAME_WIDTH = 22
TIMED = frozenset({TASK, "Wait"})
STYLES = {"Fail": "bold red", "Succeed": "bold green", TASK: "", "Wait": ""}


class TimelineView:
    """Prints each state when it ends and, on a terminal, shows the current one."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._status = Status("", console=console)
        self._turns = not quiet and can_redraw(console)

    def __enter__(self) -> Self:
        """Start the spinner on a terminal."""
        if self._turns:
            self._status.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the spinner."""
        self.stop()

    def stop(self) -> None:
        """Stop the spinner for good, before other output."""
        if self._turns:
            self._status.stop()
            self._turns = False

    def working(self, what: str) -> None:
        """Show the current activity next to the spinner."""
        if self._turns:
            self._status.update(Text(what))

    def title(self, text: str) -> None:
        """Print the line above the states."""
        self._print(Text(clean(text), style="bold"))

    def ended(self, visit: Visit) -> None:
        """Print a line for a state that has ended."""
        style = "red" if visit.error else STYLES.get(visit.kind, "dim")
        self._print(Text(line_of(visit), style=style))

    def lasting(self, visit: Visit) -> None:
        """Show the current state next to the spinner."""
        tries = f", attempt {visit.attempts}" if visit.attempts > 1 else ""
        self.working(f"{clean(visit.name)}{tries}")

    def _print(self, text: Text) -> None:
        if not self._quiet:
            self._console.print(text)


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[str], None]]:
    """Show a progress bar if stderr is a terminal; call the result after each step."""
    console = make_console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    hidden = not can_redraw(console)
    with Progress(*columns, *times, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=total)
        yield lambda what: progress.update(task, advance=1, description=what)


def line_of(visit: Visit) -> str:
    """Format a state with its duration and, if there were several, its attempts."""
    name = f"  {clean(visit.name)}"
    if visit.kind not in TIMED:
        return name
    line = f"{name:<{NAME_WIDTH + 2}} {visit.seconds:7.2f} s"
    if visit.attempts > 1:
        line += f"  {visit.attempts} attempts"
    return f"{line}  {clean(visit.error)}" if visit.error else line
