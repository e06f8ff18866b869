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
        From its next call on, after at most 30 s of waiting, a run under way sends nothing more. It
        cancels the desk's open buys, and leaves its open sells. Later runs send nothing, because
        they deny every order with TRADING_HALTED. If no run is under way, nothing happens until the
        next one. If the last text message reported unsettled orders, start a run by hand, or cancel
        the orders at the broker.""",
    "REDUCING": """
        From its next call on, after at most 30 s of waiting, a run under way buys nothing more and
        cancels the desk's open buys. It continues to sell, unless it has already found the desk
        halted. Later runs only sell, because they deny buys with TRADING_REDUCING.""",
    "ACTIVE": """
        Later runs trade. A run under way that has found the desk halted stays halted, and a run
        that has ended does not start again. So the desk trades again in its next slot or
        session.""",
}


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def halt(reason: tuple[str, ...], **where: str | None) -> None:
    """Halt the desk of a deployed stack: runs send nothing and cancel its open buys.

    The messages quote the REASON. Without a REASON, a desk that is already halted keeps its old
    one. Exit status: 0 if set; 1 if AWS refused; 2 for wrong usage or settings.
    """
    _set("HALTED", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def reduce(reason: tuple[str, ...], **where: str | None) -> None:
    """Let the desk of a deployed stack only sell.

    This also lets a halted desk sell again. The messages quote the REASON. Exit status: 0 if set; 1
    if AWS refused; 2 for wrong usage or settings.
    """
    _set("REDUCING", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")
@click.option(
    "--reset-peak", is_flag=True, help="Make the desk's value at its next run the new peak."
)
def resume(reason: tuple[str, ...], *, yes: bool, reset_peak: bool, **where: str | None) -> int:
    """Let the desk of a deployed stack trade again.

    If the stack was deployed with TradingMode=live, the command asks first. If the desk's drawdown
    still exceeds MaxDrawdown, its next run sets REDUCING again, unless you reset the peak. Exit
    status: 0 if set; 1 if AWS refused or you said no; 2 for wrong usage or settings.
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
    """Print the state, change it if needed, and print what the new state means."""
    wanted = TradingState(word)
    text = format_state(wanted, " ".join(reason))
    switch = switch_of(find_stack(stack_location(where)))
    before, now = show_state(switch)
    must_ask = ask and now is not TradingState.ACTIVE
    if must_ask and not confirm_if_live("Let it trade again?", switch.stack, switch.mode):
        click.echo("  after   unchanged")
        return NOT_CHANGED
    if reset_peak:  # first, because the old peak could stop the desk again
        switch.reset_peak(datetime.now(UTC))
        click.echo("  peak    reset: the desk's value at its next run becomes the new peak")
    if before is not None and (before == text or (text == word and says(before, word))):
        click.echo(f"  after   {clean(before)}, unchanged\n")
    else:
        switch.write(text)
        click.echo(f"  after   {clean(text)}\n")
    click.echo(paragraph(MEANING[word]))
    return 0


def show_state(switch: StackSwitch) -> tuple[str | None, TradingState | None]:
    """Print the parameter's text; return the text and the state that it means to a run.

    Returns
    -------
    str or None, TradingState or None
        Both None if the parameter cannot be read, because the command can still halt the desk.
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
    """Return whether a text's first word is the given one."""
    return text.strip().partition(" ")[0] == word


def _describe(text: str | None, state: TradingState) -> str:
    """Format the text; if it does not name the state, add the state that a run takes it for."""
    if text is None:
        return f"missing, which a run treats as {state.value}"
    return text if says(text, state.value) else f"{text!r}, which a run treats as {state.value}"
