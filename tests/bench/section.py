"""Owns the form of a section of the bench: what it measures, its tables, and how it measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.support.checkout import CHECKOUT

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a section; ``about`` is a paragraph above it, and may be empty."""

    columns: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the bench and of docs/performance.md.

    Attributes
    ----------
    title, about : str
        The heading, and what the figures include: whole processes or inner loops, warm or cold.
    tables : tuple of Table
        The section's tables.
    measure : callable
        Returns the rows of each table.
    is_long : bool
        Whether the section takes too long for a bench without ``--section``.
    """

    title: str
    about: str
    tables: tuple[Table, ...]
    measure: Callable[[], Sequence[Rows]]
    is_long: bool = False


def in_fresh_process(
    module: str, *arguments: str, variables: Mapping[str, str] | None = None
) -> Any:
    """Run a module in a new Python, and return the JSON that it prints in its last line.

    Raises
    ------
    RuntimeError
        If the process fails; the message contains what it printed.
    """
    path = os.pathsep.join((str(CHECKOUT / "functions"), str(CHECKOUT)))
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", **(variables or {})},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"python -m {module}: exit status {done.returncode}\n{done.stderr}"
        raise RuntimeError(message)
    return json.loads(done.stdout.strip().splitlines()[-1])


def medians_in_turn(
    repetitions: int, *measures: Callable[[], Mapping[str, float]]
) -> list[dict[str, float]]:
    """Call each measure in turn, again and again, and return the median of each of its figures.

    Other work on the machine then disturbs all measures alike, so their ratios stay valid.
    """
    found: list[list[Mapping[str, float]]] = [[] for _ in measures]
    for _ in range(repetitions):
        for measure, figures in zip(measures, found, strict=True):
            figures.append(measure())
    return [
        {name: median(each[name] for each in figures) for name in figures[0]} for figures in found
    ]
