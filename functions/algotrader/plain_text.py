"""Owns which characters of an outside string are kept: only visible ones."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a string with a space instead of each invisible character.

    Such characters could forge a line or change how it reads: control characters, line ends, lone
    surrogates, zero-width characters, and marks of the writing direction. The length stays the
    same, so a string with such characters never equals the same string without them.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " for each in text)


def one_line(text: str, longest: int | None = None) -> str:
    """Return a string as one line with single spaces, cut to ``longest`` characters."""
    return " ".join(printable(text).split())[:longest]
