"""An image holds its step and the locked packages, compiled, and nothing else."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import PurePosixPath
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.images.commands import CHECKOUT, FUNCTIONS
from tests.images.inside import contents

pytestmark = pytest.mark.images

WITH_STRATEGIES = {"fetch_bars", "compute_indicators", "decide_orders"}
WITH_UNIVERSES = {"fetch_bars"}
BYTECODE = re.compile(r"(.*?)__pycache__/([^/]+)\.cpython-\d+\.pyc")


@pytest.fixture(scope="module", params=FUNCTIONS)
def step(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def held(step: str, images: dict[str, str]) -> Any:
    return contents(images[step])


def locked(step: str, markers: dict[str, str]) -> dict[str, str]:
    """Return name and version of every package that the lock requires on the image's platform."""
    text = (CHECKOUT / "functions" / step / "requirements.txt").read_text()
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?) *\\?$", text, re.MULTILINE)
    wanted = {}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({**markers, "extra": ""}):
            (version,) = requirement.specifier
            wanted[canonicalize_name(requirement.name)] = version.version
    return wanted


def ours(step: str) -> dict[str, str]:
    """Return the digest of every source file that the step's image must contain, by path."""
    folders = [step, "algotrader"]
    folders += ["strategies"] if step in WITH_STRATEGIES else []
    folders += ["universes"] if step in WITH_UNIVERSES else []
    found = subprocess.run(
        ["git", "ls-files", *folders],  # noqa: S607 - whichever the user has
        cwd=CHECKOUT / "functions",
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return {
        name: hashlib.sha256((CHECKOUT / "functions" / name).read_bytes()).hexdigest()
        for name in found
        if PurePosixPath(name).name not in {"requirements.in", "requirements.txt"}
    }


def source_of(name: str) -> str:
    """Return the source of a bytecode file; return any other name unchanged."""
    match = BYTECODE.fullmatch(name)
    return f"{match[1]}{match[2]}.py" if match else name


def test_the_packages_are_those_of_the_step_s_lock(step: str, held: Any) -> None:
    packages = {canonicalize_name(name): version for name, version in held["packages"].items()}
    assert packages == locked(step, held["markers"])


def test_every_file_is_ours_or_a_package_s(step: str, held: Any) -> None:
    known = {*held["recorded"], *ours(step)}
    assert {source_of(name) for name in held["files"]} - known == set()


def test_our_own_files_are_those_of_the_checkout(step: str, held: Any) -> None:
    tops = {name.partition("/")[0] for name in ours(step)}
    found = {
        name: digest
        for name, digest in held["files"].items()
        if name.partition("/")[0] in tops and "__pycache__" not in name
    }
    assert found == ours(step)


def test_no_test_no_command_and_no_key_is_in_it(held: Any) -> None:
    for name in held["files"]:
        parts = PurePosixPath(name).parts
        assert not {"tests", "test"} & {*parts[:-1]}, name
        assert parts[0] not in {"events", "local", "bin"}, name
        assert parts[-1] != "conftest.py", name
        assert not parts[-1].startswith(".env"), name
        assert not name.endswith((".pem", ".key")) or parts[-1] == "cacert.pem", name


def test_every_source_has_bytecode_that_is_taken_without_a_look_at_the_source(held: Any) -> None:
    assert len(held["files"]) > 1
    assert held["unfit"] == []
