"""Owns the trading state of a deployed stack, as its user reads and sets it from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from algotrader.model import TradingMode, TradingState
from local.embedded_aws.clients import make_client, make_session
from local.embedded_aws.process import REGION
from local.runner.problems import UsageProblem

OUTPUT = "TradingStateParameter"
RESET_KEY = "ledger/reset-peak.json"  # which Fetch Bars reads
_SERVICES = ("cloudformation", "ssm", "s3")
REASON_LENGTH = 200
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 15, 3
# Codes by which AWS says that the caller's keys are at fault.
_NO_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "IncompleteSignature"),
        *("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException"),
        *("SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)
_NOT_THERE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})


class AwsProblem(Exception):  # noqa: N818 - it is told to a person, not raised at one
    """AWS refused, or could not be reached; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is looked for; None leaves the choice to boto3's own chain."""

    stack: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


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

        with _told(f"{self.parameter} cannot be read"):
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
        with _told(f"{self.parameter} is not changed"):
            self.ssm.put_parameter(Name=self.parameter, Value=text, Type="String", Overwrite=True)

    def reset_peak(self, now: datetime) -> None:
        """Have the next run take what the desk then is for its peak.

        Raises
        ------
        AwsProblem
            When AWS does not take it: the peak stays.
        """
        with _told("the peak is not reset"):
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
    from botocore.exceptions import ClientError  # noqa: PLC0415

    with _told(f"stack {place.stack} cannot be looked up"):
        cloudformation, ssm, s3 = _clients(place)
        region = str(cloudformation.meta.region_name)
        try:
            (found,) = cloudformation.describe_stacks(StackName=place.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                raise UsageProblem(
                    f"there is no stack {place.stack} in {region}: name yours with --stack, its "
                    "region with --region"
                ) from error
            raise
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
        if not outputs.get(OUTPUT):
            raise UsageProblem(
                f"stack {place.stack} in {region} is {found['StackStatus']} and has no output "
                f"{OUTPUT}: it is another template's, or was never deployed to its end"
            )
        bucket = outputs.get("Bucket", "")
        return StackSwitch(place.stack, region, _mode(found), outputs[OUTPUT], bucket, ssm, s3)


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


def _mode(found: Mapping[str, Any]) -> TradingMode:
    values = {
        each["ParameterKey"]: str(each.get("ParameterValue"))
        for each in found.get("Parameters", ())
    }
    mode = values.get("TradingMode", "")
    return TradingMode(mode) if mode in {*TradingMode} else TradingMode.LIVE


def _clients(place: Place) -> tuple[Any, ...]:
    """Make the clients of CloudFormation, SSM and S3.

    An endpoint of one's own gets the keys that an embedded AWS takes, unless a profile is named:
    the user's keys are for AWS alone.
    """
    import boto3  # noqa: PLC0415 - 0.3 s that the command line's help need not wait for
    from botocore.config import Config  # noqa: PLC0415

    if place.endpoint_url and not place.profile:
        session = make_session(place.region or REGION)
        return tuple(make_client(session, each, place.endpoint_url) for each in _SERVICES)
    session = boto3.Session(region_name=place.region, profile_name=place.profile)
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return tuple(
        session.client(each, endpoint_url=place.endpoint_url, config=config) for each in _SERVICES
    )


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what boto3 raises into one line, by whether the user's own settings are at fault."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's own
        HTTPClientError,
    )
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    kind: type[Exception] = AwsProblem
    try:
        yield
    except ClientError as error:
        code, message = (error.response["Error"].get(key, "") for key in ("Code", "Message"))
        if code in _NO_CREDENTIALS:
            kind = UsageProblem
        raise kind(f"{what}: {code}: {message}") from error
    except (ConnectionError, HTTPClientError, ResponseParserError) as error:
        raise kind(f"{what}: {error}") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise UsageProblem(f"{what}: {error}") from error
