"""Owns how a deployed stack is found: its outputs, its parameters, and clients in its region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from algotrader.model import TradingMode
from local.embedded_aws.clients import make_client, make_session
from local.embedded_aws.process import REGION
from local.runner.problems import UsageProblem

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 15, 3
# Codes by which AWS says that the caller's keys are at fault.
_NO_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "IncompleteSignature"),
        *("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException"),
        *("SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)


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
class DeployedStack:
    """A stack as CloudFormation describes it.

    Attributes
    ----------
    outputs, parameters : mapping
        By name; a parameter that was left at its default is among them.
    client : callable
        Gives the boto3 client of a service, with the caller's keys.
    """

    name: str
    region: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    client: Callable[[str], Any]

    @property
    def mode(self) -> TradingMode:
        """As deployed; a stack that does not tell is taken for live."""
        mode = self.parameters.get("TradingMode", "")
        return TradingMode(mode) if mode in {*TradingMode} else TradingMode.LIVE

    def output(self, name: str) -> str:
        """Give an output.

        Raises
        ------
        UsageProblem
            When there is none.
        """
        if not self.outputs.get(name):
            raise UsageProblem(
                f"stack {self.name} in {self.region} is {self.status} and has no output "
                f"{name}: it is another template's, or was never deployed to its end"
            )
        return self.outputs[name]


def find_stack(place: Place) -> DeployedStack:
    """Look a stack up.

    Raises
    ------
    UsageProblem
        Without credentials or a region, or without such a stack.
    AwsProblem
        When AWS refuses or does not answer.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    with told(f"stack {place.stack} cannot be looked up"):
        client = _clients(place)
        cloudformation = client("cloudformation")
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
        return DeployedStack(
            name=place.stack,
            region=region,
            status=str(found["StackStatus"]),
            outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())},
            parameters={
                each["ParameterKey"]: str(each.get("ParameterValue"))
                for each in found.get("Parameters", ())
            },
            client=client,
        )


@contextmanager
def told(what: str) -> Iterator[None]:
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


def _clients(place: Place) -> Callable[[str], Any]:
    """Give what makes the client of a service.

    An endpoint of one's own gets the keys that an embedded AWS takes, unless a profile is named:
    the user's keys are for AWS alone.
    """
    import boto3  # noqa: PLC0415 - 0.3 s that the command line's help need not wait for
    from botocore.config import Config  # noqa: PLC0415

    if place.endpoint_url and not place.profile:
        embedded, url = make_session(place.region or REGION), place.endpoint_url
        return lambda service: make_client(embedded, service, url)
    session = boto3.Session(region_name=place.region, profile_name=place.profile)
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return lambda service: session.client(service, endpoint_url=place.endpoint_url, config=config)
