"""Owns work in a process of its own: whatever it does there, the caller goes on.

A function's process is warm for the next run. Code that is only being tried must not hang it, end
it, use up its memory or change what a module of it holds; within one process nothing prevents that.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from algotrader.contracts import decode, encode
from algotrader.shadow import said

Given = TypeVar("Given")
Made = TypeVar("Made")

MEBIBYTE = 1024 * 1024


class ApartError(Exception):
    """The work came to nothing; the message says why."""


class Answer(Struct, frozen=True):
    """What the other process hands back: a value, or why there is none."""

    value: Any = None
    error: str = ""


def apart(work: Callable[[Given], Made], given: Given, seconds: float) -> Made:
    """Call a function in a process of its own.

    Parameters
    ----------
    work : callable
        A function at the top of a module that takes one value and gives one; its annotations say
        of which types.
    seconds : float
        After so many the other process is ended, with all that it started.

    Raises
    ------
    ApartError
        When the work raises anything, gives something else, ends its process, or takes too long.
    """
    if seconds <= 0:
        raise ApartError("no time was left for it")
    hints = get_type_hints(work)
    command = [sys.executable, "-P", "-m", __name__, work.__module__, work.__qualname__]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and names
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    ) as process:
        try:
            written, _ = process.communicate(msgspec.json.encode(given), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ApartError(f"it took longer than {seconds:.0f} s") from None
        finally:
            with suppress(ProcessLookupError, PermissionError):  # with what it left behind
                os.killpg(process.pid, signal.SIGKILL)
    try:
        answer = msgspec.json.decode(written, type=Answer)
    except msgspec.DecodeError:
        raise ApartError(f"its process ended with status {process.returncode}") from None
    if answer.error:
        raise ApartError(answer.error)
    made: Made = decode(hints["return"], answer.value, "what it gave")
    return made


def why(error: Exception) -> str:
    """Say why work came to nothing, here or in its own process."""
    return str(error) if isinstance(error, ApartError) else said(error)


def answer_of(module: str, name: str, given: bytes) -> Answer:
    """Do the work; an answer in any case that leaves the process alive."""
    try:
        work = getattr(importlib.import_module(module), name)
        hints = get_type_hints(work)
        made = hints.pop("return")
        (kind,) = hints.values()
        value = encode(work(decode(kind, msgspec.json.decode(given), "what it was given")))
        decode(made, value, "what it gave")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - of the user's code, whatever it is
        return Answer(error=said(error))
    return Answer(value=value)


def main() -> None:
    """Answer on what was stdout; what the work itself prints goes to the log."""
    given = sys.stdin.buffer.read()
    out = os.dup(1)
    os.dup2(2, 1)
    _stay_small()
    with os.fdopen(out, "wb") as file:
        file.write(msgspec.json.encode(answer_of(sys.argv[1], sys.argv[2], given)))


def _stay_small() -> None:
    """Take half of the function's memory at most: a function that needs more than all is ended."""
    import resource  # noqa: PLC0415 - for the process that does the work alone

    size = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if size.isdigit() and sys.platform == "linux":
        most = int(size) * MEBIBYTE // 2
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main()
