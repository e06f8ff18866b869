"""Owns how the tests read commands in the documentation's shell blocks and code spans."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.docs.markdown import Block, blocks, code_spans, pages, prose, section

# The section of a page that names missing features.
NOT_THERE_YET = "What is not there yet"
SHELL = ("sh", "bash", "shell", "console")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_INLINE = re.compile(r"(?:\.venv/bin/)?(?:algo-trader|make|sam|aws) [a-z]")
_OPERATORS = {"&&", "||", "|", ";", "&", ">", ">>", "<"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command on a page; ``line`` is 0 for a code span."""

    page: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {' '.join(self.words[:3])}"

    @property
    def program(self) -> str:
        return self.words[0].removeprefix("./").removeprefix(".venv/bin/")

    def value_of(self, *options: str) -> list[str]:
        """Return the words from an option up to the next option; ``--a=b`` counts, too."""
        values: list[str] = []
        taking = False
        for word in self.words:
            name, equals, value = word.partition("=")
            if word.startswith("-"):
                taking = word in options
                if equals and name in options:
                    values.append(value)
            elif taking:
                values.append(word)
        return values


@cache
def commands() -> tuple[Command, ...]:
    """List every command on every page, from shell blocks and code spans."""
    return tuple(
        each
        for page in pages()
        for block in (*blocks(page, *SHELL), *_inline(page))
        for each in _commands_of(block)
    )


def _inline(page: str) -> Iterator[Block]:
    promised = section(page, NOT_THERE_YET)
    for span in code_spans(prose(page).replace(promised, "") if promised else prose(page)):
        if _INLINE.match(span):
            yield Block(page, "sh", span, 0)


def _commands_of(block: Block) -> Iterator[Command]:
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        first, text = at, lines[at]
        at += 1
        if block.language == "console":
            if not text.startswith("$ "):
                continue  # output
            text = text.removeprefix("$ ")
        while at < len(lines) and (text.endswith("\\") or not _is_whole(text)):
            text = f"{text.removesuffix(chr(92))}\n{lines[at]}"
            at += 1
        yield from _split(block.page, block.line + first, text)


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:  # an open quote
        return False
    return True


def _split(page: str, line: int, text: str) -> Iterator[Command]:
    for inner in _SUBSTITUTION.findall(text):
        yield from _split(page, line, inner)
    lexer = shlex.shlex(_SUBSTITUTION.sub("SUBSTITUTED", text), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _OPERATORS:
            words.append(word)
            continue
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if words and word not in {">", ">>", "<"}:
            yield Command(page, line, tuple(words))
            words = []
