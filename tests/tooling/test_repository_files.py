"""The files around the code: one version, pinned actions, and hooks that call our own tools."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import CHECKOUT

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def test_the_version_is_the_newest_of_the_changelog() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    newest = re.findall(r"(?m)^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text())[0]
    assert newest == project["version"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(path: Path) -> None:
    uses = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.search(line)] == []


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())
    assert [each["repo"] for each in config["repos"]] == ["local"]
    found: list[dict[str, Any]] = config["repos"][0]["hooks"]
    return found


def test_the_hooks_call_the_programs_that_make_format_calls() -> None:
    made = re.findall(r"-m (ruff .+) \.$", _recipe("format"), re.MULTILINE)
    assert [each["entry"] for each in hooks()] == [f".venv/bin/{each}" for each in made]
    assert {each["language"] for each in hooks()} == {"system"}


def _recipe(target: str) -> str:
    found = re.search(rf"(?m)^{target}:.*\n((?:\t.*\n)+)", (CHECKOUT / "Makefile").read_text())
    assert found
    return found[1]


def test_the_forms_for_issues_are_what_github_reads() -> None:
    for path in (CHECKOUT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name == "config.yml":
            continue
        assert form["name"]
        assert form["description"]
        for item in form["body"]:
            assert item["type"] in {"markdown", "textarea", "input"}
            assert item["attributes"].get("label") or item["attributes"].get("value")
