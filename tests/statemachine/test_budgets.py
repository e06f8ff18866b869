"""No retry overlaps a running attempt, and the state machine outlasts the slowest run."""

from __future__ import annotations

import importlib
import math
from typing import Any

import pytest

from algotrader.adapters import aws
from algotrader.execution.late_orders import LOOK_BACK_SECONDS, LOOK_EVERY_SECONDS
from algotrader.execution.plan import BACK_OFF_SECONDS
from algotrader.model import BOUNDS
from algotrader.session.timing import LAST_CALL, SETTLE
from local.sandbox.aws.template import read_template
from tests.statemachine.scenarios import STEPS
from tests.statemachine.walks import Definition, delays, tasks

MARGIN_SECONDS = 15
LONGEST_WAIT_SECONDS = 60
BUDGETS = {"FetchBars": "fetch_bars.opening", "SubmitOrders": "submit_orders.app"}


@pytest.fixture(scope="module")
def functions() -> dict[str, Any]:
    resources = read_template()["Resources"]
    return {
        name: each["Properties"]
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }


def state_timeout(definition: Definition, function: str) -> int:
    (seconds,) = {
        task["TimeoutSeconds"]
        for task in tasks(definition).values()
        if task["Arguments"].get("FunctionName") == f"${{{function}Function}}"
    }
    return int(seconds)


def worst(task: dict[str, Any]) -> float:
    """Return the longest possible duration of one visit of a Task, in seconds."""
    attempts = 1 + sum(rule["MaxAttempts"] for rule in task["Retry"])
    return attempts * task["TimeoutSeconds"] + sum(delays(rule) for rule in task["Retry"])


def test_a_function_is_dead_before_its_state_gives_up(
    definition: Definition, functions: dict[str, Any]
) -> None:
    assert len(functions) == len(STEPS)
    for name, function in functions.items():
        assert state_timeout(definition, name) - function["Timeout"] >= MARGIN_SECONDS, name


@pytest.mark.parametrize(("name", "module"), BUDGETS.items())
def test_the_calls_to_the_broker_end_before_the_function_does(
    functions: dict[str, Any], name: str, module: str
) -> None:
    budget = importlib.import_module(module).HTTP_BUDGET_SECONDS
    assert functions[name]["Timeout"] - budget >= MARGIN_SECONDS


def test_no_call_sends_longer_than_the_rest_of_the_code_expects(
    functions: dict[str, Any],
) -> None:
    assert functions["SubmitOrders"]["Timeout"] == LAST_CALL.total_seconds()


def test_one_call_to_aws_ends_before_any_function_does(functions: dict[str, Any]) -> None:
    worst_call = aws.ATTEMPTS * (aws.CONNECT_TIMEOUT_SECONDS + aws.READ_TIMEOUT_SECONDS)
    assert all(function["Timeout"] > worst_call for function in functions.values())


def test_the_machine_outlives_all_retries_and_the_longest_fill_loop(definition: Definition) -> None:
    states = tasks(definition)
    submit = worst(states["Submit Orders"])
    # One call may begin just before the deadline, one cancels after the deadline, and one gives up.
    # The search for late orders begins a second later. Its last call may find an order, which one
    # more call then cancels.
    looks = 1 + math.ceil(LOOK_BACK_SECONDS / LOOK_EVERY_SECONDS)
    calls = 3 + looks + 1
    waits = SETTLE.total_seconds() + LOOK_BACK_SECONDS + LONGEST_WAIT_SECONDS
    loop = BOUNDS["run_deadline_seconds"].highest + waits + calls * submit
    others = sum(worst(task) for name, task in states.items() if name != "Submit Orders")
    assert others + loop < definition["TimeoutSeconds"]


def test_no_wait_that_a_run_needs_is_cut_short() -> None:
    assert max(LOOK_EVERY_SECONDS, *BACK_OFF_SECONDS) <= LONGEST_WAIT_SECONDS


def test_fills_are_waited_for_in_bounded_steps(definition: Definition) -> None:
    seconds = definition["States"]["Submit Orders"]["Output"]["wait_seconds"]
    assert seconds == (
        f"{{% $min([{LONGEST_WAIT_SECONDS}, "
        "$max([0, $floor($states.result.Payload.wait_seconds)])]) %}"
    )
