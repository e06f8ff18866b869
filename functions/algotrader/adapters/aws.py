"""Owns how the desk makes a boto3 client: late, and with time-outs that fit a function's budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
ATTEMPTS = 3
BROKEN_PAUSES_SECONDS = (0.2, 0.4)
#: How SSM says that there is no such parameter.
PARAMETER_NOT_THERE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})

_makers: list[Callable[[str], Any]] = []


class BrokenAnswerError(Exception):
    """What came back is no answer of AWS, though nothing says that it failed."""


@cache
def client(service: str) -> Any:
    """Make the client of a service once a process.

    boto3 is imported here and not above: steps that carry everything in line never pay for it.
    """
    if _makers:
        return _makers[-1](service)
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )


@contextmanager
def clients_from(make: Callable[[str], Any]) -> Iterator[None]:
    """Take clients from elsewhere for a while: the command line reaches AWS as its user does."""
    client.cache_clear()
    _makers.append(make)
    try:
        yield
    finally:
        _makers.pop()
        client.cache_clear()


def read_whole(ask: Callable[[], T]) -> T:
    """Ask again when an answer came broken; botocore repeats what failed, not this.

    Parameters
    ----------
    ask : callable
        Makes the call, which may be made twice, reads the answer to its end and takes out of it
        what is wanted.
    """
    from botocore.exceptions import IncompleteReadError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    broken = (
        *(BrokenAnswerError, IncompleteReadError, ResponseParserError),
        *(msgspec.DecodeError, KeyError),
    )
    for pause in BROKEN_PAUSES_SECONDS:
        try:
            return ask()
        except broken:
            time.sleep(pause)
    return ask()
