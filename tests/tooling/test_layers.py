"""The layers of the code, and what import contracts cannot check: clocks and chance in the core."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

PACKAGE = CHECKOUT / "functions" / "algotrader"

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
OUTSIDE = {"open", "input", "print", "eval", "exec", "__import__"}


def core_files() -> list[Path]:
    outside = ("adapters", "services")
    edge = {
        PACKAGE / "contracts.py",
        *(p for each in outside for p in (PACKAGE / each).rglob("*.py")),
    }
    return sorted(set(PACKAGE.rglob("*.py")) - edge)


def called_names(tree: ast.AST) -> set[str]:
    """Return the last name of each call, for ``datetime.now()`` and ``now()`` alike.

    ``moment.time()`` reads no clock, unlike ``time.time()``.
    """
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    attributes = [each for each in calls if isinstance(each, ast.Attribute)]
    return {
        each.attr
        for each in attributes
        if each.attr != "time" or (isinstance(each.value, ast.Name) and each.value.id == "time")
    } | {each.id for each in calls if isinstance(each, ast.Name)}


def test_the_layers_import_only_downwards():
    # A separate process, because import-linter silences the loggers of its own process.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    answer = subprocess.run(
        [sys.executable, "-c", lint],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'functions'}{os.pathsep}{CHECKOUT}"},
    )
    assert answer.returncode == 0, answer.stdout


def test_the_contracts_cover_every_module_of_the_core():
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]
    covered = {
        module
        for each in contracts["contracts"]
        if each["id"] in {"core", "indicators"}
        for module in each["source_modules"]
    }
    modules = {
        f"algotrader.{each.relative_to(PACKAGE).parts[0].removesuffix('.py')}"
        for each in core_files()
    }
    assert covered == modules - {"algotrader.__init__"}


def alpacas_words() -> set[str]:
    """Return the order statuses and activity types in Alpaca's own document."""
    text = files("alpaca_mcp_server").joinpath("specs/trading-api.json").read_text(encoding="utf-8")
    schemas = json.loads(text)["components"]["schemas"]
    return {word for name in ("OrderStatus", "ActivityType") for word in schemas[name]["enum"]}


@pytest.mark.parametrize(
    "path",
    # Messages may use these words as plain English.
    [each for each in core_files() if "messages" not in each.parts and each.name != "statuses.py"],
    ids=lambda path: path.stem,
)
def test_the_core_names_no_word_of_alpacas(path):
    tree = ast.parse(path.read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not words & alpacas_words()


@pytest.mark.parametrize("path", core_files(), ids=lambda path: path.stem)
def test_the_core_asks_no_clock_and_touches_nothing_outside(path):
    called = called_names(ast.parse(path.read_text()))
    assert not called & CLOCKS
    assert not called & OUTSIDE


def importers(imported: str, *folders: str) -> set[str]:
    """Return the files below some folders that import a module or a part of it."""
    found = set()
    for path in (each for folder in folders for each in (CHECKOUT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if any(each == imported or each.startswith(f"{imported}.") for each in names):
                found.add(str(path.relative_to(CHECKOUT)))
    return found


def test_only_a_composition_names_the_broker_or_the_channel():
    alpaca = {
        each
        for each in importers("algotrader.adapters.alpaca", "functions", "local")
        if not each.startswith("functions/algotrader/adapters/alpaca/")
    }
    assert alpaca == {
        "functions/fetch_bars/opening.py",
        "functions/submit_orders/app.py",
        "local/ops/holdings.py",
    }
    assert importers("algotrader.adapters.sns_notifier", "functions", "local") == {
        "functions/notify/app.py"
    }


def test_one_file_imports_the_librarys_client():
    assert importers("alpaca_trade_api", "functions", "local") == {
        "functions/algotrader/adapters/alpaca/client.py"
    }
