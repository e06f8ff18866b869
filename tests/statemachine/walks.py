"""Owns the edges of a state machine, and the edges that an execution's history walked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

ALL = "States.ALL"
OUTCOME = re.compile(r"\{% \$states\.input\.outcome = '([A-Z_]+)' %\}")

Definition = Mapping[str, Any]


class Edge(NamedTuple):
    """A transition out of a state or a retry of it; ``label`` is an error's name or an outcome."""

    state: str
    kind: str
    label: str
    target: str


@dataclass(frozen=True, slots=True)
class Walk:
    """The end and the history of one execution."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    output: Any
    history: list[dict[str, Any]]

    @property
    def states(self) -> list[str]:
        """The entered states, in order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.history
            if event["type"].endswith("StateEntered")
        ]

    def results(self, state: str) -> list[Any]:
        """Return what a state's function returned in each call."""
        outputs = [
            json.loads(event["taskSucceededEventDetails"]["output"])
            for event in self._events_in(state, "TaskSucceeded")
        ]
        return [output.get("Payload", output) for output in outputs]

    def failures(self, state: str) -> list[str]:
        """Return a state's errors, one for each failed attempt."""
        failed = self._events_in(state, "TaskFailed")
        return [event["taskFailedEventDetails"]["error"] for event in failed]

    def _events_in(self, state: str, kind: str) -> Iterator[dict[str, Any]]:
        current = ""
        for event in self.history:
            if event["type"].endswith("StateEntered"):
                current = event["stateEnteredEventDetails"]["name"]
            elif event["type"] == kind and current == state:
                yield event


def edges_of(definition: Definition) -> set[Edge]:
    """Return every edge of a state machine."""
    return {edge for name, state in definition["States"].items() for edge in _edges(name, state)}


def _edges(name: str, state: Mapping[str, Any]) -> Iterable[Edge]:
    for retrier in state.get("Retry", []):
        for error in retrier["ErrorEquals"]:
            yield Edge(name, "Retry", error, name)
    for catcher in state.get("Catch", []):
        for error in catcher["ErrorEquals"]:
            yield Edge(name, "Catch", error, catcher["Next"])
    for choice in state.get("Choices", []):
        yield Edge(name, "Choice", _outcome(choice), choice["Next"])
    if "Default" in state:
        yield Edge(name, "Default", "", state["Default"])
    if "Next" in state:
        yield Edge(name, "Next", "", state["Next"])


def walked_by(definition: Definition, history: Iterable[Mapping[str, Any]]) -> set[Edge]:
    """Return the edges in an execution's history."""
    walked: set[Edge] = set()
    name, value, error = "", None, ""
    for event in history:
        kind = event["type"]
        if kind == "TaskFailed":
            error = event["taskFailedEventDetails"]["error"]
        elif kind == "TaskScheduled" and error:
            label = _matched(definition["States"][name]["Retry"], error)
            walked.add(Edge(name, "Retry", label, name))
            error = ""
        elif kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            if name:
                target = details["name"]
                walked.add(_left(name, definition["States"][name], value, error, target))
            name, value, error = details["name"], json.loads(details["input"]), ""
    return walked


def _left(name: str, state: Mapping[str, Any], value: Any, error: str, target: str) -> Edge:
    if error:
        return Edge(name, "Catch", _matched(state["Catch"], error), target)
    if state["Type"] != "Choice":
        return Edge(name, "Next", "", target)
    outcomes = [_outcome(choice) for choice in state["Choices"]]
    if value["outcome"] in outcomes:
        return Edge(name, "Choice", value["outcome"], target)
    return Edge(name, "Default", "", target)


def _matched(rules: Iterable[Mapping[str, Any]], error: str) -> str:
    """Return the name with which the first matching rule catches an error."""
    for rule in rules:
        if error in rule["ErrorEquals"]:
            return error
        if ALL in rule["ErrorEquals"]:
            return ALL
    message = f"no rule takes {error}"
    raise AssertionError(message)


def _outcome(choice: Mapping[str, Any]) -> str:
    match = OUTCOME.fullmatch(choice["Condition"])
    assert match is not None, choice["Condition"]
    return match[1]


def tasks(definition: Definition) -> dict[str, Any]:
    return {name: each for name, each in definition["States"].items() if each["Type"] == "Task"}


def delays(rule: dict[str, Any]) -> float:
    """Sum the longest delays of a retrier, in seconds."""
    return sum(
        min(rule["IntervalSeconds"] * rule["BackoffRate"] ** n, rule["MaxDelaySeconds"])
        for n in range(rule["MaxAttempts"])
    )
