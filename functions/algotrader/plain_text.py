"""Owns which characters a text may hold that came from outside: those that show, and no others."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with a space in place of each character that does not show.

    Control characters, line ends, lone surrogates, zero-width characters and those that change the
    direction of writing could forge a line, or let one read otherwise than it is. The length
    stays, so that what differs still differs afterwards from a plain text.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " for each in text)


def one_line(text: str, longest: int | None = None) -> str:
    """Return a text as one line without runs of spaces, cut to ``longest`` characters."""
    return " ".join(printable(text).split())[:longest]
