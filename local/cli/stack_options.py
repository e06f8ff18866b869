"""Owns what commands on a deployed stack share: options, title, and confirmation."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from algotrader.model import TradingMode
from local.cli import INTERRUPTED
from local.cli.console import clean
from local.ops.stack import AwsProblem, StackLocation
from local.problems import UsageProblem

CHECKOUT = Path(__file__).resolve().parents[2]
STACK = "algo-trader"


def stack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the stack's location; the command receives stack, region, profile and endpoint_url.

    After a Ctrl-C during a request, AWS may or may not have carried it out: the command says so and
    returns 130. What AWS refuses ends the command with one line.
    """

    @wraps(command)
    def at_a_stack(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            click.echo(
                "algo-trader: interrupted; AWS may have carried out the last request: check again",
                err=True,
            )
            return INTERRUPTED
        except AwsProblem as problem:
            raise click.ClickException(clean(problem)) from problem

    placed = at_a_stack
    for option in (
        click.option(
            "--endpoint-url", metavar="URL", help="Another AWS, such as the one of algo-trader up."
        ),
        click.option("--profile", metavar="NAME", help="Your AWS profile; default: boto3's."),
        click.option("--region", metavar="NAME", help="The stack's region; default: boto3's."),
        click.option(
            "--stack", metavar="NAME", help="The stack's name; default: samconfig.toml's."
        ),
    ):
        placed = option(placed)
    return placed


def stack_location(where: dict[str, str | None]) -> StackLocation:
    """Return the location that the options of `stack_options` name."""
    return StackLocation(
        stack=where["stack"] or _deployed_name(),
        region=where["region"],
        profile=where["profile"],
        endpoint_url=where["endpoint_url"],
    )


def stack_title(stack: str, region: str, mode: TradingMode) -> str:
    """Name a stack with its region and trading mode."""
    return f"Stack {stack} in {region}, TradingMode={mode.value}"


def _deployed_name() -> str:
    """Return the stack's name from the settings of ``sam deploy``."""
    path = CHECKOUT / "samconfig.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8")).get("default", {})
    except FileNotFoundError:
        return STACK
    except (OSError, ValueError) as error:
        raise UsageProblem(
            f"{path.name} cannot be read: {error}. Name the stack with --stack"
        ) from error
    for command in ("deploy", "global"):
        name = settings.get(command, {}).get("parameters", {}).get("stack_name")
        if name:
            return str(name)
    return STACK


def confirm(question: str, unasked: str) -> bool:
    """Ask for a yes, which is not the default.

    Parameters
    ----------
    unasked : str
        What the command would do, for the error without a terminal.

    Raises
    ------
    UsageProblem
        Without a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageProblem(f"{unasked}: confirm with --yes. Nothing was changed")
    return click.confirm(question, default=False)


def confirm_if_live(question: str, stack: str, mode: TradingMode) -> bool:
    """Ask for a yes if a stack trades real money; otherwise assume it."""
    return mode is not TradingMode.LIVE or confirm(
        f"This stack trades real money. {question}", trades_real_money(stack)
    )


def trades_real_money(stack: str) -> str:
    """Return why a command asks before it changes a stack."""
    return f"stack {stack} trades real money"
