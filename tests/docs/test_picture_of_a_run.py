"""The README's picture of a run shows what a run prints; `make picture` draws it again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import groupby
from xml.etree import ElementTree as ET

import pytest

from tests.docs.asl import machine
from tests.docs.markdown import links, text_of
from tests.support.checkout import CHECKOUT

COMMAND = [sys.executable, "-c", "from local.cli import main; main()", "run"]
PICTURE = "docs/run.svg"
WIDTH_OF_A_LETTER = 12.2
PROMPT = "$ make run"
SECONDS = re.compile(r" +[0-9]+\.[0-9]{2} s$")
IN_THE_FILL_LOOP = {"Submit Orders", "Orders Complete?", "Wait For Fills"}


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """Return what `make run` prints after the set-up."""
    kept = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    path = os.pathsep.join((str(CHECKOUT), str(CHECKOUT / "functions")))
    done = subprocess.run(
        COMMAND,
        cwd=CHECKOUT,
        env=kept | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return [line.rstrip() for line in done.stdout.strip().splitlines()]


@pytest.fixture(scope="module")
def drawn() -> list[str]:
    """Return the lines below the prompt in the picture."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ET.parse(CHECKOUT / PICTURE).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314
        if "textLength" in text.attrib:  # the window's title has no length
            at = float(text.attrib["x"]), (text.text or "").replace("\xa0", " ").strip("\n")
            rows.setdefault(float(text.attrib["y"]), []).append(at)
    prompt, *lines = (_placed(sorted(rows[at])) for at in sorted(rows))
    assert prompt == PROMPT
    return lines


def _placed(parts: list[tuple[float, str]]) -> str:
    line = ""
    for at, part in parts:
        line = line.ljust(round(at / WIDTH_OF_A_LETTER)) + part
    return line.rstrip()


def before_orders(lines: list[str]) -> list[str]:
    """Return the names of the states above the orders."""
    shown = lines[1 : lines.index("Orders")]
    return [SECONDS.sub("", line).strip() for line in shown if line.strip()]


def after_orders(lines: list[str]) -> list[str]:
    return lines[lines.index("Orders") :]


def test_the_readme_shows_the_picture() -> None:
    assert PICTURE in links("README.md")


def test_the_drawn_orders_reasons_and_text_are_what_a_run_prints(
    printed: list[str], drawn: list[str]
) -> None:
    assert after_orders(drawn) == after_orders(printed)


def test_the_drawn_timeline_is_what_a_run_prints_whatever_the_fill_loop_takes(
    printed: list[str], drawn: list[str]
) -> None:
    def shape(lines: list[str]) -> list[str]:
        return [
            key
            for key, _ in groupby(
                "fills" if each in IN_THE_FILL_LOOP else each for each in before_orders(lines)
            )
        ]

    assert drawn[0] == printed[0]
    assert shape(drawn) == shape(printed)


def test_the_page_on_deploying_counts_the_states_of_that_timeline(drawn: list[str]) -> None:
    states = before_orders(drawn)
    assert set(states) <= set(machine()["States"])
    assert f"has {len(states)} state transitions" in text_of("docs/deploying.md")


def test_the_picture_loads_nothing_from_elsewhere() -> None:
    text = (CHECKOUT / PICTURE).read_text(encoding="utf-8")
    assert "url(http" not in text
    assert "href" not in text
