"""Owns `algo-trader run`: one trading day, or several, from the bell to the text message."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from local.cli.options import parameter_option, session_option
from local.runner.problems import UsageProblem

if TYPE_CHECKING:
    from local.runner.desk import Day, Desk, DeskPlan

SUCCEEDED = "SUCCEEDED"
FAILED_STATUS = 1
# A dead broker is given up within seconds, and a live one still gets a real pause between tries.
BROKER_URL_WAIT_SCALE = 0.2
REAL_TIME = 1.0


@click.command(short_help="Trade a day, or several, and show what happened.")
@session_option("The day to trade, YYYY-MM-DD; a weekend or holiday ends as Market Closed.")
@click.option(
    "--sessions",
    "count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Trade N sessions in a row; the account lives on from one to the next.",
)
@click.option(
    "--input",
    "input_text",
    default="{}",
    metavar="JSON|FILE",
    help="The execution's input, such as '{\"dry_run\": true}', or a file: @events/….json.",
)
@parameter_option()
@click.option("--broker-url", metavar="URL", help="Trade with a broker that speaks Alpaca's API.")
@click.option("--paper", is_flag=True, help="Trade your own Alpaca paper account.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def run(
    session: date | None,
    count: int | None,
    input_text: str,
    pairs: tuple[str, ...],
    broker_url: str | None,
    paper: bool,
    as_json: bool,
) -> int:
    """Trade a day on this machine and show what happened.

    Exit status: 0 the run succeeded, 1 it failed, 2 wrong usage or configuration.
    """
    from local.runner.inputs import read_input  # noqa: PLC0415

    if paper and broker_url is not None:
        raise UsageProblem("--paper and --broker-url exclude each other")
    own = not paper and broker_url is None
    if not own and (session is not None or (count or 1) > 1):
        raise UsageProblem(
            "--session and --sessions set the built-in paper broker's clock; with --paper or "
            "--broker-url the broker's own clock rules"
        )
    value = read_input(input_text)
    plan = _plan(broker_url, paper, pairs)
    days = _trade(plan, session, count, value, as_json)
    succeeded = all(day.document["execution"]["status"] == SUCCEEDED for day in days)
    return 0 if succeeded else FAILED_STATUS


def _plan(broker_url: str | None, paper: bool, pairs: Sequence[str]) -> DeskPlan:
    from local.runner.brokers import (  # noqa: PLC0415
        alpaca_paper,
        broker_at,
        refuse_live_money,
    )
    from local.runner.desk import FAST_WAIT_SCALE, DeskPlan  # noqa: PLC0415
    from local.runner.template import default_of, read_overrides  # noqa: PLC0415

    parameters = read_overrides(pairs)
    broker, wait_scale = None, FAST_WAIT_SCALE
    if paper:
        broker, wait_scale = alpaca_paper(os.environ), REAL_TIME
    elif broker_url is not None:
        broker, wait_scale = broker_at(broker_url, os.environ), BROKER_URL_WAIT_SCALE
    mode = parameters.get("TradingMode", default_of("TradingMode"))
    own = broker.trading_url if broker else "http://127.0.0.1"
    refuse_live_money(mode, parameters.get("AlpacaTradingUrl", own))
    return DeskPlan(broker, parameters, wait_scale)


def _trade(
    plan: DeskPlan, session: date | None, count: int | None, value: Any, as_json: bool
) -> list[Day]:
    from local.cli.console import make_console  # noqa: PLC0415
    from local.cli.tables import print_day, print_days  # noqa: PLC0415
    from local.cli.timeline import TimelineView  # noqa: PLC0415
    from local.runner.desk import open_desk  # noqa: PLC0415
    from local.runner.sessions import choose_sessions  # noqa: PLC0415

    console = make_console(stderr=as_json)
    quiet = as_json and not console.is_terminal
    with TimelineView(console, quiet=quiet) as view:
        view.working("Starting the broker and the embedded AWS")
        with open_desk(plan) as desk:
            sessions: Sequence[date | None] = [None]
            if desk.paper_broker is not None:
                sessions = choose_sessions(desk.sessions(), session, count or 1)
            if len(sessions) == 1:
                view.title(f"{sessions[0] or 'Now'}, {_name(plan)}")
                days = [desk.run(value, sessions[0], ended=view.ended, lasting=view.lasting)]
                view.stop()
            else:
                view.stop()
                days = _several(desk, sessions, value)
            if as_json:
                documents = [day.document for day in days]
                whole = documents[0] if count is None else {"runs": documents}
                click.echo(json.dumps(whole, indent=2))
            elif len(days) == 1:
                print_day(console, days[0].document, days[0].message)
            else:
                print_days(console, [day.document for day in days])
    return days


def _several(desk: Desk, sessions: Sequence[date | None], value: Any) -> list[Day]:
    from local.cli.timeline import progress_bar  # noqa: PLC0415

    with progress_bar(len(sessions)) as advance:
        days = []
        for session in sessions:
            days.append(desk.run(value, session))
            advance(str(session))
    return days


def _name(plan: DeskPlan) -> str:
    return plan.broker.look_url if plan.broker else "built-in paper broker on historical bars"
