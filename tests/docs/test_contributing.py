"""What CONTRIBUTING.md names exists: files of recipes, and new names of old modules and classes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs.markdown import Table, code_spans, tables
from tests.support.checkout import CHECKOUT

PAGE = "CONTRIBUTING.md"
SAME = re.compile(r"the same names in `(?P<package>[\w.]+)`")
CODE = [*(CHECKOUT / "functions").rglob("*.py"), *(CHECKOUT / "local").rglob("*.py")]


def renames(header: str) -> Table:
    (found,) = [each for each in tables(PAGE) if each.header[0] == header]
    return found


def place(module: str) -> Path:
    """Return the path of a module or package without a suffix."""
    parts = module.split(".")
    return (
        CHECKOUT.joinpath(*parts) if parts[0] == "local" else CHECKOUT.joinpath("functions", *parts)
    )


def is_there(module: str) -> bool:
    return place(module).is_dir() or place(module).with_suffix(".py").is_file()


def new_modules(old: str, new: str) -> list[str]:
    same = SAME.fullmatch(new)
    if same is None:
        return code_spans(new)
    return [f"{same['package']}.{each.rpartition('.')[2]}" for each in code_spans(old)]


@pytest.mark.parametrize("row", renames("Old module").rows, ids=lambda row: row[0])
def test_the_new_modules_are_there(row: tuple[str, str]) -> None:
    assert [each for each in new_modules(*row) if not is_there(each)] == []


def test_no_old_module_is_still_a_file() -> None:
    old = [code_spans(each) for each in renames("Old module").column("Old module")]
    assert [
        each for row in old for each in row[:1] if place(each).with_suffix(".py").is_file()
    ] == []


def test_the_new_classes_are_there() -> None:
    definitions = {
        node.name
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
    named = {name for cell in renames("Old class").column("New class") for name in code_spans(cell)}
    assert named
    assert named - definitions == set()
