"""Each step's imports: they cause the cold start, and an image has only its locked packages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import CHECKOUT

FUNCTIONS = CHECKOUT / "functions"
STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")

# Powertools loads jmespath and parts of botocore; msgspec loads nothing else.
LIGHT = {"algotrader", "aws_lambda_powertools", "botocore", "jmespath", "msgspec"}
LIGHT |= {"typing_extensions"}
HEAVY = {"alpaca_trade_api", "boto3", "numpy", "pandas", "requests", "ta"}
MAY_START_WITH = {
    "fetch_bars": {"alpaca_trade_api", "numpy", "pandas", "requests"},
    "compute_indicators": {"numpy"},
    "decide_orders": set(),
    "submit_orders": {"alpaca_trade_api", "numpy", "pandas", "requests"},
    "notify": set(),
}

LOADED = """
import json, sys
before = set(sys.modules)
__import__(sys.argv[1] + ".app")
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(names - set(sys.stdlib_module_names))))
"""


@cache
def loaded_at_start(step: str) -> frozenset[str]:
    """Return the packages that a new process has loaded with the handler."""
    answer = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, step],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(FUNCTIONS), "AWS_DEFAULT_REGION": "us-east-1"},
    )
    return frozenset(json.loads(answer.stdout))


@cache
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "algotrader",
        "strategies",
        *STEPS,
        include_external_packages=True,
        exclude_type_checking_imports=True,
    )


def reachable_from(step: str) -> set[str]:
    """Return the packages that a step can import, including inside functions."""
    names = import_graph().find_upstream_modules(step, as_package=True)
    ours = {"algotrader", "strategies", *STEPS}
    return {name.partition(".")[0] for name in names} - ours - sys.stdlib_module_names


def named_in(path: Path) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {canonicalize_name(Requirement(line).name) for line in lines if line}


def pinned_in(path: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("step", ["fetch_bars", "submit_orders", "notify"])
def test_the_garbage_collector_rests_while_a_step_loads_and_runs_again_afterwards(step):
    script = (
        "import gc, sys\n"
        "began = [each['collections'] for each in gc.get_stats()]\n"
        "__import__(sys.argv[1] + '.app')\n"
        "ended = [each['collections'] for each in gc.get_stats()]\n"
        "print(began[1] == ended[1], gc.isenabled())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", script, step],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(FUNCTIONS)},
    )
    assert answer.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("step", ["decide_orders", "notify"])
def test_a_light_step_starts_with_exactly_these_packages(step):
    assert loaded_at_start(step) == LIGHT | {step}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_starts_without_what_it_does_not_need_at_once(step):
    assert loaded_at_start(step) & HEAVY <= MAY_START_WITH[step]


COMMON = """
import sys
import numpy as np
from algotrader.adapters.indicators import IndicatorSeries
from algotrader.indicators import FORMULAS, BarArrays
from algotrader.strategy.indicators import OUTPUTS, resolve
series = IndicatorSeries(BarArrays(*np.random.default_rng(1).random((4, 300, 2))))
for output, entry in OUTPUTS.items():
    if entry.name in FORMULAS and not output.startswith("ta_"):
        series.of(resolve(output, {"window": 20} if output == "sma_indicator" else {}))
print(sys.modules.keys() & {"pandas", "ta"})
"""


def test_no_common_indicator_needs_frames_or_ta():
    answer = subprocess.run(
        [sys.executable, "-P", "-c", COMMON],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(FUNCTIONS)},
    )
    assert answer.stdout == "set()\n"


@pytest.mark.parametrize("step", ["decide_orders", "notify"])
def test_a_light_step_never_imports_frames_or_the_broker_not_even_late(step):
    assert not reachable_from(step) & HEAVY


@pytest.mark.parametrize("step", STEPS)
def test_an_image_holds_every_package_that_its_step_can_import_and_none_for_another(step):
    owners = packages_distributions()
    needed = {canonicalize_name(owners[name][0]) for name in reachable_from(step)}
    assert needed <= pinned_in(FUNCTIONS / step / "requirements.txt")
    # The file names pandas to limit the version for alpaca-trade-api. The code imports ta by name,
    # and zoneinfo reads tzdata if the system has no zone files.
    assert named_in(FUNCTIONS / step / "requirements.in") - needed <= {"pandas", "ta", "tzdata"}
