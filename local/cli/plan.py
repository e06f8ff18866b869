"""Owns `algo-trader plan`: show today's orders with their reasons, and send none."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from local.cli.decision_tables import print_plan
from local.cli.options import (
    broker_options,
    files_option,
    json_option,
    parameter_option,
    session_option,
    synthetic_option,
)
from local.cli.trading import desk_plan, trade


@click.command()
@session_option("The day to plan, YYYY-MM-DD.")
@parameter_option
@broker_options(
    "Plan for the account at a broker with Alpaca's API.",
    "Plan for your own Alpaca paper account.",
)
@synthetic_option
@files_option
@json_option
def plan(session: date | None, as_json: bool, **broker: Any) -> int:
    """Show what the desk would trade and why, and send nothing.

    The command starts a dry run of the real state machine and functions, up to the decision. Exit
    status: 0 if decided; 1 if the run failed; 2 for wrong usage or configuration.
    """
    setup = desk_plan(sets_the_clock=session is not None, **broker)
    return trade(setup, session, None, {"dry_run": True}, as_json=as_json, print_one=print_plan)
