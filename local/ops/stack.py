"""Owns how to find a deployed stack from outside, and how to report AWS's refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    HTTPClientError,
    NoRegionError,
)
from botocore.parsers import ResponseParserError

from algotrader.model import TradingMode
from local.aws_clients import KEYS, REGION, make_client, make_session
from local.problems import UsageProblem

BOOKS_ROLE = "BooksRole"
SESSION_NAME = "algo-trader"  # as CloudTrail shows it
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 15, 3
# AWS's codes for wrong or missing credentials of the caller.
_NO_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class AwsProblem(Exception):  # noqa: N818 - a person reads it
    """AWS refused, or could not be reached; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class StackLocation:
    """Where to look for a stack; None leaves the choice to boto3's own chain."""

    stack: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True)
class DeployedStack:
    """A stack as CloudFormation describes it.

    Attributes
    ----------
    parameters, outputs : mapping of str to str
        As deployed, including the defaults of parameters that were not given.
    deployed_at : datetime
        When it was last deployed: each update sets it.
    """

    place: StackLocation
    region: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    deployed_at: datetime

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.place.stack

    @property
    def mode(self) -> TradingMode:
        """The deployed trading mode; if unknown, assume live."""
        mode = self.parameters.get("TradingMode", "")
        return TradingMode(mode) if mode in {*TradingMode} else TradingMode.LIVE

    def output(self, name: str) -> str:
        """Return an output that every stack of this template has.

        Raises
        ------
        UsageProblem
            If it has none of that name.
        """
        if not self.outputs.get(name):
            raise UsageProblem(
                f"stack {self.name} in {self.region} is {self.status} and has no output "
                f"{name}: it is another template's, or was never deployed to its end"
            )
        return self.outputs[name]

    def client(self, service: str) -> Any:
        """Make the client of a service in the stack's region."""
        return self._maker(service)

    def is_under_way(self) -> bool:
        """Whether an execution of the stack's state machine is running.

        Raises
        ------
        AwsProblem
            If AWS refuses or does not answer.
        """
        machine = self.output("StateMachineArn")
        with aws_errors_as_one_line("whether a run is under way cannot be learned"):
            answer = self.client("stepfunctions").list_executions(
                stateMachineArn=machine, statusFilter="RUNNING", maxResults=1
            )
        return bool(answer["executions"])

    def books_client(self, service: str) -> Any:
        """Make the client of a service with the rights of the stack's BooksRole.

        The bucket accepts a person's changes of the books only from that role.

        Raises
        ------
        UsageProblem
            If the stack has no such role.
        AwsProblem
            If the user may not assume it.
        """
        return self._books_maker(service)

    @cached_property
    def _maker(self) -> Any:
        return _client_maker(self.place)

    @cached_property
    def _books_maker(self) -> Any:
        role = self.output(BOOKS_ROLE)
        with aws_errors_as_one_line(f"the role {role} cannot be assumed"):
            answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)
        made = answer["Credentials"]
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }
        return _client_maker(replace(self.place, region=self.region), keys)


def find_stack(place: StackLocation) -> DeployedStack:
    """Look a deployed stack up.

    Raises
    ------
    UsageProblem
        Without credentials or a region, or without such a stack.
    AwsProblem
        If AWS refuses or does not answer.
    """
    with aws_errors_as_one_line(f"stack {place.stack} cannot be looked up"):
        cloudformation = _client_maker(place)("cloudformation")
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
            place=place,
            region=region,
            status=found["StackStatus"],
            parameters={
                each["ParameterKey"]: str(each.get("ParameterValue"))
                for each in found.get("Parameters", ())
            },
            outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())},
            deployed_at=found.get("LastUpdatedTime") or found["CreationTime"],
        )


def _client_maker(place: StackLocation, keys: Mapping[str, str] | None = None) -> Any:
    """Return a function that makes a service's client, with a role's keys or the user's own.

    A custom endpoint gets the keys that an embedded AWS accepts, unless a profile is named: the
    user's keys are only for AWS.
    """
    url = place.endpoint_url
    if url and not place.profile:
        own = make_session(place.region or REGION, keys or KEYS)
        return lambda service: make_client(own, service, url)
    session = boto3.Session(region_name=place.region, profile_name=place.profile, **keys or {})
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return lambda service: session.client(service, endpoint_url=url, config=config)


@contextmanager
def aws_errors_as_one_line(what: str) -> Iterator[None]:
    """Turn boto3's error into one line; it depends on whether the user's settings are at fault."""
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
    except NoRegionError as error:
        raise UsageProblem(f"{what}: no region is set, name it with --region") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is not a URL
        raise UsageProblem(f"{what}: {error}") from error
