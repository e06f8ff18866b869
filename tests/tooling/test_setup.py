"""The set-up of .venv: its choice of Python, and its one-line error if none fits."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

# A stand-in for an interpreter, which answers the three questions of the set-up.
INTERPRETER = """#!/bin/sh
case "$2" in
*version_info*3,*) {in_range} ;;
*ensurepip*) {has_venv} ;;
*print*) echo {version} ;;
*) [ "$1 $2" = "-m venv" ] && echo "$0 $*" >>"$CALLS"; exit 1 ;;
esac
"""

# A working stand-in: it copies itself into an environment, and its pip prints what pip prints.
WORKING = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip")
    [ "$3" = install ] || exit 0
    echo "$*" >>"$CALLS"
    echo "Collecting boto3==1.43 (from -r x (line 1))"
    echo "  Downloading boto3-1.43-py3-none-any.whl (140 kB)"
    echo "Requirement already satisfied: click==8 in .venv/lib"
    [ -z "${{BROKEN:-}}" ] || {{ echo "ERROR: no network" >&2; exit 1; }}
    echo "Installing collected packages: boto3"
    ;;
"- ") cp "$0" .venv/bin/algo-trader ;;
*) case "$2" in *print*) echo {version} ;; esac ;;
esac
"""


class Machine:
    """A checkout in a folder with a space in its name, and a controlled PATH."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.programs = folder / "bin"
        self.calls = folder / "calls"
        self.programs.mkdir()
        for name in ("sh", "dirname", "cat", "cksum", "rm", "date", "mkdir", "cp"):
            (self.programs / name).symlink_to(str(shutil.which(name)))
        (self.programs / "sleep").write_text("#!/bin/sh\n")
        (self.programs / "sleep").chmod(0o755)
        for name in ("local/setup.sh", "functions/requirements-build.txt"):
            self.copy(name)
        for name in ("local", "tests"):
            self.copy(f"{name}/requirements.txt")

    def copy(self, name: str) -> None:
        (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, self.checkout / name)

    def add_python(self, name: str, version: str, *, has_venv: bool = True) -> None:
        in_range = version in {"3.11", "3.12", "3.13"}
        text = INTERPRETER.format(
            in_range="exit 0" if in_range else "exit 1",
            has_venv="exit 0" if has_venv else "exit 1",
            version=version,
        )
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def add_working_python(self) -> None:
        (self.programs / "python3").write_text(WORKING.format(version="3.12"))
        (self.programs / "python3").chmod(0o755)

    def set_up(
        self, stderr: int = subprocess.PIPE, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self.checkout / "local" / "setup.sh", "run"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={"PATH": str(self.programs), "CALLS": str(self.calls), **environment},
        )

    def taken(self) -> str:
        """Return the interpreter that made the environment."""
        return Path(self.calls.read_text().split()[0]).name


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


def test_no_python_gets_one_line(machine):
    answer = machine.set_up()
    assert answer.returncode == 1
    assert answer.stderr == (
        "algo-trader: needs Python 3.11 to 3.13, but python3 is missing. "
        "Install one, or name it: make run PYTHON=/path/to/python3.12\n"
    )


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14"])
def test_a_python_out_of_range_gets_one_line_with_its_version(machine, version):
    machine.add_python("python3", version)
    answer = machine.set_up()
    assert answer.returncode == 1
    assert f"but python3 is {version}. " in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_python_without_venv_gets_one_line_with_the_package_to_install(machine):
    machine.add_python("python3", "3.12", has_venv=False)
    answer = machine.set_up()
    assert answer.returncode == 1
    assert answer.stderr == (
        "algo-trader: python3 (3.12) lacks the venv module. "
        "On Debian or Ubuntu: sudo apt-get install python3.12-venv\n"
    )


def test_another_python_of_the_path_is_taken_when_the_default_does_not_fit(machine):
    machine.add_python("python3", "3.9")
    machine.add_python("python3.12", "3.12")
    machine.add_python("python3.11", "3.11")
    machine.set_up()
    assert machine.taken() == "python3.12"


def test_another_python_is_taken_when_the_default_lacks_venv(machine):
    machine.add_python("python3", "3.13", has_venv=False)
    machine.add_python("python3.11", "3.11")
    machine.set_up()
    assert machine.taken() == "python3.11"


def test_a_default_that_fits_is_taken(machine):
    machine.add_python("python3", "3.11")
    machine.add_python("python3.13", "3.13")
    machine.set_up()
    assert machine.taken() == "python3"


def test_the_python_that_is_named_is_taken_or_refused_but_never_replaced(machine):
    machine.add_python("python3", "3.13")
    machine.add_python("python3.12", "3.12")
    machine.set_up(PYTHON="python3.12")
    assert machine.taken() == "python3.12"
    machine.add_python("python3.10", "3.10")
    answer = machine.set_up(PYTHON="python3.10")
    assert "but python3.10 is 3.10. " in answer.stderr


def test_an_environment_that_cannot_be_made_ends_the_set_up(machine):
    machine.add_python("python3", "3.11")
    answer = machine.set_up()
    assert answer.returncode == 1
    assert "python3 could not make .venv" in answer.stderr


def test_what_is_set_up_is_left_alone_until_a_lock_changes(machine):
    machine.add_python("python3", "3.11")
    bin_folder = machine.checkout / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    shutil.copy(machine.programs / "python3", bin_folder / "python")
    shutil.copy(machine.programs / "python3", bin_folder / "algo-trader")
    stamp = subprocess.run(
        ["sh", "-c", "{ pwd && cat local/setup.sh functions/*.txt local/*.txt; } | cksum"],
        check=True,
        capture_output=True,
        text=True,
        cwd=machine.checkout,
        env={"PATH": os.environ["PATH"], "PWD": str(machine.checkout)},
    )
    (machine.checkout / ".venv" / ".algo-trader-run").write_text(stamp.stdout)
    answer = machine.set_up()
    assert (answer.returncode, answer.stderr) == (0, "")
    with (machine.checkout / "local" / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    assert machine.set_up().returncode == 1


PHASES = r"""algo-trader: setting up \.venv for run; this takes about a minute, once
  creating the environment with python3
  \d+ packages: downloading the missing ones
  installing 1 of them
  \d+ packages: downloading the missing ones
  installing 1 of them
algo-trader: \.venv is ready for run after \d+ s
"""


def test_a_set_up_prints_a_line_for_each_phase_and_the_next_one_prints_nothing(machine):
    machine.add_working_python()
    answer = machine.set_up()
    assert answer.returncode == 0
    assert re.fullmatch(PHASES, answer.stderr)
    assert answer.stdout == ""
    again = machine.set_up()
    assert (again.returncode, again.stderr, again.stdout) == (0, "", "")


def test_a_terminal_shows_each_package_in_a_line_that_the_next_one_replaces(machine):
    machine.add_working_python()
    ours, theirs = pty.openpty()
    answer = machine.set_up(stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert answer.returncode == 0
    lines = shown.decode().replace("\r\n", "\n").split("\n")
    passing = [part.strip() for line in lines for part in line.split("\r")[:-1]]
    total = len(re.findall(r"(?m)^[a-z0-9].*==", (CHECKOUT / "local/requirements.txt").read_text()))
    assert f"downloading package 1 of {total}: boto3" in passing
    assert all(len(part) < 80 for line in lines for part in line.split("\r"))
    assert lines[-2].startswith("algo-trader: .venv is ready for run")


def test_a_download_that_fails_is_tried_again_and_then_ends_the_set_up(machine):
    machine.add_working_python()
    answer = machine.set_up(BROKEN="1")
    assert answer.returncode == 1
    assert machine.calls.read_text().count("pip install") == 3
    assert answer.stderr.count("ERROR: no network\n") == 3
    assert "trying again (1 of 2)" in answer.stderr
    assert answer.stderr.endswith(
        "algo-trader: could not install what .venv needs; see pip's message above\n"
    )
    assert machine.set_up().returncode == 0


def test_make_without_a_target_prints_every_target_with_its_help():
    answer = subprocess.run(
        ["make", "--no-print-directory", "-C", CHECKOUT], check=True, capture_output=True, text=True
    )
    targets = [line.split()[1] for line in answer.stdout.splitlines()]
    assert {"run", "test", "check", "lock", "help"} <= set(targets)
