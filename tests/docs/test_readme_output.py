from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import groupby

import pytest

from tests.docs.asl import machine
from tests.docs.markdown import ROOT, blocks, text_of

COMMAND = [sys.executable, "-c", "from local.cli import main; main()", "run"]
SECONDS = re.compile(r" +[0-9]+\.[0-9]{2} s$")
IN_THE_FILL_LOOP = {"Submit Orders", "Orders Complete?", "Wait For Fills"}


@pytest.fixture(scope="module")
def printed() -> str:
    """Return what `make run` prints, once .venv is there."""
    kept = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    path = os.pathsep.join((str(ROOT), str(ROOT / "functions")))
    return subprocess.run(
        COMMAND,
        cwd=ROOT,
        env=kept | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    ).stdout


def pasted() -> str:
    """Return what the README says that `make run` prints."""
    (block,) = [each for each in blocks("README.md", "text") if "\nOrders\n" in each.text]
    return block.text


def timeline(text: str) -> list[str]:
    """Name the states above the orders, in their order."""
    lines = text.partition("\nOrders\n")[0].splitlines()[1:]
    return [SECONDS.sub("", line).strip() for line in lines if line.strip()]


def after_timeline(text: str) -> list[str]:
    return [line.rstrip() for line in text.partition("\nOrders\n")[2].rstrip().splitlines()]


def test_the_pasted_orders_reasons_and_text_are_what_a_run_prints(printed: str) -> None:
    assert after_timeline(pasted()) == after_timeline(printed)


def test_the_pasted_timeline_is_what_a_run_prints_whatever_the_fill_loop_takes(
    printed: str,
) -> None:
    def shape(text: str) -> list[str]:
        names = timeline(text)
        return [
            key
            for key, _ in groupby("fills" if each in IN_THE_FILL_LOOP else each for each in names)
        ]

    assert printed.splitlines()[0] == pasted().splitlines()[0]
    assert shape(pasted()) == shape(printed)


def test_the_readme_counts_the_states_of_its_own_timeline() -> None:
    states = timeline(pasted())
    assert set(states) <= set(machine()["States"])
    assert f"is {len(states)} state transitions" in text_of("README.md")
