"""Owns docs/performance.md: its sections, and the line that says where their figures come from."""

from __future__ import annotations

import os
import platform
import subprocess
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.bench.section import Rows, Section
from tests.support.checkout import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"
NOT_MEASURED = "Nobody has measured this section yet."
MEASURED = "Measured at commit"
PAGE_WIDTH = 140
INTRODUCTION = """\
# Performance

`make bench` writes this page. Each section says what its figures include. Below that it names
the commit and the machine. The figures of a section come from one run of the bench.
Compare them with each other, and not with those of another machine.

```sh
make bench
make bench ARGS="--section day"
```

Without `--section` the bench takes less than ten minutes on two idle cores, and skips the long
sections."""


def heading(section: Section) -> str:
    """Return a section's heading as the page shows it."""
    return f"## {section.title}"


def describe_section(name: str, section: Section) -> str:
    """Return what the page says about a section, before its figures."""
    command = f'make bench ARGS="--section {name}"'
    length = ", which takes long" if section.is_long else ""
    return f"{heading(section)}\n\n{_fill(section.about)}\n\nCommand: `{command}`{length}."


def format_tables(section: Section, measured: list[Rows]) -> str:
    """Format the tables of a section in Markdown, with aligned columns."""
    parts = []
    for table, rows in zip(section.tables, measured, strict=True):
        if table.about:
            parts.append(_fill(table.about))
        parts.append(_format([table.columns, *rows]))
    return "\n\n".join(parts)


def _fill(paragraph: str) -> str:
    return textwrap.fill(paragraph, PAGE_WIDTH, break_long_words=False, break_on_hyphens=False)


def _format(lines: Rows) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]

    def row(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    shown = [
        row([cell.ljust(width) for cell, width in zip(line, widths, strict=True)]) for line in lines
    ]
    return "\n".join([shown[0], row(["-" * width for width in widths]), *shown[1:]])


def origin() -> str:
    """Return the commit, the date and the kind of machine of a measurement."""
    commit = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--", ".", f":!{PAGE.relative_to(CHECKOUT)}")
    state = " with changes that were not committed" if changed else ""
    return (
        f"{MEASURED} {commit}{state} on {datetime.now(UTC):%Y-%m-%d}, with {os.cpu_count()} "
        f"cores ({platform.machine()}) and Python {platform.python_version()}."
    )


def read_figures(sections: Mapping[str, Section]) -> dict[str, str]:
    """Read from the page the part of each section that holds its figures."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = {part.partition("\n")[0]: part for part in text.split("\n\n## ")[1:]}
    found = {}
    for name, section in sections.items():
        _, begin, rest = parts.get(section.title, "").partition(MEASURED)
        found[name] = (begin + rest).strip() or NOT_MEASURED
    return found


def format_page(sections: Mapping[str, Section], figures: Mapping[str, str]) -> str:
    """Format the page with the figures of all sections."""
    parts = [
        f"{describe_section(name, each)}\n\n{figures[name]}" for name, each in sections.items()
    ]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or ("" if arguments[0] == "status" else "unknown")
