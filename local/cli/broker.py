"""Owns `algo-trader broker`: run only the paper broker until Ctrl-C."""

from __future__ import annotations

import threading
from datetime import date

import click

from local.cli.options import faults_option, session_option, synthetic_option
from local.cli.trading import REAL_TIME, check_faults
from local.paper_broker import PaperBrokerProcess
from local.sandbox.runner.inputs import BELL
from local.sandbox.runner.sessions import choose_sessions, session_after

MAX_PORT = 65535


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, MAX_PORT),
    default=0,
    metavar="PORT",
    help="The port to listen on at 127.0.0.1; default: a free one.",
)
@session_option("The day to start on, YYYY-MM-DD, at 09:35 New York time.")
@click.option(
    "--clock-scale",
    type=click.FloatRange(min=0, min_open=True),
    default=REAL_TIME,
    show_default=True,
    metavar="X",
    help="How many seconds pass at the broker in one real second.",
)
@click.option(
    "--moving-prices",
    is_flag=True,
    help="Let the latest price follow synthetic minutes during a session.",
)
@faults_option
@synthetic_option
def broker(
    port: int,
    session: date | None,
    clock_scale: float,
    moving_prices: bool,
    faults: str,
    synthetic: int,
) -> None:
    """Run only the paper broker: Alpaca's REST API with historical bars."""
    check_faults(faults, built_in=True)
    with PaperBrokerProcess(
        port=port,
        clock_scale=clock_scale,
        moving_prices=moving_prices,
        faults=faults,
        synthetic=synthetic,
    ) as process:
        known = process.sessions()
        day = choose_sessions(known, session, 1)[0]
        process.open_session(day, BELL)
        click.echo(
            f"{process.url} serves the market of {day}, {BELL} New York time. Ctrl-C stops it.\n\n"
            "Move it to a later day:\n"
            f"  curl -X POST {process.url}/_paper/session "
            f'-d \'{{"date": "{session_after(known, day)}", "time": "{BELL}"}}\'\n'
            "Trade with it:\n"
            f"  algo-trader run --broker-url {process.url}"
        )
        threading.Event().wait()
