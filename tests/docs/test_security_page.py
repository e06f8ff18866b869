"""SECURITY.md states for every stored object what stops a forged one."""

from __future__ import annotations

import re

from algotrader.orders.ids import DESK_PATTERN
from local.ops.book_versions import KINDS
from tests.docs.markdown import blocks, code_spans, tables

PAGE = "SECURITY.md"


def objects() -> set[str]:
    return {
        span
        for each in tables(PAGE)
        if each.header[0] == "Object"
        for cell in each.column("Object")
        for span in code_spans(cell)
    }


def test_every_object_of_a_run_s_journal_has_a_row() -> None:
    (journal,) = (
        each.text for each in blocks("docs/architecture.md", "text") if "claim.json" in each.text
    )
    kept = re.findall(r"(?m)^    (\S+\.json(?: \.\.\.)?)", journal)
    assert "plan-001.json ..." in kept
    assert set(kept) - objects() == set()


def test_every_object_of_the_books_has_a_row() -> None:
    names = {each.removeprefix("ledger/").replace(DESK_PATTERN.pattern, "<desk>") for each in KINDS}
    assert "<desk>-others.json" in names
    assert names - objects() == set()
