"""Owns how the tests read the documentation: pages, blocks, links, tables and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.support.checkout import CHECKOUT

_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<language>[\w-]*)")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\((?P<target>[^()\s]+)\)")
_CODE_SPAN = re.compile(r"(?P<marks>`+)(?P<text>.+?)(?P=marks)(?!`)")
_CELL_BREAK = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``line`` is the number of its first content line, counted from 1."""

    page: str
    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table under the nearest heading above it, with its cells as written."""

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        at = self.header.index(name)
        return [row[at] for row in self.rows]


@cache
def pages() -> tuple[str, ...]:
    """List every Markdown page of the repository, as paths from its root."""
    tops = [
        top for top in CHECKOUT.iterdir() if not top.name.startswith(".")
    ]  # .venv is too large to search
    found = [
        path.relative_to(CHECKOUT)
        for top in tops
        for path in (top.rglob("*.md") if top.is_dir() else [top])
        if path.suffix == ".md"
    ]
    return tuple(
        sorted(
            path.as_posix()
            for path in found
            if not any(part.startswith(".") or part == "node_modules" for part in path.parts)
        )
    )


@cache
def text_of(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def _lines(page: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield line number, text, and the language of the fenced block around the line."""
    marks = language = None
    for number, line in enumerate(text_of(page).splitlines(), start=1):
        fence = _FENCE.match(line)
        if marks is None and fence:
            marks, language = fence["marks"], fence["language"]
            yield number, "", None
        elif marks is not None and line.strip() == marks:
            marks = None
            yield number, "", None
        else:
            yield number, line, language if marks is not None else None


def blocks(page: str, *languages: str) -> list[Block]:
    """List a page's fenced blocks, limited to these languages if any are given."""
    found: list[Block] = []
    inside = False
    for number, line, language in _lines(page):
        if language is None:
            inside = False
        elif inside:
            last = found[-1]
            found[-1] = Block(page, last.language, f"{last.text}\n{line}", last.line)
        else:
            found.append(Block(page, language, line, number))
            inside = True
    return [each for each in found if not languages or each.language in languages]


def prose(page: str) -> str:
    """Return a page without its fenced blocks, with its lines in place."""
    return "\n".join("" if language is not None else line for _, line, language in _lines(page))


def section(page: str, heading: str) -> str:
    """Return the prose under a second-level heading; empty if the page lacks it."""
    found = re.search(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", prose(page))
    return found[1] if found else ""


def links(page: str) -> list[str]:
    """List the targets of a page's links and pictures."""
    return [match["target"] for match in _LINK.finditer(prose(page))]


def code_spans(text: str) -> list[str]:
    """List the texts between backticks."""
    return [match["text"].strip() for match in _CODE_SPAN.finditer(text)]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes from a page's headings."""
    found: set[str] = set()
    for line in prose(page).splitlines():
        if not re.match(r"#{1,6} ", line):
            continue
        words = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
        slug = name = words.replace(" ", "-")
        count = 0
        while name in found:
            count += 1
            name = f"{slug}-{count}"
        found.add(name)
    return found


def tables(page: str) -> list[Table]:
    heading, rows, found = "", [], []
    for line in [*prose(page).splitlines(), ""]:
        if line.startswith("|"):
            cells = _CELL_BREAK.split(line.strip().strip("|"))
            rows.append(tuple(cell.strip().replace("\\|", "|") for cell in cells))
            continue
        if rows:
            found.append(Table(heading, rows[0], tuple(rows[2:])))
            rows = []
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
    return found


def table(page: str, heading: str) -> Table:
    """Return the only table under a heading."""
    (only,) = [each for each in tables(page) if each.heading == heading]
    return only
