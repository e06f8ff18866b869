"""Owns the error that means: the command was asked for what it cannot do, and nothing ran."""

from __future__ import annotations


class UsageProblem(Exception):  # noqa: N818 - it is told to a person, not raised at one
    """Wrong usage or configuration; the message is one line for the user."""
