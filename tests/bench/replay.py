"""Owns a loopback server that records the answers of another server, and then repeats them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.support.loopback_server import serving

Key = tuple[str, str, str]
Request = tuple[str, str, str]

#: Headers that belong to one connection, or that the server below writes itself.
_OF_A_CONNECTION = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the recorded server."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Replay:
    """A server that asks ``upstream`` until `repeat`, and from then on repeats its answers.

    Attributes
    ----------
    requests : list of tuple
        The recorded requests as method, path and body.
    unknown : list of tuple
        Requests that nobody recorded; the server answers them with 500.
    """

    upstream: str
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    unknown: list[Key] = field(default_factory=list)
    _answers: dict[Key, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    _asked: dict[Key, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def serving(self) -> Iterator[Replay]:
        """Serve on a free loopback port until the block ends."""
        with serving(self._handler()) as self.url:
            yield self

    def repeat(self) -> None:
        """Repeat the recorded answers from the first one on."""
        self._asked = defaultdict(int)

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Return the recorded answer, or the upstream server's."""
        target = headers.get("X-Amz-Target", "")
        key = (method, path, target and target + body.decode())
        with self._lock:
            if self._asked is None:
                self.requests.append((method, path, body.decode(errors="replace")))
                self._answers[key].append(self._ask(method, path, body, headers))
                return self._answers[key][-1]
            if key not in self._answers:
                self.unknown.append(key)
                return Answer(500, (), b"{}")
            self._asked[key] += 1
            return self._answers[key][min(self._asked[key], len(self._answers[key])) - 1]

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        found = Answer(answer.status, _kept(dict(answer.getheaders())), answer.read())
        connection.close()
        return found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = dict(_kept(dict(self.headers.items())))
                answer = replay.answer(self.command, self.path, body, kept)
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - http.server's

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler


def _kept(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, it) for name, it in headers.items() if name.lower() not in _OF_A_CONNECTION)
