"""`make lock` sets up uv by itself, from a hashed lock and in its own environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

# A stand-in for Python that makes an environment of itself, and whose pip only records its call.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
"-m pip") echo "$*" >>"$CALLS"; [ -z "${BROKEN:-}" ] ;;
esac
"""


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder / "a checkout", folder / "calls"
        programs = folder / "bin"
        programs.mkdir()
        for name in ("sh", "dirname", "cat", "cksum", "mkdir", "cp"):
            (programs / name).symlink_to(str(shutil.which(name)))
        for name, text in (("python3", PYTHON), ("sleep", "#!/bin/sh\n")):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        shutil.copytree(CHECKOUT / ".ci" / "lock", self.folder / ".ci" / "lock")
        self.environment = {"PATH": str(programs), "CALLS": str(self.calls)}

    def set_up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / ".ci" / "lock" / "setup"],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_uv_is_installed_once_from_the_hashed_lock(checkout: Checkout) -> None:
    for _ in range(2):
        assert checkout.set_up().returncode == 0
    (install,) = checkout.installs()
    assert install.endswith("--require-hashes -r .ci/lock/requirements.txt")


def test_another_lock_sets_it_up_again(checkout: Checkout) -> None:
    checkout.set_up()
    with (checkout.folder / ".ci" / "lock" / "requirements.txt").open("a") as lock:
        lock.write("# newer\n")
    assert checkout.set_up().returncode == 0
    assert len(checkout.installs()) == 2


def test_a_set_up_that_fails_is_tried_three_times_and_then_reported(checkout: Checkout) -> None:
    ended = checkout.set_up(BROKEN="1")
    assert (ended.returncode, len(checkout.installs())) == (1, 3)
    assert ended.stderr.splitlines()[-1] == "lock: pip could not install uv; see its message above"
    assert checkout.set_up().returncode == 0
    assert len(checkout.installs()) == 4


def test_make_lock_runs_no_uv_but_its_own() -> None:
    environment = {"PATH": os.environ["PATH"]}
    answer = subprocess.run(
        ["make", "--dry-run", "lock"],
        cwd=CHECKOUT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    first, *_ = answer.stdout.splitlines()
    assert first == ".ci/lock/setup"
    called = set(re.findall(r"(\S*\buv) pip compile", answer.stdout))
    assert called == {".venv-lock/bin/uv"}
    assert ".ci/lock/requirements.in -o .ci/lock/requirements.txt" in answer.stdout
