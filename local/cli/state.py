"""Owns `algo-trader halt`, `reduce` and `resume`: the kill switch of a deployed stack."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from algotrader.model import TradingMode, TradingState
from algotrader.risk.trading_state import effective_state
from local.cli.console import clean
from local.cli.stack_options import (
    confirm,
    stack_location,
    stack_options,
    stack_title,
    trades_real_money,
)
from local.ops.stack import AwsProblem
from local.ops.trading_state import StackSwitch, find_switch, format_state

NOT_CHANGED = 1
MEANING = {
    "HALTED": """\
A run under way sends nothing more from its next call on, at most 30 s of waiting away, and cancels
the desk's open buys; sells that are open stay. Later runs send nothing: every order is denied with
TRADING_HALTED. With no run under way nothing acts on it before the next one: orders that the last
text called unsettled are canceled by a run started by hand, or at the broker.""",
    "REDUCING": """\
A run under way buys nothing more from its next call on, at most 30 s of waiting away, and cancels
the desk's open buys; it goes on selling, unless it has met a halt before. Later runs sell only:
buys are denied with TRADING_REDUCING.""",
    "ACTIVE": """\
Later runs trade. A run under way that has met a halt keeps to it, and one that has ended is done:
the next trade is at the next session's bell, or at the next of its Slots.""",
}


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def halt(reason: tuple[str, ...], **where: str | None) -> None:
    """Halt the desk of a deployed stack: runs send nothing and cancel its open buys.

    The REASON is kept beside the state, and the texts quote it. Halting a halted desk without one
    keeps the reason that is there. Exit status: 0 set, 1 AWS refused, 2 wrong usage or settings.
    """
    _set("HALTED", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
def reduce(reason: tuple[str, ...], **where: str | None) -> None:
    """Let the desk of a deployed stack sell, and buy no more.

    On a halted desk this permits sells again. The REASON is kept beside the state, and the texts
    quote it. Exit status: 0 set, 1 AWS refused, 2 wrong usage or settings.
    """
    _set("REDUCING", reason, where)


@click.command()
@click.argument("reason", nargs=-1)
@stack_options
@click.option("--yes", is_flag=True, help="Do not ask, also where real money is traded.")
@click.option(
    "--reset-peak", is_flag=True, help="Count the drawdown from what the desk is worth now."
)
def resume(reason: tuple[str, ...], *, yes: bool, reset_peak: bool, **where: str | None) -> int:
    """Let the desk of a deployed stack trade again.

    For a stack that was deployed with TradingMode=live you are asked first. A desk that is still
    below MaxDrawdown sets itself to REDUCING again at its next run, unless its peak is reset. Exit
    status: 0 set, 1 AWS refused or you said no, 2 wrong usage or settings.
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
    """Show the state, set it unless it is so already, and say what that means."""
    wanted = TradingState(word)
    text = format_state(wanted, " ".join(reason))
    try:
        switch = find_switch(stack_location(where))
        before, now = show_state(switch)
        must_ask = ask and switch.mode is TradingMode.LIVE and now is not TradingState.ACTIVE
        if must_ask and not confirm(
            "This stack trades real money. Let it trade again?", trades_real_money(switch.stack)
        ):
            click.echo("  after   as before: nothing was changed")
            return NOT_CHANGED
        if reset_peak:  # first: a desk that trades again without it would stop at once
            switch.reset_peak(datetime.now(UTC))
            click.echo("  peak    reset: the next run takes what the desk then is for its peak")
        if before is not None and (before == text or (text == word and says(before, word))):
            click.echo(f"  after   {clean(before)}, as it was\n")
        else:
            switch.write(text)
            click.echo(f"  after   {clean(text)}\n")
    except AwsProblem as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(MEANING[word])
    return 0


def show_state(switch: StackSwitch) -> tuple[str | None, TradingState | None]:
    """Print what stands there, and give it with the state that a run takes it for.

    Returns
    -------
    str or None, TradingState or None
        Both None where it cannot be read: that is said, and no reason to leave a desk running.
    """
    title = stack_title(switch.stack, switch.region, switch.mode)
    click.echo(f"{title}, parameter {switch.parameter}")
    try:
        text = switch.read()
    except AwsProblem as problem:
        click.echo(f"  before  unknown: {clean(problem)}")
        return None, None
    state = effective_state(text, switch.mode)
    click.echo(f"  before  {clean(_spelled(text, state))}")
    return text, state


def says(text: str, word: str) -> bool:
    """Whether a text begins with a word."""
    return text.strip().partition(" ")[0] == word


def _spelled(text: str | None, state: TradingState) -> str:
    """Format what stands there, and what a run takes it for where that is not what it says."""
    if text is None:
        return f"missing, which a run takes for {state.value}"
    known = says(text, state.value)
    return text if known else f"{text!r}, which a run takes for {state.value}"
