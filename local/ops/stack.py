"""Owns how to find a deployed stack, and how to report AWS's errors."""

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
SESSION_NAME = "algo-trader"  # CloudTrail shows this name
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 15, 3
# AWS's codes for a caller's wrong or missing credentials.
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
    """AWS refused or did not answer; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class StackLocation:
    """Where to look for a stack; with None, boto3 chooses."""

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
        As deployed, including default values.
    deployed_at : datetime
        The time of the last deploy.
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
            If the stack does not have it.
        """
        if not self.outputs.get(name):
            raise UsageProblem(
                f"stack {self.name} in {self.region} is {self.status} and has no output {name}. "
                "It has another template, or its deploy never finished"
            )
        return self.outputs[name]

    def client(self, service: str) -> Any:
        """Make a service's client in the stack's region."""
        return self._maker(service)

    def is_under_way(self) -> bool:
        """Whether an execution of the stack's state machine is running.

        Raises
        ------
        AwsProblem
            If AWS refuses or does not answer.
        """
        machine = self.output("StateMachineArn")
        with aws_errors_as_one_line("cannot find out whether a run is under way"):
            answer = self.client("stepfunctions").list_executions(
                stateMachineArn=machine, statusFilter="RUNNING", maxResults=1
            )
        return bool(answer["executions"])

    def books_client(self, service: str) -> Any:
        """Create an AWS client with the permissions of the stack's BooksRole.

        The bucket lets a person change the books only with that role.

        Raises
        ------
        UsageProblem
            If the stack has no such role.
        AwsProblem
            If the user may not assume the role.
        """
        return self._books_maker(service)

    @cached_property
    def _maker(self) -> Any:
        return _client_maker(self.place)

    @cached_property
    def _books_maker(self) -> Any:
        role = self.output(BOOKS_ROLE)
        with aws_errors_as_one_line(f"cannot assume the role {role}"):
            answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)
        made = answer["Credentials"]
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }
        return _client_maker(replace(self.place, region=self.region), keys)


def find_stack(place: StackLocation) -> DeployedStack:
    """Look up a deployed stack.

    Raises
    ------
    UsageProblem
        If there are no credentials, no region, or no such stack.
    AwsProblem
        If AWS refuses or does not answer.
    """
    with aws_errors_as_one_line(f"cannot look up stack {place.stack}"):
        cloudformation = _client_maker(place)("cloudformation")
        region = str(cloudformation.meta.region_name)
        try:
            (found,) = cloudformation.describe_stacks(StackName=place.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                raise UsageProblem(
                    f"there is no stack {place.stack} in {region}. Name yours with --stack, and "
                    "its region with --region"
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

    Unless the user names a profile, a custom endpoint gets the embedded AWS's keys, because the
    user's own keys are only for AWS.
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
    """Turn boto3's error into one line: a `UsageProblem` if the user's settings caused it."""
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
        raise UsageProblem(f"{what}: no region is set. Name one with --region") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is not a URL
        raise UsageProblem(f"{what}: {error}") from error
