"""Owns `make bench`: it measures the sections, prints their tables and writes the page."""

from __future__ import annotations

import argparse
import time

from tests.bench import cold, day, fetch, indicators, orders, warm, years
from tests.bench.page import (
    PAGE,
    describe_section,
    format_page,
    format_tables,
    origin,
    read_figures,
)
from tests.bench.section import Section

SECTIONS: dict[str, Section] = {
    "orders": orders.SECTION,
    "indicators": indicators.SECTION,
    "fetch": fetch.SECTION,
    "cold": cold.SECTION,
    "day": day.SECTION,
    "warm": warm.SECTION,
    "years": years.SECTION,
}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=...", description="Measure the desk, and write docs/performance.md."
    )
    parser.add_argument(
        "--section",
        action="append",
        choices=SECTIONS,
        help="measure this section only; repeat the option for several sections",
    )
    given = parser.parse_args(arguments)
    chosen = given.section or [name for name, each in SECTIONS.items() if not each.is_long]
    source, figures = origin(), read_figures(SECTIONS)
    for name in chosen:
        section, began = SECTIONS[name], time.monotonic()
        _show(f"{describe_section(name, section)}\n")
        tables = format_tables(section, list(section.measure()))
        figures[name] = f"{source}\n\n{tables}"
        PAGE.write_text(format_page(SECTIONS, figures), encoding="utf-8")
        _show(f"{tables}\n\nThis took {time.monotonic() - began:.0f} s.\n")
    _show(f"The figures are in {PAGE.name}.")


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the tables are this command's output


if __name__ == "__main__":
    main()
