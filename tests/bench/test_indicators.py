from __future__ import annotations

from tests.bench.indicators import SECTION, TA_LIB, measure, resolved, rows


def test_every_figure_of_the_section_is_measured() -> None:
    first, second = rows(measure(2, 1))
    assert {len(row) for row in first} == {len(SECTION.tables[0].columns)}
    assert {len(row) for row in second} == {len(SECTION.tables[1].columns)}
    assert [row[0].strip("`") for row in second] == list(resolved()) == list(TA_LIB)
