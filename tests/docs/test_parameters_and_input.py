"""The pages on parameters and input name all that there is, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from algotrader.contracts import ExecutionInput, parse_execution_input
from algotrader.model import BOUNDS, Settings
from local.sandbox.aws.template import read_template

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "parameters.md").read_text()
INPUT_PAGE = (REPOSITORY / "docs" / "input.md").read_text()


PARAMETERS: dict[str, dict[str, Any]] = read_template()["Parameters"]


def row_of(name: str) -> list[str]:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}`")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("name", [each for each in PARAMETERS if not each.startswith("Phone")])
def test_every_parameter_has_a_row_with_its_default(name: str) -> None:
    _, default, meaning = row_of(name)

    expected = PARAMETERS[name]["Default"]
    assert default == (f"`{expected}`" if expected else "empty")
    assert meaning


def test_every_name_in_the_tables_is_a_parameter() -> None:
    named = set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE))

    assert named == {each for each in PARAMETERS if each not in PHONES[1:]}


PHONES = [f"PhoneNumber{n}" for n in range(1, 6)]


@pytest.mark.parametrize("name", PHONES)
def test_every_phone_is_named(name: str) -> None:
    assert name in PARAMETERS
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("field", sorted({*Settings.__slots__} - {"stack", "universes"}))
def test_every_field_of_the_settings_is_a_parameter_on_the_page(field: str) -> None:
    name = "TradingMode" if field == "mode" else "".join(map(str.capitalize, field.split("_")))

    assert row_of(name)


@pytest.mark.parametrize("field", BOUNDS)
def test_the_row_of_a_number_states_its_bounds(field: str) -> None:
    name = "".join(map(str.capitalize, field.split("_")))
    bounds = BOUNDS[field]
    lowest = f"above {bounds.lowest}" if bounds.above_lowest else f"from {bounds.lowest}"

    assert f"{lowest} to {bounds.highest:,}" in row_of(name)[2]


def test_every_field_of_the_input_has_a_row() -> None:
    named = set(re.findall(r"^\| `(\w+)`", INPUT_PAGE, re.MULTILINE))

    assert named == {each.encode_name for each in msgspec.structs.fields(ExecutionInput)}


def test_the_inputs_on_the_page_are_inputs() -> None:
    blocks = re.findall(r"```json\n(.*?)```", INPUT_PAGE, re.DOTALL)

    assert [parse_execution_input(json.loads(each)) for each in blocks] == [ExecutionInput()]


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "events" / "execution").glob("*.json")), ids=lambda path: path.stem
)
def test_every_execution_input_that_ships_is_one(path: Path) -> None:
    assert isinstance(parse_execution_input(json.loads(path.read_text())), ExecutionInput)
