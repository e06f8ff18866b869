"""Owns the read of an answer's body: complete, decompressed, and within a size limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import requests

from algotrader.errors import BrokerUnavailableError

#: The largest real answer, the list of all assets, is about 7 MB.
MAX_BODY_BYTES = 32 * 1024 * 1024
#: The encoding that the client requests. A body in an unknown encoding does not parse as JSON.
ACCEPTED_ENCODING = "gzip"

_PART_BYTES = 64 * 1024
_DEFLATED = frozenset({"gzip", "x-gzip", "deflate"})
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def read_body(request: str, response: requests.Response) -> bytes:
    """Read the body of an answer to a request with ``stream=True``.

    The limit applies to decompressed bytes, because a few hundred kilobytes may expand to hundreds
    of megabytes.

    Parameters
    ----------
    request : str
        Method and path.

    Raises
    ------
    BrokerUnavailableError
        ``BROKER_ANSWER_TOO_LARGE``.
    requests.RequestException
        If the body ends early or does not match its encoding.
    """
    parts = _whole(response)
    if response.headers.get("Content-Encoding", "").strip().lower() in _DEFLATED:
        parts = _inflate(parts)
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise BrokerUnavailableError(
                "BROKER_ANSWER_TOO_LARGE",
                "Alpaca's answers are never that large; the base URL may be wrong.",
                request=f'"{request}"',
                limit_bytes=MAX_BODY_BYTES,
            )
    return bytes(body)


def _whole(response: requests.Response) -> Iterator[bytes]:
    """Yield a body as sent; raise if it ends early, because the library would not notice."""
    promised = response.headers.get("Content-Length", "")
    count = 0
    for part in response.raw.stream(_PART_BYTES, decode_content=False):
        count += len(part)
        yield part
    if promised.isdigit() and count < int(promised):
        message = "the body ended early"
        raise requests.ConnectionError(message)


def _inflate(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a body in parts of a bounded size."""
    inflater = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        for part in parts:
            left = part
            while left and not inflater.eof:
                yield inflater.decompress(left, _PART_BYTES)
                left = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as error:
        raise requests.exceptions.ContentDecodingError(str(error)) from error
    if not inflater.eof:
        message = "the body ended early"
        raise requests.ConnectionError(message)
