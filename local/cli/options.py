"""Owns options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from local.paper_broker.data import MAX_SYNTHETIC, synthetic_symbol
from local.sandbox.aws.template import CHECKOUT

Command = TypeVar("Command", bound=Callable[..., Any])


def _date(_context: click.Context, _parameter: click.Parameter, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date such as 2012-02-15") from None


def _default_files() -> Path | None:
    folder = CHECKOUT / "strategy-files"
    return folder if folder.is_dir() else None


def session_option(text: str) -> Callable[[Command], Command]:
    """Make ``--session D``; the command receives a date or None."""
    return click.option("--session", metavar="D", callback=_date, help=text)


faults_option = click.option(
    "--faults",
    default="",
    metavar="PLAN",
    help="Requests that fail at the built-in broker: submit:2:504-after-accept,…",
)
synthetic_option = click.option(
    "--synthetic",
    type=click.IntRange(0, MAX_SYNTHETIC),
    default=0,
    metavar="N",
    help=f"Add N symbols with random prices to the built-in broker: {synthetic_symbol(1)}, …",
)
files_option = click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_default_files,
    metavar="DIR",
    help="The strategy's own files; default: strategy-files, if it exists.",
)
parameter_option = click.option(
    "--parameter",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a parameter of template.yaml; may be repeated.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


def broker_options(url: str, paper: str) -> Callable[[Command], Command]:
    """Make ``--broker-url`` and ``--paper`` with the given help texts."""

    def add(command: Command) -> Command:
        command = click.option("--paper", is_flag=True, help=paper)(command)
        return click.option("--broker-url", metavar="URL", help=url)(command)

    return add
