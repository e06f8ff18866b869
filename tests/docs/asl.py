"""Owns how the tests read the state machine and the template, to check the pages against them."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from tests.support.checkout import CHECKOUT


@cache
def machine() -> dict[str, Any]:
    text = (CHECKOUT / "statemachine" / "trading.asl.yaml").read_text(encoding="utf-8")
    definition: dict[str, Any] = yaml.safe_load(text)
    return definition


@cache
def template() -> dict[str, Any]:
    """Read the template, with CloudFormation's short tags replaced by plain values."""
    document: dict[str, Any] = yaml.load(
        (CHECKOUT / "template.yaml").read_text(encoding="utf-8"),
        Loader=_Loader,  # noqa: S506 - a SafeLoader
    )
    return document


def function_tasks() -> dict[str, dict[str, Any]]:
    """Return the states that invoke a function, by name."""
    return {
        name: state
        for name, state in machine()["States"].items()
        if state["Type"] == "Task" and "lambda" in state["Resource"]
    }


def function_of(state: dict[str, Any]) -> str:
    """Return the logical id of the function that a Task invokes."""
    reference = state["Arguments"]["FunctionName"]
    return str(reference).removeprefix("${").removesuffix("Function}")


def transitions() -> set[tuple[str, str]]:
    """Return every transition between states: Next, Choices, Default and Catch."""
    found = set()
    for name, state in machine()["States"].items():
        ways = [state, *state.get("Choices", ()), *state.get("Catch", ())]
        targets = {each["Next"] for each in ways if "Next" in each}
        if "Default" in state:
            targets.add(state["Default"])
        found |= {(name, target) for target in targets}
    return found


class _Loader(yaml.SafeLoader):
    pass


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _plain)
