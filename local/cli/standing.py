"""Owns how the kill switch of a deployed stack is shown as it stands, before it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from algotrader.model import TradingState
    from local.ops.trading_state import StackSwitch


def show_state(switch: StackSwitch) -> tuple[str | None, TradingState | None]:
    """Print what stands there, and give it with the state that a run takes it for.

    Returns
    -------
    str or None, TradingState or None
        Both None where it cannot be read: that is said, and no reason to leave a desk running.
    """
    from algotrader.risk.trading_state import effective_state  # noqa: PLC0415
    from local.cli.console import clean  # noqa: PLC0415
    from local.cli.stack_options import stack_title  # noqa: PLC0415
    from local.ops.stack import AwsProblem  # noqa: PLC0415

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
