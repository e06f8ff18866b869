"""Owns `algo-trader halt`, `reduce` and `resume`: the kill switch of a deployed stack."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from algotrader.model import TradingState
from algotrader.risk.trading_state import effective_state
from local.cli.console import clean, paragraph
from local.cli.stack_options import confirm_if_live, stack_location, stack_options, stack_title
from local.ops.stack import AwsProblem, find_stack
from local.ops.trading_state import StackSwitch, format_state, switch_of

NOT_CHANGED = 1
MEANING = {
    "HALTED": """
        A run under way sends nothing more from its next call on, after at most 30 s of waiting, and
        cancels the desk's open buys; its open sells stay. Later runs send nothing: they deny every
        order with TRADING_HALTED. If no run is under way, nothing happens until the next one. If
        the last text message called orders unsettled, start a run by hand, or cancel them at the
        broker.""",
    "REDUCING": """
        A run under way buys nothing more from its next call on, after at most 30 s of waiting, and
        cancels the desk's open buys. It continues to sell, unless it has found a halt before. Later
        runs only sell: they deny buys with TRADING_REDUCING.""",
    "ACTIVE": """
        Later runs trade. A run under way that has found a halt stays halted, and a run that has
        ended does not start again: the desk trades at the next session, or at the next of its
        Slots.""",
}


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def halt(reason: tuple[str, ...], **where: str | None) -> None:
    """Halt the desk of a deployed stack: runs send nothing and cancel its open buys.

    The messages quote the REASON. If the desk is halted already and you give none, the old reason
    stays. Exit status: 0 if set; 1 if AWS refused; 2 for wrong usage or settings.
    """
    _set("HALTED", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def reduce(reason: tuple[str, ...], **where: str | None) -> None:
    """Let the desk of a deployed stack only sell.

    A halted desk may sell again. The messages quote the REASON. Exit status: 0 if set; 1 if AWS
    refused; 2 for wrong usage or settings.
    """
    _set("REDUCING", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")
@click.option(
    "--reset-peak", is_flag=True, help="Measure the drawdown from what the desk is worth now."
)
def resume(reason: tuple[str, ...], *, yes: bool, reset_peak: bool, **where: str | None) -> int:
    """Let the desk of a deployed stack trade again.

    The command asks first if the stack was deployed with TradingMode=live. If the desk is still
    below MaxDrawdown, its next run sets REDUCING again, unless you reset the peak. Exit status: 0
    if set; 1 if AWS refused or you said no; 2 for wrong usage or settings.
    """
    return _set("ACTIVE", reason, where, ask=not yes, reset_peak=reset_peak)


def _set(
    word: str,
    reason: tuple[str, ...],
    where: dict[str, str | None],
    *,
    ask: bool = False,
    reset_peak: bool = False,
) -> int:
    """Show the state, set it unless it is already set, and print what it means."""
    wanted = TradingState(word)
    text = format_state(wanted, " ".join(reason))
    switch = switch_of(find_stack(stack_location(where)))
    before, now = show_state(switch)
    must_ask = ask and now is not TradingState.ACTIVE
    if must_ask and not confirm_if_live("Let it trade again?", switch.stack, switch.mode):
        click.echo("  after   as before: nothing was changed")
        return NOT_CHANGED
    if reset_peak:  # first: without it a desk that trades again would stop at once
        switch.reset_peak(datetime.now(UTC))
        click.echo("  peak    reset: the next run uses the desk's current value as its peak")
    if before is not None and (before == text or (text == word and says(before, word))):
        click.echo(f"  after   {clean(before)}, as it was\n")
    else:
        switch.write(text)
        click.echo(f"  after   {clean(text)}\n")
    click.echo(paragraph(MEANING[word]))
    return 0


def show_state(switch: StackSwitch) -> tuple[str | None, TradingState | None]:
    """Print the parameter's text, and return it with the state that a run reads from it.

    Returns
    -------
    str or None, TradingState or None
        Both None if the parameter cannot be read: the command says so, and can still halt the desk.
    """
    title = stack_title(switch.stack, switch.region, switch.mode)
    click.echo(f"{title}, parameter {switch.parameter}")
    try:
        text = switch.read()
    except AwsProblem as problem:
        click.echo(f"  before  unknown: {clean(problem)}")
        return None, None
    state = effective_state(text, switch.mode)
    click.echo(f"  before  {clean(_describe(text, state))}")
    return text, state


def says(text: str, word: str) -> bool:
    """Whether a text begins with a word."""
    return text.strip().partition(" ")[0] == word


def _describe(text: str | None, state: TradingState) -> str:
    """Format the text, and what a run reads from it if that differs."""
    if text is None:
        return f"missing, which a run reads as {state.value}"
    known = says(text, state.value)
    return text if known else f"{text!r}, which a run reads as {state.value}"
