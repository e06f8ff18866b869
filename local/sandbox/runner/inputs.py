"""Owns the execution's input: how the user gives it, and the bell's instant in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from local.problems import UsageProblem

BELL, REPORT_BELL = "09:35", "16:15"
_SLOT = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])")


def read_input(text: str) -> Any:
    """Read ``--input``, which is JSON or the path of a JSON file, with or without an ``@``.

    Raises
    ------
    UsageProblem
        If it is neither; the message names the place of the JSON error.
    """
    if text.startswith("@"):
        return _read_file(Path(text[1:]))
    try:
        return _parse(text, "--input")
    except UsageProblem:
        path = Path(text)
        if _is_file(path):
            return _read_file(path)
        if path.suffix == ".json" and "{" not in text:
            raise UsageProblem(f"--input: there is no file {text}") from None
        raise


def with_bell(value: Any, scheduled_time: str | None) -> Any:
    """Add the bell's instant to an object without ``scheduled_time``; keep any other input."""
    if scheduled_time is None or not isinstance(value, dict) or "scheduled_time" in value:
        return value
    return value | {"scheduled_time": scheduled_time}


def bell_time(value: Any, slots: str) -> str:
    """Return the New York time of day, ``HH:MM``, at which a run with this input starts.

    Parameters
    ----------
    slots : str
        The template's ``Slots``: ``day``, or times of day as ``HHMM``, separated by commas.
    """
    wanted = value if isinstance(value, dict) else {}
    if wanted.get("report_only") is True:
        return REPORT_BELL
    for slot in (wanted.get("slot"), slots.partition(",")[0].strip()):
        if isinstance(slot, str) and (match := _SLOT.fullmatch(slot)):
            return f"{match[1]}:{match[2]}"
    return BELL


def _read_file(path: Path) -> Any:
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"--input: {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageProblem(f"--input: {path} is not UTF-8 text") from error
    return _parse(content, f"--input {path}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL: not a file name
        return False


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageProblem(f"{what} is not JSON: {error.msg} at {place}") from error
    except _ConstantError as error:
        raise UsageProblem(f"{what} is not JSON: {error} is not a JSON value") from error
    except RecursionError as error:
        raise UsageProblem(f"{what} is nested too deeply") from error


class _ConstantError(ValueError):
    """NaN or an infinity, which Python accepts and JSON does not have."""


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)
