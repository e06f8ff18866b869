"""Owns the steps that let a live stack in the embedded AWS trade: its trading state and arming."""

from __future__ import annotations

from datetime import UTC, datetime

from local.ops.arming import arm_stack, token_for
from local.ops.stack import StackLocation, find_stack
from local.sandbox.aws import EmbeddedAws, Stack

DAYS = 30


def arm(aws: EmbeddedAws, stack: Stack) -> None:
    """Arm a stack in its current deployment."""
    found = find_stack(StackLocation(stack.name, endpoint_url=aws.endpoint_url))
    arm_stack(found, token_for(found, DAYS, datetime.now(UTC)))


def switch_on(aws: EmbeddedAws, stack: Stack) -> None:
    """Set the trading state to ACTIVE, and arm the stack."""
    aws.client("ssm").put_parameter(
        Name=stack.trading_state_parameter, Value="ACTIVE", Type="String", Overwrite=True
    )
    arm(aws, stack)
