from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from algotrader import errors
from algotrader.risk.reasons import Reason
from tests.docs.asl import function_tasks, machine
from tests.docs.markdown import code_spans, pages, prose, table, tables
from tests.support.checkout import CHECKOUT

PAGE = "docs/errors.md"
CODE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
LEAVES = {
    name
    for name, each in vars(errors).items()
    if inspect.isclass(each) and issubclass(each, errors.DeskError) and not each.__subclasses__()
}
# Expressions with words that look like codes but name variables or constants.
_NO_CODES_IN = ("environ", "getenv", "Literal", "__all__")
# A status of an execution in Step Functions, and functions of TA-Lib; they are not codes.
_NO_CODES = frozenset({"TIMED_OUT", "PLUS_DI", "MINUS_DI"})


def _plain(cell: str) -> str:
    return cell.strip("`")


def _sources() -> list[Path]:
    return sorted((CHECKOUT / "functions").rglob("*.py"))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _head(node: ast.AST) -> str:
    """Format the left part of a subscript, a call or an assignment."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func)
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""


def _outcomes() -> set[str]:
    """Return the words in a step's result that a Choice can branch on."""
    source = (CHECKOUT / "functions" / "algotrader" / "contracts.py").read_text(encoding="utf-8")
    return {
        inner.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript) and _head(node) == "Literal"
        for inner in ast.walk(node.slice)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    }


def _codes_in(node: ast.AST) -> Iterator[str]:
    """Yield every constant below a node that looks like a code, except in `_NO_CODES_IN`."""
    if any(word in _head(node) for word in _NO_CODES_IN):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if CODE.fullmatch(node.value):
            yield node.value
        return
    for child in ast.iter_child_nodes(node):
        yield from _codes_in(child)


@cache
def _environment_names() -> frozenset[str]:
    template = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^ +([A-Z][A-Z0-9_]+):", template, re.MULTILINE))


def codes_in_code() -> set[str]:
    """Return every code that the functions can report."""
    found = {
        code
        for path in _sources()
        for code in _codes_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    found -= _environment_names() | _outcomes() | _NO_CODES
    return found | {code for _, code in codes_raised()} | {*Reason}


def codes_raised() -> set[tuple[str, str]]:
    """Return class and code for every call to an error class with a literal code."""
    found = set()
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in LEAVES and node.args:
                for inner in ast.walk(node.args[0]):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        found.add((_name(node.func), inner.value))
    return found


def codes_on_the_pages() -> dict[str, list[str]]:
    """Return the codes on this page and on the page on limits, by the heading above them."""
    return {
        each.heading: [_plain(cell) for cell in each.column("Code")]
        for each in (*tables(PAGE), *tables("docs/limits.md"))
        if each.header[0] == "Code"
    }


def handling(error: str) -> str:
    """Describe, as the page does, how the state machine handles an error."""
    tasks = function_tasks()
    retrying = [
        name
        for name, state in tasks.items()
        if any(error in each["ErrorEquals"] for each in state["Retry"])
    ]
    if not retrying:
        return "Catch"
    where = "every step" if len(retrying) == len(tasks) else " and ".join(retrying)
    return f"Retry in {where}, then Catch"


def test_every_leaf_has_its_row_and_no_row_is_without_a_leaf() -> None:
    reported = [_plain(cell) for cell in table(PAGE, "Errors").column("Error")]
    assert sorted(reported) == sorted(LEAVES)


def test_every_error_name_of_the_state_machine_has_its_row() -> None:
    named = {
        name
        for state in machine()["States"].values()
        for rule in (*state.get("Retry", ()), *state.get("Catch", ()))
        for name in rule["ErrorEquals"]
    }
    assigned = {
        state["Assign"]["failure"]["error"]
        for state in machine()["States"].values()
        if state["Type"] == "Choice"
    }
    reported = {_plain(cell) for cell in table(PAGE, "Errors of the platform").column("Error")}
    assert reported == (named | assigned) - LEAVES


@pytest.mark.parametrize("heading", ["Errors", "Errors of the platform"])
def test_what_the_page_says_the_state_machine_does_is_what_it_does(heading: str) -> None:
    rows = table(PAGE, heading)
    reported = dict(
        zip(map(_plain, rows.column("Error")), rows.column("State machine"), strict=True)
    )
    reported.pop("UnexpectedOutcome", None)  # a Choice's Default, not a Task's error
    assert reported == {error: handling(error) for error in reported}


def test_every_code_of_the_code_is_on_the_page_and_no_other() -> None:
    reported = {code for codes in codes_on_the_pages().values() for code in codes}
    in_code = codes_in_code()
    assert sorted(reported - in_code) == [], "on the page, but not in the code"
    assert sorted(in_code - reported) == [], "in the code, but not on the page"


def test_a_code_stands_under_the_error_that_carries_it() -> None:
    reported = codes_on_the_pages()
    misplaced = [
        (leaf, code) for leaf, code in sorted(codes_raised()) if code not in reported.get(leaf, ())
    ]
    assert misplaced == []


LOSSES = {Reason.DAILY_LOSS, Reason.DRAWDOWN}


def test_denied_orders_are_all_reasons_but_the_limits_on_losses() -> None:
    assert set(codes_on_the_pages()["Codes"]) == {*Reason} - LOSSES


def test_limits_on_losses_are_those_that_set_the_switch() -> None:
    assert set(codes_on_the_pages()["Limits on losses"]) == LOSSES


def test_each_code_has_one_row_per_error() -> None:
    for heading, codes in codes_on_the_pages().items():
        assert len(codes) == len(set(codes)), heading


@pytest.mark.parametrize("page", pages())
def test_every_code_and_variable_that_a_page_names_exists(page: str) -> None:
    named = {word for span in code_spans(prose(page)) for word in CODE.findall(span)}
    assert sorted(named - _words_of_the_sources()) == []


@cache
def _words_of_the_sources() -> frozenset[str]:
    files = [
        *(CHECKOUT / "functions").rglob("*.py"),
        *(CHECKOUT / "local").rglob("*.py"),
        CHECKOUT / "template.yaml",
        CHECKOUT / "Makefile",
    ]
    texts = (path.read_text(encoding="utf-8") for path in files)
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))
