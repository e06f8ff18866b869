"""Owns how a command asks before it touches a desk, and what it does where nobody can answer."""

from __future__ import annotations

import sys

import click

from local.sandbox.runner.problems import UsageProblem


def confirm(question: str, unasked: str) -> bool:
    """Ask for a yes, which is not the default.

    Parameters
    ----------
    unasked : str
        What would be done, for the refusal where there is no terminal.

    Raises
    ------
    UsageProblem
        Without a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageProblem(f"{unasked}: confirm with --yes. Nothing was changed")
    return click.confirm(question, default=False)


def trades_real_money(stack: str) -> str:
    """Say why a stack is not touched unasked."""
    return f"stack {stack} trades real money"
