"""Owns `algo-trader run`: trade one day or several, up to the text message."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from local.cli.options import (
    broker_options,
    faults_option,
    files_option,
    json_option,
    parameter_option,
    session_option,
    synthetic_option,
)
from local.cli.tables import print_day
from local.cli.trading import desk_plan, trade
from local.sandbox.runner.inputs import read_input


@click.command()
@session_option("The day to trade, YYYY-MM-DD; a weekend or holiday ends as Market Closed.")
@click.option(
    "--sessions",
    "count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Trade N sessions in a row with the same account.",
)
@click.option(
    "--input",
    "input_text",
    default="{}",
    metavar="JSON|FILE",
    help="The execution's input, such as '{\"dry_run\": true}', or a file: @events/….json.",
)
@parameter_option
@broker_options("Trade at a broker with Alpaca's API.", "Trade your own Alpaca paper account.")
@faults_option
@synthetic_option
@files_option
@json_option
def run(
    session: date | None, count: int | None, input_text: str, as_json: bool, **broker: Any
) -> int:
    """Trade a day on this machine and show what happened.

    Exit status: 0 if the run succeeded; 1 if it failed; 2 for wrong usage or configuration.
    """
    several = (count or 1) > 1
    plan = desk_plan(sets_the_clock=session is not None or several, **broker)
    value = read_input(input_text)
    return trade(plan, session, count, value, as_json=as_json, print_one=print_day)
