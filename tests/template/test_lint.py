"""cfn-lint finds no problem in the template or in its state machine."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from local.sandbox.aws.template import CHECKOUT, read_definition

pytestmark = pytest.mark.asl

REGIONS = ["us-east-1"]


def problems(text: str) -> list[str]:
    matches = lint(text, config=ManualArgs(regions=REGIONS))
    return [f"{match.rule.id} {match.message}" for match in matches]


def inlined(transformed: dict[str, Any], definition: dict[str, Any]) -> str:
    """Put the definition into the template, because cfn-lint does not read it from S3."""
    native = copy.deepcopy(transformed)
    machine = native["Resources"]["TradingDay"]["Properties"]
    del machine["DefinitionS3Location"]
    machine["Definition"] = definition
    return json.dumps(native)


def test_the_template_is_clean() -> None:
    assert problems(Path(CHECKOUT / "template.yaml").read_text(encoding="utf-8")) == []


def test_the_state_machine_within_the_template_is_clean(
    template: dict[str, Any], transformed: dict[str, Any]
) -> None:
    assert problems(inlined(transformed, read_definition(template))) == []


def test_the_linter_would_see_a_field_that_a_state_cannot_have(
    template: dict[str, Any], transformed: dict[str, Any]
) -> None:
    definition = read_definition(template)
    definition["States"]["Fetch Bars"]["ResultPath"] = "$"
    assert any(each.startswith("E3601") for each in problems(inlined(transformed, definition)))
