"""A deploy in the middle of a run ends it with nothing more sent, and the text says so."""

from __future__ import annotations

from typing import Any

from algotrader.contracts import CONTRACT_VERSION
from tests.run.conftest import Bench


def deploy_before_orders_are_sent(template: dict[str, Any]) -> dict[str, Any]:
    """Let Submit Orders and Notify meet an execution of another contract."""
    machine = template["Resources"]["TradingDay"]["Properties"]["Definition"]
    machine["States"]["Decide Orders"]["Assign"]["contract"] = CONTRACT_VERSION + 1
    return template


def test_a_deploy_before_the_orders_sends_none_and_the_next_execution_trades(bench: Bench) -> None:
    stack = bench.deploy(rewrite=deploy_before_orders_are_sent)
    value = {"scheduled_time": bench.bell}

    told = bench.ring(stack, value)
    assert (told.status, told.error, told.orders_sent) == ("FAILED", "ConfigurationError", 0)
    assert "DEPLOYED_DURING_RUN" in told.sms
    assert told.sms.endswith("Start it again once the deploy is over.")

    bench.deploy_again(stack)
    again = bench.ring(stack, value)
    assert (again.status, again.orders_sent) == ("SUCCEEDED", 3)
