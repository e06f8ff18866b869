"""A step that receives another contract version does nothing and raises a named error."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from algotrader.contracts import CONTRACT_VERSION
from algotrader.errors import ConfigurationError, InvalidInputError
from tests.support.lambda_context import LambdaContext

STEPS = ("fetch_bars", "compute_indicators", "decide_orders", "submit_orders", "notify")


def handle(step: str, event: Any) -> Any:
    """Call a handler without any bucket, broker or topic to reach."""
    return importlib.import_module(f"{step}.app").lambda_handler(event, LambdaContext())


@pytest.mark.parametrize("contract", [CONTRACT_VERSION - 1, CONTRACT_VERSION + 1])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_refuses_the_event_of_another_contract_before_it_reads_it(
    step: str, contract: int
) -> None:
    event = {"contract": contract, "run": "of a shape that nobody knows yet"}
    with pytest.raises(ConfigurationError) as caught:
        handle(step, event)
    assert caught.value.code == "DEPLOYED_DURING_RUN"
    assert f"contract={contract} deployed={CONTRACT_VERSION}" in str(caught.value)


@pytest.mark.parametrize("event", [{}, {"contract": "1"}, {"contract": True}, [], None])
@pytest.mark.parametrize("step", STEPS)
def test_an_event_without_a_contract_is_refused_by_name(step: str, event: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        handle(step, event)
    assert caught.value.code == "STATE_INVALID"
