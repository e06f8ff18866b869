"""Locks have hashes, no addresses, one version of each package, and all required packages."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import CHECKOUT

STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")
LOCKS = (
    "functions/requirements-build.txt",
    *(f"functions/{step}/requirements.txt" for step in STEPS),
    "local/requirements.txt",
    "tests/requirements.txt",
    "tests/requirements-no-deps.txt",
)
# The locks of tools with their own environments.
TOOL_LOCKS = tuple(
    str(path.relative_to(CHECKOUT)) for path in sorted(CHECKOUT.glob(".ci/*/*requirements.txt"))
)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> list[str]:
    """Return one text per package of a lock, including its hashes."""
    text = re.sub(r"^ *#.*\n", "", (CHECKOUT / lock).read_text(), flags=re.MULTILINE)
    return [entry for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]


def pins(lock: str) -> dict[str, str]:
    found = [Requirement(entry.partition(" --hash")[0]) for entry in entries(lock)]
    return {each.name: str(each.specifier).removeprefix("==") for each in found}


def asked(path: str) -> list[Requirement]:
    lines = [line.partition(" #")[0].strip() for line in (CHECKOUT / path).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def test_every_requirements_file_of_the_repository_is_known_here():
    tracked = {
        str(path.relative_to(CHECKOUT))
        for top in ("functions", "local", "tests")
        for path in (CHECKOUT / top).rglob("requirements*.txt")
    }
    assert tracked == set(LOCKS)


@pytest.mark.parametrize("lock", [*LOCKS, *TOOL_LOCKS])
def test_every_package_is_pinned_and_hashed(lock):
    for entry in entries(lock):
        assert re.match(r"[a-z0-9-]+==[^ ;]+ ", entry), entry
        assert HASH.search(entry), entry


@pytest.mark.parametrize("lock", [*LOCKS, *TOOL_LOCKS])
def test_a_lock_names_no_address_and_no_place_of_a_machine(lock):
    text = (CHECKOUT / lock).read_text()
    options = set(re.findall(r"--[a-z-]+", text)) - {"--hash"}
    assert not options
    assert "://" not in text
    assert not re.search(r"(^|\s)(/|[A-Za-z]:\\)", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_was_asked_for(lock):
    pinned = pins(lock)
    for each in asked(lock.replace(".txt", ".in")):
        assert each.specifier.contains(pinned[canonicalize_name(each.name)]), each


def test_all_locks_agree_on_every_version():
    agreed: dict[str, str] = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            assert agreed.setdefault(name, version) == version, f"{name} in {lock}"


def test_the_tests_run_with_all_that_the_run_does():
    assert pins("local/requirements.txt").items() <= pins("tests/requirements.txt").items()


def test_the_run_installs_what_every_step_ships():
    for step in STEPS:
        lock = f"functions/{step}/requirements.txt"
        assert pins(lock).items() <= pins("local/requirements.txt").items()


def test_pandas_stays_below_three_where_ta_goes_wrong():
    for step in ("fetch_bars", "compute_indicators", "submit_orders"):
        assert pins(f"functions/{step}/requirements.txt")["pandas"].startswith("2.")
