"""Owns how text reaches the screen: consoles, and foreign text made safe to print."""

from __future__ import annotations

import os
import sys
import unicodedata

from rich.console import Console

PLAIN_WIDTH = 100


def make_console(*, stderr: bool = False) -> Console:
    """Make a console for stdout or stderr.

    Colours follow the terminal and ``NO_COLOR``. Where there is no terminal no control character
    is written and lines are up to 100 characters wide, unless COLUMNS says otherwise.
    """
    stream = sys.stderr if stderr else sys.stdout
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not stream.isatty() and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console


def clean(text: object) -> str:
    """Format a text from outside without the control characters that could steer a terminal."""
    return "".join(
        character
        for character in str(text).replace("\t", " ")
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf"}
    )
