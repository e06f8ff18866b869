"""Owns a loopback proxy that changes a broker's answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.support.loopback_server import serving


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the desk."""

    status: int
    body: bytes
    content_type: str = "application/json"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def as_json(value: object, status: int = 200) -> Answer:
    """Build a JSON answer; a NaN in it is not valid JSON."""
    return Answer(status, json.dumps(value).encode())


Distortion = Callable[[str, str, Answer], Answer]
Interception = Callable[[str, str], Answer | None]


@dataclass(slots=True)
class DistortingProxy:
    """A proxy for the broker at ``upstream``.

    ``intercept(method, path)`` can answer instead of the broker. ``distort(method, path, answer)``
    can change the broker's answer.
    """

    upstream: str
    intercept: Interception | None = None
    distort: Distortion | None = None
    posts: list[str] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[DistortingProxy]:
        """Serve on a free loopback port until the block ends."""
        with serving(self._handler()) as self.url:
            yield self

    def answer(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if method == "POST":
            self.posts.append(path)
        early = self.intercept(method, urlsplit(path).path) if self.intercept else None
        if early is not None:
            return early
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.upstream + path, data=body, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - loopback
                got = Answer(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                got = Answer(error.code, error.read())
        if self.distort is None:
            return got
        return self.distort(method, urlsplit(path).path, got)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else None
                kept = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower().startswith("apca-") or name.lower() == "content-type"
                }
                answer = proxy.answer(self.command, self.path, body, kept)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler
