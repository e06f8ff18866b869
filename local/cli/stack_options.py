"""Owns what commands for a deployed stack share: options, title, and confirmation."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from algotrader.model import TradingMode
from local.cli import INTERRUPTED
from local.cli.app import CHECKOUT
from local.cli.console import clean
from local.ops.stack import AwsProblem, StackLocation
from local.problems import UsageProblem

STACK = "algo-trader"


def stack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the stack's location; the command receives stack, region, profile and endpoint_url.

    If AWS refuses, the command ends with one line. After Ctrl-C during a request, it warns that AWS
    may have executed the request, and returns 130.
    """

    @click.option("--stack", metavar="NAME", help="The stack's name; default: samconfig.toml's.")
    @click.option("--region", metavar="NAME", help="The stack's region; default: boto3's.")
    @click.option("--profile", metavar="NAME", help="Your AWS profile; default: boto3's.")
    @click.option(
        "--endpoint-url", metavar="URL", help="Another AWS, such as the one of algo-trader up."
    )
    @wraps(command)
    def at_a_stack(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            click.echo(
                "algo-trader: interrupted; AWS may have executed the last request, so check again",
                err=True,
            )
            return INTERRUPTED
        except AwsProblem as problem:
            raise click.ClickException(clean(problem)) from problem

    return at_a_stack


def stack_location(where: dict[str, str | None]) -> StackLocation:
    """Return the location that the user's options name."""
    return StackLocation(
        stack=where["stack"] or _deployed_name(),
        region=where["region"],
        profile=where["profile"],
        endpoint_url=where["endpoint_url"],
    )


def stack_title(stack: str, region: str, mode: TradingMode) -> str:
    """Format a stack's name with its region and trading mode."""
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
    """Ask the user to confirm; the default answer is no.

    Parameters
    ----------
    unasked : str
        What the command would do, for the error message.

    Raises
    ------
    UsageProblem
        If there is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageProblem(f"{unasked}. Nothing was changed. Confirm with --yes")
    return click.confirm(question, default=False)


def confirm_if_live(question: str, stack: str, mode: TradingMode) -> bool:
    """Ask the user to confirm if a stack trades real money; otherwise return True."""
    return mode is not TradingMode.LIVE or confirm(
        f"This stack trades real money. {question}", trades_real_money(stack)
    )


def trades_real_money(stack: str) -> str:
    """Return why a command asks for confirmation."""
    return f"stack {stack} trades real money"
