"""Owns the command's values for template.yaml's parameters, and the parameters' defaults."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml

from local.problems import DeploymentProblem, UsageProblem
from local.sandbox.aws.template import check_parameters, read_template


def read_overrides(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``Key=Value`` pairs and check them against the template, as CloudFormation would.

    Raises
    ------
    UsageProblem
        If a pair has no ``=``, or if the template does not have a name or does not allow a value.
    """
    overrides: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageProblem(f"--parameter {pair}: write it as Key=Value")
        overrides[name] = value
    try:
        check_parameters(_template(), overrides)
    except DeploymentProblem as problem:
        raise UsageProblem(f"--parameter: {problem}") from problem
    return overrides


def default_of(name: str) -> str:
    """Return a parameter's default in the template, or an empty string if it has none."""
    return str(_template()["Parameters"][name].get("Default", ""))


@cache
def _template() -> dict[str, Any]:
    try:
        return read_template()
    except (OSError, yaml.YAMLError) as error:
        raise UsageProblem(f"template.yaml cannot be read: {error}") from error
