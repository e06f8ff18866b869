"""Owns the list of commands: how each is imported when it is used, and how each ends."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import cast

import click

from local.cli import INTERRUPTED
from local.problems import UsageProblem

CHECKOUT = Path(__file__).resolve().parents[2]
FAILED, WRONG_USAGE = 1, 2

# By command: the module that has it under the same name, and its line in the help.
COMMANDS = {
    "run": ("run", "Trade a day, or several, and show what happened."),
    "plan": ("plan", "Show today's orders with their reasons, and send none."),
    "up": ("up", "Deploy here and stay up until Ctrl-C."),
    "broker": ("broker", "Run only the paper broker."),
    "schedule": ("schedule", "Show when runs start next."),
    "halt": ("state", "Halt a deployed desk: it sends nothing."),
    "reduce": ("state", "Restrict a deployed desk to selling."),
    "resume": ("state", "Let a deployed desk trade again."),
    "flatten": ("flatten", "Sell everything that a deployed desk holds."),
    "arm": ("arm", "Let a live desk trade for some days."),
    "adopt": ("holdings", "Give shares that the account holds to a deployed desk."),
    "release": ("holdings", "Remove shares from a deployed desk's books."),
    "restore": ("restore", "Put back an earlier version of a deployed desk's books."),
}


# Click reads the -5 of "release AAPL -5" as an option.
_NUMBER = re.compile(r"-[0-9.]")


class LazyGroup(click.Group):
    """A group that imports a command only to run it."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """List the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import and return a command; return None if no command has that name."""
        if name not in COMMANDS:
            return None
        module = import_module(f"local.cli.{COMMANDS[name][0]}")
        return cast("click.Command", getattr(module, name))

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Add the commands to the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    click.echo(f"algo-trader {project['version']}")
    context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
def app() -> None:
    """Trade a day on this machine, the way the deployed desk does.

    The real template, state machine and functions run in an embedded AWS, against a paper broker
    with real historical bars. You need no cloud account, no Docker and no internet.
    """


def run_command(arguments: list[str]) -> int:
    """Run a command and return its exit status; an error is one line on stderr."""
    try:
        result = app.main(arguments, prog_name="algo-trader", standalone_mode=False)
        sys.stdout.flush()
    except UsageProblem as problem:
        _report(str(problem))
        return WRONG_USAGE
    except click.NoSuchOption as problem:
        if not _NUMBER.fullmatch(problem.option_name):
            _report(problem.format_message())
        else:
            _report(
                f"{problem.option_name} is not an option, and no command takes a number below 0"
            )
        return problem.exit_code
    except click.ClickException as problem:
        is_help = isinstance(problem, click.exceptions.NoArgsIsHelpError)
        _report(problem.format_message(), as_it_is=is_help)
        return problem.exit_code
    except (KeyboardInterrupt, click.Abort) as stopped:
        # At a prompt, click raises an Abort without a cause, and nothing has changed yet.
        is_at_prompt = isinstance(stopped, click.Abort) and stopped.__cause__ is None
        state = (
            "nothing was changed" if is_at_prompt else "the command stopped everything it started"
        )
        _report(f"interrupted; {state}")
        return INTERRUPTED
    except Exception as error:  # a user gets one line instead of a traceback
        if os.environ.get("ALGO_TRADER_TRACEBACK"):
            raise
        _report(f"{type(error).__name__}: {error} (ALGO_TRADER_TRACEBACK=1 shows the traceback)")
        return FAILED
    return result if isinstance(result, int) else 0


def _report(message: str, *, as_it_is: bool = False) -> None:
    one_line = f"algo-trader: {' '.join(message.split())}"
    print(message if as_it_is else one_line, file=sys.stderr)
