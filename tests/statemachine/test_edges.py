"""The scenarios walk every edge of the state machine, and each edge leads to the right state."""

from __future__ import annotations

import json

import pytest

from local.sandbox.aws import Stack
from tests.statemachine.conftest import reported, walk
from tests.statemachine.scenarios import LEAVES, RETRIED, STEPS
from tests.statemachine.walks import Definition, Walk, edges_of, walked_by

FAILED = ["Notify Failure", "Run Failed"]
HAPPY = [
    "Start Run",
    "Fetch Bars",
    "Market Open?",
    "Compute Indicators",
    "Decide Orders",
    "Any Orders?",
    "Submit Orders",
    "Orders Complete?",
    "Notify",
    "Run Succeeded",
]


def test_every_edge_of_the_state_machine_is_walked(
    definition: Definition, walks: dict[str, Walk], walks_without_topic: dict[str, Walk]
) -> None:
    walked = {
        edge
        for walk in [*walks.values(), *walks_without_topic.values()]
        for edge in walked_by(definition, walk.history)
    }
    drawn = edges_of(definition)
    assert drawn - walked == set()
    assert walked - drawn == set()


def test_every_state_is_entered(definition: Definition, walks: dict[str, Walk]) -> None:
    entered = {state for walk in walks.values() for state in walk.states}
    assert entered == set(definition["States"])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("leaf", [*LEAVES, "SomethingElse"])
def test_an_error_of_a_step_fails_the_run_under_its_own_name(
    walks: dict[str, Walk], step: str, leaf: str
) -> None:
    walk = walks[f"{step}: {leaf}"]
    failure = json.loads(walk.results("Notify Failure")[0]["email"])["failure"]
    assert (walk.status, walk.error) == ("FAILED", leaf)
    assert walk.states[-3:] == [step, *FAILED]
    assert (failure["state"], failure["error"]) == (step, leaf)
    assert json.loads(failure["cause"])["errorMessage"] == "scripted"


@pytest.mark.parametrize("step", STEPS)
def test_a_state_retries_a_transient_error_and_the_run_continues(
    walks: dict[str, Walk], step: str
) -> None:
    walk = walks["each retry once"]
    assert walk.status == "SUCCEEDED"
    assert walk.states == HAPPY
    assert walk.failures(step) == RETRIED[step]


def test_the_report_of_a_failure_is_retried_too(walks: dict[str, Walk]) -> None:
    walk = walks["each retry once, failing"]
    assert walk.failures("Notify Failure") == RETRIED["Notify Failure"]
    assert walk.error == "StaleBarsError"


@pytest.mark.parametrize(
    ("step", "attempts"),
    [("Fetch Bars", 5), ("Submit Orders", 7), ("Compute Indicators", 1), ("Decide Orders", 1)],
)
def test_a_broker_that_stays_away_ends_the_retries(
    walks: dict[str, Walk], step: str, attempts: int
) -> None:
    walk = walks[f"{step}: BrokerUnavailableError"]
    assert walk.failures(step) == ["BrokerUnavailableError"] * attempts


def test_a_trading_day_walks_the_steps_in_order(walks: dict[str, Walk]) -> None:
    assert walks["happy"].states == HAPPY
    assert walks["happy"].output == {"sms": "sent", "subject": "a run"}


@pytest.mark.parametrize(
    ("scenario", "state", "message"),
    [
        ("closed", "Market Closed", "It is Sunday."),
        ("duplicate", "Duplicate Run", "Another has it."),
    ],
)
def test_a_day_without_trading_succeeds_and_says_why(
    walks: dict[str, Walk], scenario: str, state: str, message: str
) -> None:
    walk = walks[scenario]
    assert walk.states == ["Start Run", "Fetch Bars", "Market Open?", state]
    assert walk.output["message"] == message


def test_a_report_goes_straight_to_the_text(walks: dict[str, Walk]) -> None:
    assert walks["report"].states[3:] == ["Notify", "Run Succeeded"]


def test_a_report_that_cancels_stops_goes_to_the_decision(walks: dict[str, Walk]) -> None:
    walk = walks["report that cancels stops"]
    assert walk.states[3:] == ["Decide Orders", *HAPPY[5:]]
    assert walk.status == "SUCCEEDED"


def test_a_flatten_goes_to_the_decision_without_indicators(walks: dict[str, Walk]) -> None:
    walk = walks["flatten"]
    assert walk.states[3:] == ["Decide Orders", *HAPPY[5:]]
    assert walk.status == "SUCCEEDED"


def test_a_run_without_orders_leaves_the_broker_alone(walks: dict[str, Walk]) -> None:
    assert "Submit Orders" not in walks["no orders"].states
    assert walks["no orders"].status == "SUCCEEDED"


def test_fills_are_waited_for_and_each_plan_is_handed_to_the_next_call(
    walks: dict[str, Walk],
) -> None:
    walk = walks["slow fills"]
    plans = [result["plan"]["inline"]["sequence"] for result in walk.results("Submit Orders")]
    assert plans == [1, 2, 3, 4, 5, 6]
    assert walk.states.count("Wait For Fills") == 5
    assert walk.status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("scenario", "state"),
    [
        ("odd outcome of Fetch Bars", "Market Open?"),
        ("odd outcome of Decide Orders", "Any Orders?"),
        ("odd outcome of Submit Orders", "Orders Complete?"),
    ],
)
def test_an_outcome_that_nobody_knows_fails_the_run(
    walks: dict[str, Walk], scenario: str, state: str
) -> None:
    walk = walks[scenario]
    assert walk.states[-3:] == [state, *FAILED]
    assert walk.error == "UnexpectedOutcome"


def test_a_direct_publish_reports_the_failure_if_notify_is_broken(
    stack: Stack, walks: dict[str, Walk]
) -> None:
    walk = walks["Notify broken"]
    assert walk.states[-4:] == ["Notify", "Notify Failure", "Publish Failure", "Run Failed"]
    assert walk.error == "Boom"
    text = reported(stack, "run FAILED in Notify: Boom")
    assert text.subject.isascii()
    assert len(text.subject) < 100
    assert len(text.sms) <= 160


def test_the_direct_publish_reports_the_first_failure(stack: Stack, walks: dict[str, Walk]) -> None:
    assert walks["Notify broken by a leaf"].error == "BrokerAuthError"
    assert reported(stack, "run FAILED in Fetch Bars: BrokerAuthError")


def test_the_rule_reports_a_failure_that_nothing_else_could_report(
    stack_without_topic: Stack, walks_without_topic: dict[str, Walk]
) -> None:
    walk = walks_without_topic["no way left to report"]
    assert walk.states[-2:] == ["Publish Failure", "Run Failed"]
    assert walk.error == "StrategyError"
    assert walk.cause is not None
    assert walk.cause.startswith("NOT REPORTED: ")
    name = walk.arn.rpartition(":")[2]
    phrase = f"run {name} of without-topic ended FAILED (error: StrategyError)"
    assert reported(stack_without_topic, phrase)


def test_the_rule_does_not_repeat_a_reported_failure(stack: Stack, walks: dict[str, Walk]) -> None:
    name = walks["Fetch Bars: StaleBarsError"].arn.rpartition(":")[2]
    assert not any(name in text.sms for text in stack.texts())


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"Comment": "Insert your JSON here"},
        [1, 2],
        [],
        [[1]],
        [{}],
        "abc",
        "",
        5,
        0,
        1.5,
        None,
        True,
        {"symbols": ["AAPL"], "nested": [[], {}, None]},
        "{% $states.input %}",
        "Grüße €",
    ],
)
def test_any_input_reaches_fetch_bars_and_notify_untouched(stack: Stack, value: object) -> None:
    done = walk(stack, value)
    assert done.status == "SUCCEEDED"
    assert json.loads(done.results("Fetch Bars")[0]["message"]) == value
    assert json.loads(done.results("Notify")[0]["email"])["input"] == value
