"""The pages on parameters, limits and input name every parameter and field, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from algotrader.contracts import ExecutionInput, parse_execution_input
from algotrader.model import BOUNDS, Settings, parameter_of
from local.sandbox.aws.template import read_template
from tests.docs.markdown import blocks, tables, text_of
from tests.support.checkout import CHECKOUT

#: The pages whose tables have a row for each parameter.
PAGES = ("docs/parameters.md", "docs/limits.md")
INPUT_PAGE = "docs/input.md"
PARAMETERS: dict[str, dict[str, Any]] = read_template()["Parameters"]
PHONES = [f"PhoneNumber{n}" for n in range(1, 6)]


def rows() -> list[tuple[str, dict[str, str]]]:
    """Return every row about a parameter, with the parameter's first name."""
    return [
        (re.findall(r"`(\w+)`", row[0])[0], dict(zip(each.header, row, strict=True)))
        for page in PAGES
        for each in tables(page)
        if each.header[0] == "Parameter"
        for row in each.rows
    ]


def row_of(name: str) -> dict[str, str]:
    (row,) = [row for named, row in rows() if named == name]
    return row


@pytest.mark.parametrize("name", [each for each in PARAMETERS if not each.startswith("Phone")])
def test_every_parameter_has_a_row_with_its_default(name: str) -> None:
    row = row_of(name)

    expected = PARAMETERS[name]["Default"]
    assert row["Default"] == (f"`{expected}`" if expected else "empty")
    assert all(row.values())


def test_every_name_in_the_tables_is_a_parameter() -> None:
    named = [name for name, _ in rows()]
    missing = {each for each in PARAMETERS if each not in PHONES[1:]} - {*named}

    assert (missing, {*named} - {*PARAMETERS}) == (set(), set()), "no row, no parameter"
    assert len(named) == len({*named})


@pytest.mark.parametrize("name", PHONES)
def test_every_phone_is_named(name: str) -> None:
    assert name in PARAMETERS
    assert f"`{name}`" in text_of(PAGES[0])


@pytest.mark.parametrize("field", sorted({*Settings.__struct_fields__} - {"stack", "universes"}))
def test_every_field_of_the_settings_is_a_parameter_on_the_page(field: str) -> None:
    assert row_of(parameter_of(field))


@pytest.mark.parametrize("field", BOUNDS)
def test_the_row_of_a_number_states_its_bounds(field: str) -> None:
    bounds = BOUNDS[field]
    lowest = f"above {bounds.lowest}" if bounds.above_lowest else f"from {bounds.lowest}"

    assert f"{lowest} to {bounds.highest:,}" in row_of(parameter_of(field))["Meaning"]


def test_every_field_of_the_input_has_a_row() -> None:
    named = set(re.findall(r"^\| `(\w+)`", text_of(INPUT_PAGE), re.MULTILINE))

    assert named == {each.encode_name for each in msgspec.structs.fields(ExecutionInput)}


def test_the_inputs_on_the_page_are_inputs() -> None:
    given = [json.loads(each.text) for each in blocks(INPUT_PAGE, "json")]

    assert [parse_execution_input(each) for each in given] == [ExecutionInput()]


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "events" / "execution").glob("*.json")), ids=lambda path: path.stem
)
def test_every_execution_input_that_ships_is_one(path: Path) -> None:
    assert isinstance(parse_execution_input(json.loads(path.read_text())), ExecutionInput)
