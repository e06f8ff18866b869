"""After a deploy during a run, the run sends nothing more, and the text says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from algotrader.contracts import CONTRACT_VERSION
from local.sandbox.aws.embedded import FUNCTIONS, Rewrite
from tests.run.conftest import Bench

pytestmark = pytest.mark.usefixtures("fresh")

NEXT = CONTRACT_VERSION + 1


def from_state(name: str) -> Rewrite:
    """Make the steps after a state believe that the next contract is deployed."""

    def rewrite(template: dict[str, Any]) -> dict[str, Any]:
        machine = template["Resources"]["TradingDay"]["Properties"]["Definition"]
        machine["States"][name]["Assign"]["contract"] = NEXT
        return template

    return rewrite


def next_version(tmp_path: Path) -> Path:
    """Copy the functions with the next contract's version."""
    functions = tmp_path / "functions"
    shutil.copytree(FUNCTIONS, functions, ignore=shutil.ignore_patterns("__pycache__"))
    source = functions / "algotrader" / "contracts.py"
    number = f"\nCONTRACT_VERSION = {CONTRACT_VERSION}\n"
    assert source.read_text().count(number) == 1
    source.write_text(source.read_text().replace(number, f"\nCONTRACT_VERSION = {NEXT}\n"))
    return functions


def test_a_deploy_before_the_orders_sends_none_and_the_next_execution_trades(bench: Bench) -> None:
    stack = bench.deploy(rewrite=from_state("Decide Orders"))
    value = {"scheduled_time": bench.bell}

    reported = bench.ring(stack, value)
    assert reported.outcome == ("FAILED", "ConfigurationError", 0)
    assert "DEPLOYED_DURING_RUN" in reported.sms
    assert reported.sms.endswith("Start the run again after the deploy.")

    bench.deploy_again(stack)
    again = bench.ring(stack, value)
    assert (again.status, again.orders_sent) == ("SUCCEEDED", 3)


def test_a_deploy_after_the_orders_lets_the_next_execution_settle_them_and_send_no_more(
    bench: Bench, tmp_path: Path
) -> None:
    stack = bench.deploy(rewrite=from_state("Submit Orders"))
    value = {"scheduled_time": bench.bell}

    reported = bench.ring(stack, value)
    assert reported.outcome == ("FAILED", "ConfigurationError", 3)
    assert "DEPLOYED_DURING_RUN" in reported.sms
    assert "3 orders sent" in reported.sms

    functions, begins = next_version(tmp_path), from_state("Start Run")
    bench.aws.deploy(stack.name, bench.addresses, functions, rewrite=begins)
    again = bench.ring(stack, value)
    assert (again.status, again.orders_sent) == ("SUCCEEDED", 0)
    assert "Sent nothing more" in again.sms
    assert "a deploy changed what the steps pass to each other" in again.email
