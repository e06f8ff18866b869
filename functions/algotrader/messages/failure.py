"""Owns the parsing of a run's failure, and whether the run may have sent orders."""

from __future__ import annotations

import json
import re

from msgspec import Struct

from algotrader.plain_text import one_line

# The states before the first state that can send an order.
BEFORE_ORDERS = frozenset(
    {
        "Start Run",
        "Fetch Bars",
        "Market Open?",
        "Compute Indicators",
        "Decide Orders",
        "Any Orders?",
    }
)

DEFAULT_ADVICE = (
    "Look at the execution in the console, then start a new one. It finds the orders already "
    "placed."
)

_CODE = re.compile(r"([A-Z][A-Z0-9_]{2,}): (.*)", re.DOTALL)
_FACT = re.compile(r"[a-z][a-z0-9_]*=")
_QUOTED_OR_END = re.compile(r"=\"[^\"]*\"|='[^']*'|(?P<end>\. )(?=\S)")
_ERROR_MESSAGE = re.compile(r'"errorMessage"\s*:\s*')


class FailureReport(Struct, frozen=True):
    """The state in which a run failed, and the parts of its error.

    Attributes
    ----------
    state : str
        The state that failed.
    error : str
        The error's name: ours or the platform's.
    message : str
        The error's whole message, on one line.
    code : str
        Our reason code, or an empty string for an error of the platform.
    facts : str
        ``key=value`` pairs, or the message of an error of the platform.
    advice : str
        What to do.
    """

    state: str
    error: str
    message: str
    code: str
    facts: str
    advice: str

    @property
    def before_orders(self) -> bool:
        """Whether the run failed before it could send an order."""
        return self.state in BEFORE_ORDERS


def read_failure(state: str, error: str, cause: str) -> FailureReport:
    """Parse Step Functions' error and cause.

    Parameters
    ----------
    state : str
        The state that failed.
    error : str
        Step Functions' error name.
    cause : str
        Plain text, or a Lambda failure's JSON with ``errorMessage``, which may be truncated.
    """
    message = one_line(error_message(cause))
    code, facts, advice = split_message(message)
    return FailureReport(
        state=one_line(state) or "an unknown state",
        error=one_line(error) or "UnknownError",
        message=message,
        code=code,
        facts=facts,
        advice=advice or DEFAULT_ADVICE,
    )


def error_message(cause: str) -> str:
    """Return the message in a cause; the whole cause if it contains none."""
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("errorMessage"), str):
        return str(document["errorMessage"])
    match = _ERROR_MESSAGE.search(cause) if cause.lstrip().startswith("{") else None
    if match is None:
        return cause
    start = match.end()
    try:
        words, _ = json.JSONDecoder().raw_decode(cause, start)
    except (ValueError, RecursionError):  # truncated inside the message
        return cause[start:].lstrip('"')
    return words if isinstance(words, str) else cause


def split_message(message: str) -> tuple[str, str, str]:
    """Split ``CODE: key=value key=value. Advice.`` into code, facts and advice.

    Any other message counts as facts. Facts end at the first period and space outside a quoted
    value.
    """
    match = _CODE.fullmatch(message)
    if match is None:
        return "", message, ""
    code, rest = match[1], match[2]
    if not _FACT.match(rest):
        return code, "", rest
    for found in _QUOTED_OR_END.finditer(rest):
        if found["end"]:
            return code, rest[: found.start()], rest[found.end() :]
    return code, rest, ""
