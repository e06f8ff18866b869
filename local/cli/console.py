"""Owns the consoles, and how to print text from outside safely."""

from __future__ import annotations

import os
import sys
import textwrap
import unicodedata

from rich.console import Console

PLAIN_WIDTH = 80


def make_console(*, stderr: bool = False) -> Console:
    """Make a console for stdout or stderr.

    With ``NO_COLOR``, or without a terminal, the console writes no escape codes. Without a
    terminal, lines have up to 80 characters, or as many as ``COLUMNS`` says.
    """
    stream = sys.stderr if stderr else sys.stdout
    console = Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )
    if not stream.isatty() and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console


def can_redraw(console: Console) -> bool:
    """Return whether the console can replace a line, which needs escape codes."""
    return console.is_terminal and console.color_system is not None


def paragraph(text: str) -> str:
    """Wrap a text to lines of 80 characters."""
    return textwrap.fill(" ".join(text.split()), PLAIN_WIDTH)


def clean(text: object) -> str:
    """Remove from a text the control characters that could change a terminal's state."""
    return "".join(
        character
        for character in str(text).replace("\t", " ")
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf"}
    )
