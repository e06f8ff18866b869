"""Owns the list of the commands and the options they share."""

from __future__ import annotations

from pathlib import Path

import click

from local.cli.arm import arm
from local.cli.broker import broker
from local.cli.flatten import flatten
from local.cli.holdings import adopt, release
from local.cli.plan import plan
from local.cli.restore import restore
from local.cli.run import run
from local.cli.schedule import schedule
from local.cli.state import halt, reduce, resume
from local.cli.up import up

CHECKOUT = Path(__file__).resolve().parents[2]


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    click.echo(f"algo-trader {project['version']}")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version.",
)
def app() -> None:
    """Trade a day on this machine, the way the deployed desk does.

    The real template, state machine and functions run in an embedded AWS against a paper broker
    on real historical bars. No cloud account, no Docker, no internet.
    """


COMMANDS = (
    *(run, plan, up, broker, schedule, halt, reduce, resume, flatten, arm),
    *(adopt, release, restore),
)
for command in COMMANDS:
    app.add_command(command)
