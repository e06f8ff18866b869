import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.problems import UsageProblem
from local.sandbox.runner.inputs import bell_time, read_input, with_bell

BELL = "2012-02-15T14:35:00Z"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(json_values)
def test_json_of_any_kind_is_read_as_it_is(value: Any) -> None:
    assert read_input(json.dumps(value)) == value


@pytest.mark.parametrize("prefix", ["", "@"])
def test_a_file_is_read_by_its_path(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "dry-run.json"
    path.write_text('{"dry_run": true}')
    assert read_input(f"{prefix}{path}") == {"dry_run": True}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"dry_run": tru}', "line 1, column 13"),
        ('{\n  "a": 1,\n  b\n}', "line 3, column 3"),
        ("", "line 1, column 1"),
        ("{'a': 1}", "line 1, column 2"),
        ("NaN", "NaN is not a JSON value"),
        ('{"a": -Infinity}', "-Infinity is not a JSON value"),
        ("[" * 100_000, "nested too deeply"),
        ("events/no-such-file.json", "no file"),
        ("@events/no-such-file.json", "No such file"),
        ("@.", "Is a directory"),
        ("a\0b", "not JSON"),
        ("x" * 5000, "not JSON"),
    ],
)
def test_what_is_neither_json_nor_a_file_is_refused_with_the_place(text: str, names: str) -> None:
    with pytest.raises(UsageProblem, match=names):
        read_input(text)


def test_a_file_that_is_not_json_is_refused_with_its_name_and_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{\n]")
    with pytest.raises(UsageProblem, match=r"broken\.json is not JSON: .* line 2, column 1"):
        read_input(f"@{path}")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageProblem, match="not UTF-8"):
        read_input(f"@{path}")


@given(json_values.filter(lambda value: not isinstance(value, dict)))
def test_only_an_object_gets_the_scheduled_time(value: Any) -> None:
    assert with_bell(value, BELL) == value


def test_a_scheduled_time_of_the_user_stays_even_if_it_is_wrong() -> None:
    assert with_bell({}, BELL) == {"scheduled_time": BELL}
    assert with_bell({"scheduled_time": None}, BELL) == {"scheduled_time": None}
    assert with_bell({"dry_run": True}, None) == {"dry_run": True}


@pytest.mark.parametrize(
    ("value", "slots", "bell"),
    [
        ({}, "day", "09:35"),
        ({}, "", "09:35"),
        ({}, "1000,1530", "10:00"),
        ({"slot": "1530"}, "1000,1530", "15:30"),
        ({"slot": 1530}, "day", "09:35"),
        ({"slot": "../x"}, "day", "09:35"),
        ({"report_only": True}, "day", "16:15"),
        ({"report_only": "yes"}, "day", "09:35"),
        ([1, 2], "day", "09:35"),
        (None, "2530", "09:35"),
    ],
)
def test_the_run_starts_at_the_time_of_the_input_or_of_the_slots(
    value: Any, slots: str, bell: str
) -> None:
    assert bell_time(value, slots) == bell
