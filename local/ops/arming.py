"""Owns how to arm a live stack: the token that lets its desk trade for some days."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from algotrader.model import BOUNDS, TradingMode, parameter_of
from algotrader.risk.arming import ArmingToken
from local.ops.stack import DeployedStack, aws_errors_as_one_line
from local.problems import UsageProblem

OUTPUT = "LiveArmingParameter"
# What a person should see before arming: these parameters and every number of the template.
_WORDS = ("strategy", "strategy_parameters", "symbols", "deny_symbols", "order_type", "data_feed")
LIMITS = tuple(parameter_of(each) for each in (*_WORDS, *BOUNDS))

OFF = re.compile(r"1(\.0*)?")
WHAT_EMPTY_MEANS = {"Capital": "no cap", "DenySymbols": "none"}


def limits_of(stack: DeployedStack) -> dict[str, str]:
    """Format the `LIMITS` of a deployed stack."""
    return {name: _describe(name, stack.parameters.get(name)) for name in LIMITS}


def _describe(name: str, value: str | None) -> str:
    if value is None:
        return "not a parameter of this stack"
    if name in {"MaxDailyLoss", "MaxDrawdown"} and OFF.fullmatch(value):
        return f"{value} (off)"
    return value or WHAT_EMPTY_MEANS.get(name, "empty")


def token_for(stack: DeployedStack, days: int, now: datetime) -> ArmingToken:
    """Make the token for a live stack's current deploy.

    Raises
    ------
    UsageProblem
        If the stack is not live, has a deploy under way, or has no account number.
    """
    if stack.mode is not TradingMode.LIVE:
        raise UsageProblem(
            f"stack {stack.name} is deployed with TradingMode={stack.mode.value}, and only a live "
            "stack can be armed"
        )
    if stack.status.endswith("IN_PROGRESS"):
        raise UsageProblem(f"stack {stack.name} is {stack.status}. Arm it when the deploy is over")
    account = stack.parameters.get("LiveAccountNumber", "")
    if not account:
        raise UsageProblem(f"stack {stack.name} has no LiveAccountNumber. Deploy it with yours")
    return ArmingToken(account, now + timedelta(days=days), stack.deployed_at)


def arm_stack(stack: DeployedStack, token: ArmingToken) -> None:
    """Write the token to the parameter that the desk reads.

    Raises
    ------
    AwsProblem
        If AWS refuses. The token is not changed.
    """
    name = stack.output(OUTPUT)
    with aws_errors_as_one_line(f"{name} was not changed"):
        stack.client("ssm").put_parameter(
            Name=name, Value=msgspec.json.encode(token).decode(), Type="String", Overwrite=True
        )
