"""Owns the creation of AWS clients, with timeouts that fit a function's budget."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
ATTEMPTS = 3
BROKEN_PAUSES_SECONDS = (0.2, 0.4)
#: SSM's error code for a missing parameter.
PARAMETER_NOT_THERE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})

_makers: list[Callable[[str], Any]] = []


class BrokenAnswerError(Exception):
    """An answer with a success status that did not come from AWS."""


@cache
def client(service: str) -> Any:
    """Return the client of a service, created once per process.

    The function imports botocore late, because a step whose values are all inline never needs it.
    """
    if _makers:
        return _makers[-1](service)
    from botocore.config import Config  # noqa: PLC0415

    return session().create_client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )


@cache
def session() -> Any:
    """Return the process's botocore session; boto3's would import more and do nothing else."""
    from botocore.session import get_session  # noqa: PLC0415

    return get_session()


def make_clients_early(*services: str) -> None:
    """Create clients while Lambda initializes the function, when it has more CPU than later.

    The function does nothing outside Lambda. It never raises, because a failed initialization has
    no error that a run could report. The first call tries again and reports the error.
    """
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        with suppress(Exception):
            for service in services:
                client(service)


@contextmanager
def clients_from(make: Callable[[str], Any]) -> Iterator[None]:
    """Use other clients within a block, such as those with the command line user's credentials."""
    client.cache_clear()
    _makers.append(make)
    try:
        yield
    finally:
        _makers.pop()
        client.cache_clear()


def read_whole(ask: Callable[[], T]) -> T:
    """Repeat a call if its answer is broken, because botocore repeats only failed calls.

    Parameters
    ----------
    ask : callable
        Makes the call, reads the whole answer and returns the needed part. It may run again.
    """
    from botocore.exceptions import IncompleteReadError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    broken = (
        BrokenAnswerError,
        IncompleteReadError,
        ResponseParserError,
        msgspec.DecodeError,
        KeyError,
    )
    for pause in BROKEN_PAUSES_SECONDS:
        try:
            return ask()
        except broken:
            time.sleep(pause)
    return ask()
