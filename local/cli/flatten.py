"""Owns `algo-trader flatten`: sell everything that the desk of a deployed stack holds."""

from __future__ import annotations

import click

from algotrader.model import TradingMode, TradingState
from local.cli import INTERRUPTED
from local.cli.console import clean, paragraph
from local.cli.stack_options import confirm, stack_location, stack_options
from local.cli.state import show_state
from local.cli.timeline import line_of
from local.ops.flatten import Flattening, flatten_stack
from local.ops.stack import find_stack
from local.ops.trading_state import StackSwitch, format_state, switch_of

LEFT = 1
PATIENCE_MINUTES = 20
AFTERWARDS = "The state stays REDUCING, so no run buys until you run algo-trader resume."


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")
@click.option("--dry-run", is_flag=True, help="Show what would be sold, and change nothing.")
@click.option(
    "--wait-minutes",
    default=PATIENCE_MINUTES,
    show_default=True,
    type=click.IntRange(0, 24 * 60),
    metavar="N",
    help="How many minutes to wait for a run that is under way.",
)
def flatten(
    reason: tuple[str, ...], *, yes: bool, dry_run: bool, wait_minutes: int, **where: str | None
) -> int:
    """Sell everything that the desk of a deployed stack holds, and buy nothing more.

    The command sets the trading state to REDUCING, with the REASON. Then it starts a run that
    cancels the desk's open orders, including stops, and sells its holdings at market. Your own
    shares stay. If a run is under way, the command waits for it. Exit status: 0 if everything is
    sold; 1 if something is left, the run failed, or you said no; 2 for wrong usage or settings.
    """
    value = {"flatten": True} | ({"dry_run": True} if dry_run else {})
    try:
        stack = find_stack(stack_location(where))
        switch = switch_of(stack)
        dry_run = dry_run or switch.mode is TradingMode.DRY_RUN  # such a desk never sends orders
        before, now = show_state(switch)
        if not dry_run and not _reduce(switch, before, now, " ".join(reason), ask=not yes):
            return LEFT
        done = flatten_stack(
            stack,
            value,
            wait_minutes * 60,
            report=lambda line: click.echo(f"  {clean(line)}"),
            ended=lambda visit: click.echo(line_of(visit)),
        )
    except KeyboardInterrupt:
        click.echo(
            "algo-trader: interrupted; if an execution was started, it continues, and so do its "
            "orders",
            err=True,
        )
        return INTERRUPTED
    return _report(done, dry_run=dry_run)


def _reduce(
    switch: StackSwitch, before: str | None, now: TradingState | None, reason: str, *, ask: bool
) -> bool:
    """Confirm, set the state to REDUCING, and print it; return False if the user says no."""
    money = "real money" if switch.mode is TradingMode.LIVE else "play money"
    what = f"everything that the desk of {switch.stack} holds"
    if ask:
        if now is TradingState.HALTED:
            click.echo(
                "The desk is halted. To let it sell, the command sets its state to REDUCING."
            )
        unasked = f"{what} would be sold at market ({money})"
        if not confirm(f"Sell at market {what} ({money})?", unasked):
            click.echo("  after   unchanged, and nothing was sold")
            return False
    text = format_state(TradingState.REDUCING, f"flatten: {reason}" if reason else "flatten")
    if now is TradingState.REDUCING and not reason:
        click.echo(f"  after   {clean(before)}, unchanged")
    else:
        switch.write(text)
        click.echo(f"  after   {clean(text)}")
    click.echo()
    return True


def _report(done: Flattening, *, dry_run: bool) -> int:
    if text := done.email.strip() or done.message:
        click.echo(f"\n{clean(text)}")
    if done.left:
        click.echo("\nNot sold, or unknown:")
        for line in done.left:
            click.echo(f"  {clean(line)}")
    if dry_run:
        return 0 if done.ran_through else LEFT
    if done.sold_all:
        click.echo("\nThe desk holds nothing.")
    click.echo(f"\n{paragraph(AFTERWARDS)}")
    return 0 if done.sold_all else LEFT
