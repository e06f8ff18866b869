"""Owns the creation of boto3 clients: late, and with timeouts that fit a function's budget."""

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
#: SSM's error code for a missing parameter.
PARAMETER_NOT_THERE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})

_makers: list[Callable[[str], Any]] = []


class BrokenAnswerError(Exception):
    """An answer with a status of success that AWS did not send."""


@cache
def client(service: str) -> Any:
    """Return the client of a service, created once per process.

    The function imports boto3 late, because a step whose values are all inline never needs it.
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
