"""Owns the trading state of a deployed stack, as its user reads and sets it from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from algotrader.model import TradingMode, TradingState
from local.deployed_stack import AwsProblem, DeployedStack, Place, find_stack, told

__all__ = [
    "AwsProblem",
    "Place",
    "StackSwitch",
    "find_switch",
    "obeyed",
    "spelled",
    "switch_of",
]

OUTPUT = "TradingStateParameter"
RESET_KEY = "ledger/reset-peak.json"  # which Fetch Bars reads
REASON_LENGTH = 200
_NOT_THERE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})


@dataclass(frozen=True, slots=True)
class StackSwitch:
    """The kill switch of one stack.

    Attributes
    ----------
    mode : TradingMode
        As deployed; a stack that does not tell is taken for live.
    parameter : str
        The name of the parameter in SSM.
    bucket : str
        The stack's bucket, in which the desk's ledger lies.
    """

    stack: str
    region: str
    mode: TradingMode
    parameter: str
    bucket: str
    ssm: Any
    s3: Any

    def read(self) -> str | None:
        """Give the parameter's text, None when there is none.

        Raises
        ------
        AwsProblem
            When it cannot be read.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415

        with told(f"{self.parameter} cannot be read"):
            try:
                found = self.ssm.get_parameter(Name=self.parameter)
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_THERE:
                    return None
                raise
        return str(found["Parameter"]["Value"])

    def write(self, text: str) -> None:
        """Set the parameter, or make it.

        Raises
        ------
        AwsProblem
            When AWS does not take it: the desk trades on as before.
        """
        with told(f"{self.parameter} is not changed"):
            self.ssm.put_parameter(Name=self.parameter, Value=text, Type="String", Overwrite=True)

    def reset_peak(self, now: datetime) -> None:
        """Have the next run take what the desk then is for its peak.

        Raises
        ------
        AwsProblem
            When AWS does not take it: the peak stays.
        """
        with told("the peak is not reset"):
            self.s3.put_object(
                Bucket=self.bucket,
                Key=RESET_KEY,
                Body=json.dumps({"at": now.isoformat()}).encode(),
                ContentType="application/json",
            )


def find_switch(place: Place) -> StackSwitch:
    """Find the trading-state parameter of a deployed stack by the stack's own output.

    Raises
    ------
    UsageProblem
        Without credentials or a region, without such a stack, or when it has no such output.
    AwsProblem
        When AWS refuses or does not answer.
    """
    return switch_of(find_stack(place))


def switch_of(stack: DeployedStack) -> StackSwitch:
    """Give the switch of a stack that was found.

    Raises
    ------
    UsageProblem
        When it has none.
    """
    return StackSwitch(
        stack=stack.name,
        region=stack.region,
        mode=stack.mode,
        parameter=stack.output(OUTPUT),
        bucket=stack.outputs.get("Bucket", ""),
        ssm=stack.client("ssm"),
        s3=stack.client("s3"),
    )


def spelled(state: TradingState, reason: str) -> str:
    """Spell a state with its reason as the parameter holds them: one line, the reason cut.

    Parameters
    ----------
    reason : str
        Any text. Control characters and runs of spaces become one space, ``{{`` and ``}}``, which
        SSM refuses, become brackets, and 200 characters are kept: a halt is never refused for
        the words beside it.
    """
    printable = "".join(each if each.isprintable() else " " for each in reason)
    for refused, taken in (("{{", "("), ("}}", ")")):
        printable = printable.replace(refused, taken)
    return f"{state.value} {' '.join(printable.split())[:REASON_LENGTH]}".strip()


def obeyed(text: str | None, mode: TradingMode) -> TradingState:
    """Give the state that a run takes the parameter's text for; None when there is none."""
    if text is None:
        return TradingState.HALTED if mode is TradingMode.LIVE else TradingState.ACTIVE
    word = text.strip().partition(" ")[0]
    return TradingState(word) if word in {*TradingState} else TradingState.HALTED
