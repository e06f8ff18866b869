"""Owns what `run` and `plan` share: the choice of a broker, the parameters, and the runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.console import make_console
from local.cli.tables import SUCCEEDED, print_days
from local.cli.timeline import TimelineView, progress_bar
from local.paper_broker.faults import parse
from local.problems import UsageProblem
from local.sandbox.runner.brokers import alpaca_paper, broker_at, refuse_live_money
from local.sandbox.runner.desk import (
    FAST_WAIT_SCALE,
    DayResult,
    LocalDesk,
    LocalDeskConfig,
    open_desk,
)
from local.sandbox.runner.sample_data import local_defaults
from local.sandbox.runner.sessions import choose_sessions
from local.sandbox.runner.template import default_of, read_overrides

FAILED_STATUS = 1
# With this scale, a dead broker fails within seconds, and retries still pause.
BROKER_URL_WAIT_SCALE = 0.2
REAL_TIME = 1.0
BUILT_IN = "built-in paper broker on historical bars"

PrintDay = Callable[["Console", dict[str, Any], str], None]


def desk_plan(
    *,
    pairs: Sequence[str],
    broker_url: str | None,
    paper: bool,
    synthetic: int,
    files: Path | None,
    faults: str = "",
    sets_the_clock: bool,
) -> LocalDeskConfig:
    """Return the local desk's configuration for a command's options.

    Parameters
    ----------
    sets_the_clock : bool
        Whether the options choose a session, which only the built-in broker can do.

    Raises
    ------
    UsageProblem
        If an option is wrong or conflicts with another, or if orders could reach a live account.
    """
    _check_broker_choice(broker_url, paper, sets_the_clock=sets_the_clock)
    parameters = read_overrides(pairs)
    broker, wait_scale = None, FAST_WAIT_SCALE
    if paper:
        broker, wait_scale = alpaca_paper(os.environ), REAL_TIME
    elif broker_url is not None:
        broker, wait_scale = broker_at(broker_url, os.environ), BROKER_URL_WAIT_SCALE
    mode = parameters.get("TradingMode", default_of("TradingMode"))
    own = broker.trading_url if broker else "http://127.0.0.1"
    refuse_live_money(mode, parameters.get("AlpacaTradingUrl", own))
    check_faults(faults, built_in=broker is None)
    if broker is None:
        parameters = local_defaults(synthetic) | parameters
    elif synthetic:
        raise UsageProblem("--synthetic works only with the built-in paper broker")
    return LocalDeskConfig(
        broker, parameters, wait_scale, faults=faults, synthetic=synthetic, files=files
    )


def _check_broker_choice(broker_url: str | None, paper: bool, *, sets_the_clock: bool) -> None:
    if paper and broker_url is not None:
        raise UsageProblem("--paper and --broker-url cannot be combined")
    if sets_the_clock and (paper or broker_url is not None):
        raise UsageProblem(
            "--session and --sessions work only with the built-in paper broker, because another "
            "broker has its own clock"
        )


def check_faults(faults: str, *, built_in: bool) -> None:
    """Refuse a fault plan that is wrong or not for the built-in broker.

    Raises
    ------
    UsageProblem
        With the wrong fault and the allowed words.
    """
    if faults and not built_in:
        raise UsageProblem("--faults works only with the built-in paper broker")
    try:
        parse(faults)
    except ValueError as error:
        raise UsageProblem(f"--faults {error}") from None


def trade(
    plan: LocalDeskConfig,
    session: date | None,
    count: int | None,
    value: Any,
    *,
    as_json: bool,
    print_one: PrintDay,
) -> int:
    """Run one session or several, print them, and return the exit status.

    Parameters
    ----------
    count : int or None
        How many sessions to run in a row. With None, run one session and print its document
        without a list.
    value : object
        The execution's input.
    print_one : callable
        Prints a single run's document and Fetch Bars' message about the session.
    """
    console = make_console(stderr=as_json)
    quiet = as_json and not console.is_terminal
    with TimelineView(console, quiet=quiet) as view:
        view.working("Starting the broker and the embedded AWS")
        with open_desk(plan) as desk:
            sessions: Sequence[date | None] = [None]
            if desk.paper_broker is not None:
                sessions = choose_sessions(desk.sessions(), session, count or 1)
            if len(sessions) == 1:
                place = plan.broker.look_url if plan.broker else BUILT_IN
                view.title(f"{sessions[0] or 'Now'}, {place}")
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
                print_one(console, days[0].document, days[0].message)
            else:
                print_days(console, [day.document for day in days])
    succeeded = all(day.document["execution"]["status"] == SUCCEEDED for day in days)
    return 0 if succeeded else FAILED_STATUS


def _several(desk: LocalDesk, sessions: Sequence[date | None], value: Any) -> list[DayResult]:
    with progress_bar(len(sessions)) as advance:
        days = []
        for session in sessions:
            days.append(desk.run(value, session))
            advance(str(session))
    return days
