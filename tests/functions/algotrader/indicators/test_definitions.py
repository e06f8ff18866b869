"""An indicator's values change only with a new version of the definitions."""

from __future__ import annotations

import math

import pytest

from algotrader.indicators import DEFINITIONS_VERSION
from tests.support.indicator_definitions import fixed_bars, values_now, values_of


def test_no_value_changes_without_the_version_of_the_definitions() -> None:
    pinned, now = values_of(DEFINITIONS_VERSION), values_now()
    advice = (
        "An indicator's value has changed. Raise DEFINITIONS_VERSION, then write the new file: "
        "PYTHONPATH=functions:. .venv/bin/python -m tests.support.indicator_definitions"
    )
    assert now.keys() == pinned.keys(), advice
    for output, values in now.items():
        assert values == pytest.approx(pinned[output], rel=1e-9, abs=1e-9, nan_ok=True), advice


def test_the_pinned_values_tell_our_definitions_from_those_of_ta() -> None:
    now = values_now()
    for output in ("on_balance_volume", "psar", "aroon_up", "aroon_down"):
        assert now[output] != now[f"ta_{output}"]


def test_the_pinned_values_tell_undefined_from_defined() -> None:
    *_, halted = fixed_bars()
    assert halted == "halted"
    for output in ("stc", "stochrsi"):
        assert all(map(math.isnan, values_now()[output][-2:]))
        assert not any(map(math.isnan, values_now()[output][:-2]))
