"""Owns `algo-trader arm`: let a live desk trade for some days."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from local.cli.console import clean, paragraph
from local.cli.stack_options import confirm, stack_location, stack_options, trades_real_money
from local.ops.arming import arm_stack, limits_of, token_for
from local.ops.stack import find_stack

NOT_ARMED = 1
DAYS, MOST_DAYS = 30, 365
AFTERWARDS = """
    The desk trades from its next run on, if its trading state permits (algo-trader resume). Any
    deploy disarms the desk, so arm it again afterwards."""


@click.command()
@stack_options
@click.option(
    "--days",
    default=DAYS,
    show_default=True,
    type=click.IntRange(1, MOST_DAYS),
    metavar="N",
    help="How many days the desk may trade; afterwards it is halted.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")
def arm(*, days: int, yes: bool, **where: str | None) -> int:
    """Arm the desk of a stack that was deployed with TradingMode=live.

    The desk is halted until you arm it, after those days, and after any deploy. Exit status: 0 if
    armed; 1 if AWS refused or you said no; 2 for wrong usage or settings.
    """
    stack = find_stack(stack_location(where))
    token = token_for(stack, days, datetime.now(UTC).replace(microsecond=0))
    rows = {
        "account": token.account,
        "armed until": token.expires_at.isoformat(),
        "deployed at": token.deployed_at.isoformat(),
    } | limits_of(stack)
    click.echo(f"Stack {stack.name} in {stack.region} trades real money")
    for name, value in rows.items():
        click.echo(f"  {name:<18} {clean(value)}")
    if not yes and not confirm("Arm it with these limits?", trades_real_money(stack.name)):
        click.echo("Nothing was changed.")
        return NOT_ARMED
    arm_stack(stack, token)
    click.echo("\n" + paragraph(f"Armed until {token.expires_at.isoformat()}. {AFTERWARDS}"))
    return 0
