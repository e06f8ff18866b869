"""Owns an HTTP reply, and the conversion of its JSON to a given type."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from algotrader.adapters.alpaca.rate_limits import NO_LIMIT, RateLimit
from algotrader.errors import BrokerUnavailableError
from algotrader.plain_text import one_line
from algotrader.soundness import parse_float

T = TypeVar("T")

#: A long exponent is rare, and is usually part of an id.
_LONG_EXPONENT = re.compile(rb"[0-9][eE]-[0-9]{3}")
_CODE_LENGTH = 20  # Alpaca's own codes have eight digits


class Reply(Struct, frozen=True):
    """One answer of any status; ``request`` is the method and path, such as ``GET /v2/clock``."""

    request: str
    status: int
    body: bytes
    limit: RateLimit = NO_LIMIT

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own range

    @property
    def is_broken(self) -> bool:
        """Whether a server failed: with 5xx, or with 2xx and a body that is cut off or not JSON."""
        text = self.body.strip()
        has_ends = (text[:1], text[-1:]) in ((b"{", b"}"), (b"[", b"]"))
        return self.status >= 500 or (self.ok and not has_ends)  # noqa: PLR2004 - HTTP's own range

    @property
    def is_market_data(self) -> bool:
        """Whether the answer comes from the market data API."""
        return "/v2/stocks/" in self.request or self.request.endswith("/corporate-actions")


class ErrorBody(msgspec.Struct, frozen=True):
    """Alpaca's body of a 4xx answer."""

    message: str = ""
    code: int | str | None = None

    def __post_init__(self) -> None:
        """Remove invisible characters from the broker's text."""
        force_setattr(self, "message", one_line(self.message))
        if isinstance(self.code, str):
            force_setattr(self, "code", one_line(self.code, _CODE_LENGTH))


def decode_reply(reply: Reply, kind: type[T]) -> T:
    """Parse a reply's body as a ``kind``; unknown fields are ignored.

    Raises
    ------
    BrokerUnavailableError
        ``BROKER_ANSWER_NOT_JSON`` for HTML, an empty body or half a document;
        ``BROKER_ANSWER_INVALID`` for JSON of another shape, with the path of the first misfit.
    """
    try:
        found = msgspec.json.decode(reply.body, type=kind)
        _check_numbers(reply.body)
    except msgspec.ValidationError as error:
        raise invalid(reply.request, str(error)) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BrokerUnavailableError(
            "BROKER_ANSWER_NOT_JSON",
            "The base URL may be wrong: check the template's AlpacaTradingUrl and AlpacaDataUrl.",
            request=f'"{reply.request}"',
            status=reply.status,
            bytes=len(reply.body),
        ) from error
    return found


def _check_numbers(body: bytes) -> None:
    """Refuse a number that becomes 0 as a float, such as 1e-999999 in a bar."""
    # Almost no page of bars has these two letters, and the search for them takes no time.
    if (b"e-" not in body and b"E-" not in body) or not _LONG_EXPONENT.search(body):
        return
    try:
        json.loads(body, parse_float=parse_float)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error


def error_body(reply: Reply) -> ErrorBody | None:
    """Parse the reason for a 4xx; None if the body does not look like Alpaca's."""
    try:
        return msgspec.json.decode(reply.body, type=ErrorBody)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def invalid(request: str, problem: str) -> BrokerUnavailableError:
    """Build the error for an answer that does not have Alpaca's shape."""
    return BrokerUnavailableError(
        "BROKER_ANSWER_INVALID",
        "The broker's answer does not look like Alpaca's; the base URL may be wrong.",
        request=f'"{request}"',
        problem=f'"{problem}"',
    )


def format_instant(instant: datetime) -> str:
    """Format an instant in UTC as Alpaca expects it."""
    return instant.isoformat().replace("+00:00", "Z")
