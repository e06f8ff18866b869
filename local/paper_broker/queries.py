"""Owns the reading of query parameters: instants, dates, whole numbers, words.

Each function raises an `ApiError` with ``status`` if the value is invalid.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from local.paper_broker.market import new_york_date, new_york_instant
from local.paper_broker.values import ApiError
from local.paper_broker.wsgi import Call

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# RFC 3339 allows any number of digits in a fraction of a second, but a datetime has only six.
_FINER = re.compile(r"(\.\d{6})\d+")


def instant(call: Call, name: str, *, status: int = 422) -> datetime | None:
    """Read an RFC 3339 instant, or a date, which stands for its midnight in New York."""
    value = call.text(name)
    if value is None:
        return None
    # If the client did not escape an offset's plus sign, it arrives as a space.
    value = value.replace(" ", "+") if "T" in value else value
    try:
        if _DATE.fullmatch(value):
            return new_york_instant(date.fromisoformat(value), time(0))
        read = datetime.fromisoformat(_FINER.sub(r"\1", value))
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ApiError(
            status, 40010001, f"invalid {name}: {value!r} is neither RFC-3339 nor a date"
        )
    return read.astimezone(UTC)


def day(call: Call, name: str) -> date | None:
    """Read a date, or an instant as its New York date."""
    read = instant(call, name)
    return new_york_date(read) if read else None


def whole(call: Call, name: str, default: int, highest: int, *, status: int = 422) -> int:
    """Read a whole number from 1 to ``highest``, or raise an `ApiError`."""
    value = call.text(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= highest:
        raise ApiError(status, 40010001, f"invalid {name}: must be from 1 to {highest}")
    return int(value)


def word(call: Call, name: str, known: tuple[str, ...], *, status: int = 422) -> str:
    """Read one of the known words, or raise an `ApiError`; the first word is the default."""
    value = call.text(name) or known[0]
    if value not in known:
        raise ApiError(status, 40010001, f"invalid {name}: {value}")
    return value
