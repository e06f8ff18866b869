"""Owns `algo-trader up`: run the whole desk on this machine until Ctrl-C."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from local.aws_clients import REGION
from local.cli.console import make_console
from local.cli.container_host import ContainerHost, container_host
from local.cli.options import files_option, parameter_option, session_option, synthetic_option
from local.cli.trading import REAL_TIME
from local.sandbox.aws.template import CHECKOUT
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.sample_data import local_defaults
from local.sandbox.runner.sessions import choose_sessions, session_after
from local.sandbox.runner.template import read_overrides
from local.server_process import LOOPBACK

NO_CONTAINERS = "Containers cannot reach it. For sam local invoke: algo-trader up --host docker"
# Each function's logical id in template.yaml, and its step.
STEPS = {
    "FetchBars": "fetch_bars",
    "ComputeIndicators": "compute_indicators",
    "DecideOrders": "decide_orders",
    "SubmitOrders": "submit_orders",
    "Notify": "notify",
}


@click.command()
@session_option("The day on which the paper broker starts, YYYY-MM-DD.")
@parameter_option
@synthetic_option
@files_option
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on; docker: one that containers reach, for sam local invoke.",
)
def up(
    session: date | None, pairs: tuple[str, ...], synthetic: int, files: Path | None, host: str
) -> None:
    """Deploy into an embedded AWS with a paper broker, and stay up until Ctrl-C.

    Waits and the broker's clock run in real time.
    """
    reach = container_host(host)
    plan = LocalDeskConfig(
        broker=None,
        parameters=local_defaults(synthetic) | read_overrides(pairs),
        synthetic=synthetic,
        files=files,
        wait_scale=REAL_TIME,
        host=reach.address,
        # sam gives a container the user's own keys, not the function role's
        enforce_iam=host == LOOPBACK,
    )
    make_console(stderr=True).print("Starting the broker and the embedded AWS")
    with open_desk(plan) as desk, TemporaryDirectory(prefix="algo-trader-up-") as folder:
        known = desk.sessions()
        day = choose_sessions(known, session, 1)[0]
        desk.ring(day, {})
        variables = Path(folder, "env.json")
        variables.write_text(json.dumps(function_variables(desk, reach)), encoding="utf-8")
        reached = directions(desk, day, session_after(known, day))
        invoking = NO_CONTAINERS if host == LOOPBACK else invocations(variables)
        click.echo(f"{reached}\n{invoking}\n\nCtrl-C stops everything.")
        threading.Event().wait()


def function_variables(desk: LocalDesk, reach: ContainerHost) -> dict[str, dict[str, str]]:
    """Return each function's environment variables, for ``sam local invoke``."""
    functions = desk.aws.client("lambda")
    variables = {}
    for logical_id, step in STEPS.items():
        name = f"{desk.stack.name}-{step.replace('_', '-')}"
        configuration = functions.get_function_configuration(FunctionName=name)
        own: dict[str, str] = configuration["Environment"]["Variables"]
        endpoint = {"AWS_ENDPOINT_URL": desk.aws.endpoint_url}
        variables[logical_id] = reach.seen_from_inside(own | endpoint)
    return variables


def sample_event(step: str) -> str:
    """Return the path of a step's first sample event, relative to the checkout."""
    found = sorted(path.name for path in Path(CHECKOUT, "events", step).glob("*.json"))
    return f"events/{step}/{found[0] if found else '<case>.json'}"


def invocations(variables: Path) -> str:
    """Return the commands that run each step's image on a sample event."""
    lines = (
        f"  sam local invoke {logical_id} --event {sample_event(step)} --env-vars {variables}"
        for logical_id, step in STEPS.items()
    )
    return "\n".join(["Run one step in its image after sam build:", *lines])


def directions(desk: LocalDesk, day: date, later: date) -> str:
    """Return commands for this desk, ready to copy into another shell."""
    machine = desk.stack.state_machine_arn
    return f"""\
The paper broker is at {day}, 09:35 New York time:
  {desk.broker.look_url}
The embedded AWS:
  export AWS_ENDPOINT_URL={desk.aws.endpoint_url}
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={REGION}
The state machine, and the bucket of the desk:
  {machine}
  {desk.stack.bucket}

Trade a day:
  aws stepfunctions start-execution --state-machine-arn {machine} --input '{{}}'
  aws stepfunctions list-executions --state-machine-arn {machine}
Move the broker to a later day, in New York time:
  curl -X POST {desk.broker.look_url}/_paper/session -d '{{"date": "{later}", "time": "09:35"}}'
Give the strategy a file, or a new version of it:
  aws s3 cp own_model.json s3://{desk.stack.bucket}/strategies/own_model.json
Halt the desk, let it only sell, or let it trade again:
  .venv/bin/algo-trader halt --endpoint-url {desk.aws.endpoint_url}
  .venv/bin/algo-trader reduce --endpoint-url {desk.aws.endpoint_url}
  .venv/bin/algo-trader resume --endpoint-url {desk.aws.endpoint_url}
Sell everything that the desk holds, and buy nothing more:
  .venv/bin/algo-trader flatten --endpoint-url {desk.aws.endpoint_url}
Give the desk shares that the account holds, and take them back:
  .venv/bin/algo-trader adopt IBM 5 --endpoint-url {desk.aws.endpoint_url}
  .venv/bin/algo-trader release IBM 5 --endpoint-url {desk.aws.endpoint_url}"""
