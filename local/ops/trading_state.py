"""Owns how a user reads and sets a deployed stack's trading state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from algotrader.adapters.aws import PARAMETER_NOT_THERE
from algotrader.model import TradingMode, TradingState
from algotrader.plain_text import one_line, printable
from algotrader.risk.trading_state import REASON_LENGTH
from algotrader.services.books import RESET_KEY, ResetPeak
from local.ops.stack import DeployedStack, aws_errors_as_one_line

OUTPUT = "TradingStateParameter"


@dataclass(frozen=True, slots=True)
class StackSwitch:
    """The kill switch of one stack.

    Attributes
    ----------
    parameter : str
        The SSM parameter's name.
    bucket : str
        The stack's bucket, which has the desk's books.
    books_client : callable
        Makes a service's client that may write the books.
    """

    stack: str
    region: str
    mode: TradingMode
    parameter: str
    bucket: str
    ssm: Any
    books_client: Callable[[str], Any]

    def read(self) -> str | None:
        """Return the parameter's text, or None if the parameter does not exist.

        Raises
        ------
        AwsProblem
            If AWS refuses or does not answer.
        """
        with aws_errors_as_one_line(f"cannot read {self.parameter}"):
            try:
                found = self.ssm.get_parameter(Name=self.parameter)
            except ClientError as error:
                if error.response["Error"]["Code"] in PARAMETER_NOT_THERE:
                    return None
                raise
        return str(found["Parameter"]["Value"])

    def write(self, text: str) -> None:
        """Set the parameter or create it.

        Raises
        ------
        AwsProblem
            If AWS refuses. The trading state is not changed.
        """
        with aws_errors_as_one_line(f"{self.parameter} was not changed"):
            self.ssm.put_parameter(Name=self.parameter, Value=text, Type="String", Overwrite=True)

    def reset_peak(self, now: datetime) -> None:
        """Make the desk's value at its next run the new peak.

        Raises
        ------
        AwsProblem
            If AWS refuses. The peak is not changed.
        """
        with aws_errors_as_one_line("the peak was not reset"):
            self.books_client("s3").put_object(
                Bucket=self.bucket,
                Key=RESET_KEY,
                Body=msgspec.json.encode(ResetPeak(now)),
                ContentType="application/json",
            )


def switch_of(stack: DeployedStack) -> StackSwitch:
    """Return a stack's kill switch.

    Raises
    ------
    UsageProblem
        If the stack has none.
    """
    return StackSwitch(
        stack=stack.name,
        region=stack.region,
        mode=stack.mode,
        parameter=stack.output(OUTPUT),
        bucket=stack.outputs.get("Bucket", ""),
        ssm=stack.client("ssm"),
        books_client=stack.books_client,
    )


def format_state(state: TradingState, reason: str) -> str:
    """Format a state and its reason as one line that SSM accepts, so no reason can stop a halt.

    Parameters
    ----------
    reason : str
        Any text. Control characters and repeated spaces become one space. ``{{`` and ``}}``, which
        SSM refuses, become parentheses. Only the first 200 characters are kept.
    """
    words = printable(reason)
    for refused, taken in (("{{", "("), ("}}", ")")):
        words = words.replace(refused, taken)
    return f"{state.value} {one_line(words, REASON_LENGTH)}".strip()
