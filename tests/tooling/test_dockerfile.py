"""The only Dockerfile works with `sam build` and puts the right files into an image."""

from __future__ import annotations

import re

import pytest

from tests.support.checkout import CHECKOUT

FUNCTIONS = CHECKOUT / "functions"
TEXT = (FUNCTIONS / "Dockerfile").read_text()
STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")


def test_it_is_the_only_one():
    assert list(FUNCTIONS.rglob("Dockerfile*")) == [FUNCTIONS / "Dockerfile"]


def test_it_needs_no_buildkit():
    assert "--mount" not in TEXT
    assert "<<" not in TEXT
    assert not TEXT.startswith("# syntax")


def test_every_install_is_hashed():
    for line in TEXT.replace("\\\n", " ").splitlines():
        assert "pip install" not in line or "--require-hashes" in line


def test_a_set_has_the_same_order_in_every_process_of_every_image():
    *_, shipped = TEXT.split("\nFROM ")
    assert "\nENV PYTHONHASHSEED=0\n" in shipped


@pytest.mark.parametrize("step", STEPS)
def test_strategies_ship_with_the_steps_that_load_them_alone(step):
    (with_strategies,) = re.findall(r"^ +(\S+)\) cp -r source/strategies", TEXT, re.MULTILINE)
    code = "".join(path.read_text() for path in (FUNCTIONS / step).rglob("*.py"))
    assert (step in with_strategies.split("|")) == ("load_strategy" in code)


@pytest.mark.parametrize("step", STEPS)
def test_symbol_lists_ship_with_the_step_that_reads_them_alone(step):
    (with_lists,) = re.findall(r"^ +(\S+)\) cp -r source/universes", TEXT, re.MULTILINE)
    code = "".join(path.read_text() for path in (FUNCTIONS / step).rglob("*.py"))
    assert (step in with_lists.split("|")) == ("load_settings" in code)


def test_the_context_leaves_out_what_no_image_needs():
    ignored = (FUNCTIONS / ".dockerignore").read_text().split()
    assert {"**/__pycache__", "**/requirements.in", "Dockerfile"} <= set(ignored)
