"""Owns a small HTTP server that gives the answers and faults that a test scripts."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    query: dict[str, str]
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer to send, as JSON unless ``body`` is already bytes."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""  # reset, stall, drip, truncated

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Answer | list[Answer] | Callable[[Seen], Answer]


class ScriptedBroker:
    """Sends the answers scripted for ``METHOD /path`` one by one, then repeats the last."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: list[Seen] = []
        self._stopped = threading.Event()
        broker = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # saves 40 ms an answer

            def log_message(self, *_: object) -> None:
                pass

            def _serve(self) -> None:
                broker.serve(self)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # the tests want clients that give up

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def on(self, request: str, *answers: Any, status: int = 200) -> None:
        """Script a request with JSON values, `Answer` objects or one function of the request."""
        if len(answers) == 1 and callable(answers[0]):
            self.scripts[request] = answers[0]
            return
        self.scripts[request] = [
            each if isinstance(each, Answer) else Answer(each, status) for each in answers
        ]

    def asked(self, request: str) -> list[Seen]:
        """Return the requests received for one method and path."""
        return [each for each in self.requests if f"{each.method} {each.path}" == request]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        seen = Seen(
            method=handler.command,
            path=parts.path,
            query={key: values[-1] for key, values in parse_qs(parts.query).items()},
            target=handler.path,
            headers=dict(handler.headers.items()),
            body=handler.rfile.read(length),
        )
        self.requests.append(seen)
        answer = self._answer(seen)
        if answer.fault == "reset":
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.connection.close()
            handler.close_connection = True
            return
        if answer.fault == "stall":
            self._stopped.wait(5)
            handler.close_connection = True
            return
        content = answer.content
        handler.send_response_only(answer.status)  # without a Date, unless the test scripts one
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if answer.fault == "drip":
            for at in range(len(content)):
                handler.wfile.write(content[at : at + 1])
                handler.wfile.flush()
                time.sleep(0.05)
        elif answer.fault == "truncated":
            handler.wfile.write(content[: len(content) // 2])
            handler.close_connection = True
        elif answer.status != 204:
            handler.wfile.write(content)

    def _answer(self, seen: Seen) -> Answer:
        script = self.scripts.get(f"{seen.method} {seen.path}", self.scripts.get("*"))
        if script is None:
            return Answer({"message": f"no such path {seen.path}"}, 404)
        if isinstance(script, Answer):
            return script
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script(seen)
