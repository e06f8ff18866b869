"""Owns the stacks in the state machine's tests, with the real ASL and scripted handlers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack, Text
from local.sandbox.aws.template import read_definition, read_template
from tests.statemachine.scenarios import SCENARIOS, WITHOUT_TOPIC, Script
from tests.statemachine.walks import Definition, Walk

SCRIPTED = Path(__file__).with_name("scripted")
AT_ONCE = 8
REPORT_SECONDS = 10
NO_TOPIC = "arn:aws:sns:us-east-1:000000000000:no-such-topic"


@pytest.fixture(scope="session")
def definition() -> Definition:
    return read_definition(read_template())


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield aws


@pytest.fixture(scope="session")
def stack(aws: EmbeddedAws) -> Stack:
    return aws.deploy("scripted", {}, SCRIPTED)


@pytest.fixture(scope="session")
def stack_without_topic(aws: EmbeddedAws) -> Stack:
    """Return a stack whose state machine has no topic; the rule still has one."""

    def rewrite(template: dict[str, Any]) -> dict[str, Any]:
        machine = template["Resources"]["TradingDay"]["Properties"]
        machine["DefinitionSubstitutions"] = {
            **machine["DefinitionSubstitutions"],
            "TopicArn": NO_TOPIC,
        }
        return template

    return aws.deploy("without-topic", {}, SCRIPTED, rewrite=rewrite)


def walk(stack: Stack, value: Any) -> Walk:
    """Run an execution to its end."""
    arn = stack.start(value)
    end = stack.wait(arn)
    return Walk(
        arn=arn,
        status=end["status"],
        error=end.get("error"),
        cause=end.get("cause"),
        output=json.loads(end["output"]) if end["status"] == "SUCCEEDED" else None,
        history=stack.history(arn),
    )


def walk_all(stack: Stack, scripts: Mapping[str, Script]) -> dict[str, Walk]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {
            name: pool.submit(walk, stack, {"script": script}) for name, script in scripts.items()
        }
        return {name: future.result() for name, future in started.items()}


def reported(stack: Stack, phrase: str) -> Text:
    """Wait for the one text with a phrase; the rule publishes a moment after the run's end."""
    until = time.monotonic() + REPORT_SECONDS
    while not (texts := [text for text in stack.texts() if phrase in text.sms]):
        assert time.monotonic() < until, f"nobody reported {phrase!r}"
        time.sleep(0.02)
    (text,) = texts
    return text


@pytest.fixture(scope="session")
def walks(stack: Stack) -> dict[str, Walk]:
    return walk_all(stack, SCENARIOS)


@pytest.fixture(scope="session")
def walks_without_topic(stack_without_topic: Stack) -> dict[str, Walk]:
    return walk_all(stack_without_topic, WITHOUT_TOPIC)
