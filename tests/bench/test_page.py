from __future__ import annotations

import pytest

from tests.bench.__main__ import SECTIONS
from tests.bench.page import NOT_MEASURED, PAGE, format_page, format_tables, read_figures
from tests.bench.section import Section, Table
from tests.docs.markdown import tables


def test_the_page_describes_every_section_as_the_bench_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == format_page(SECTIONS, read_figures(SECTIONS))


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_the_page_shows_the_tables_of_every_section(section: Section) -> None:
    shown = [each.header for each in tables("docs/performance.md") if each.heading == section.title]
    is_measured = NOT_MEASURED not in read_figures({"it": section}).values()
    assert shown == [each.columns for each in section.tables if is_measured]


def test_a_section_that_nobody_has_measured_says_so() -> None:
    new = Section("A title that no page has", "", (Table(("Figure",)),), lambda: [[]])
    figures = read_figures({"new": new})
    assert figures == {"new": NOT_MEASURED}
    assert NOT_MEASURED in format_page({"new": new}, figures)


def test_a_table_aligns_its_columns_and_follows_its_paragraph() -> None:
    section = Section("", "", (Table(("Symbols", "s"), "Seconds of a run."),), lambda: [[]])
    assert format_tables(section, [[["5", "1.25"]]]) == (
        "Seconds of a run.\n\n| Symbols | s    |\n| ------- | ---- |\n| 5       | 1.25 |"
    )
