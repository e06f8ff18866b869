"""`algo-trader --help` starts fast, and Ctrl-C works while the command is still loading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from local.cli.app import COMMANDS, app
from tests.local.cli.conftest import COMMAND
from tests.support.checkout import CHECKOUT

PACKAGES = """
import sys
before = set(sys.modules)
from local.cli.app import run_command
run_command(["--help"])
ours = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(ours - set(sys.stdlib_module_names)), file=sys.stderr)
"""
MODULES = PACKAGES.replace('name.partition(".")[0]', "name")


def in_a_fresh_process(program: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(answer.stderr.split())


def test_the_help_loads_click_and_no_command() -> None:
    assert in_a_fresh_process(PACKAGES) == {"click", "local"}
    ours = {name for name in in_a_fresh_process(MODULES) if name.startswith("local")}
    assert ours == {"local", "local.cli", "local.cli.app", "local.problems"}


def test_the_help_takes_less_than_150_ms_of_processor_time() -> None:
    def seconds() -> float:
        before = os.times()
        subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
        after = os.times()
        user = after.children_user - before.children_user
        return user + after.children_system - before.children_system

    assert min(seconds() for _ in range(5)) < 0.150


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_is_there(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_ctrl_c_while_the_command_loads_ends_it_in_one_line(tmp_path: Path) -> None:
    slow = "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "click.py").write_text(slow)
    path = os.pathsep.join((str(tmp_path), str(CHECKOUT)))
    with subprocess.Popen(
        COMMAND,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "algo-trader: interrupted; nothing was changed\n")
