"""Owns the cleaning of outside strings, which keeps only visible characters."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a string with a space instead of each invisible character.

    Control characters, line ends, lone surrogates, zero-width characters and direction marks are
    invisible. They could forge a line or change how it reads. The length stays the same, so the
    result never equals the same string without the invisible characters.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " for each in text)


def one_line(text: str, longest: int | None = None) -> str:
    """Return a string as one line with single spaces, cut to ``longest`` characters."""
    return " ".join(printable(text).split())[:longest]
