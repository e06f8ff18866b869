"""Owns which characters of an outside text are kept: only those that show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with a space in place of each character that does not show.

    Such characters could forge a line or change how it reads: control characters, line ends, lone
    surrogates, zero-width characters, and marks of the writing direction. The length stays the
    same, so a text with such characters never equals the same text without them.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " for each in text)


def one_line(text: str, longest: int | None = None) -> str:
    """Return a text as one line with single spaces, cut to ``longest`` characters."""
    return " ".join(printable(text).split())[:longest]
