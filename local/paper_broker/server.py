"""Owns the broker as a server: a listening socket, one JSON line, an end on a signal."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.paper_broker import control_api, data_api, history_api, trading_api
from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.data import History, load
from local.paper_broker.faults import FaultPlan
from local.paper_broker.wsgi import Application, Intercept

ROUTES = (*trading_api.ROUTES, *history_api.ROUTES, *data_api.ROUTES, *control_api.ROUTES)


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log: a run makes hundreds of requests."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # werkzeug's name
        if type == "error":
            super().log(type, message, *args)


def application(
    options: Options, history: History | None = None, intercept: Intercept | None = None
) -> Application:
    """Make the WSGI application of a new account; the committed bars unless others are given."""
    broker = PaperBroker(history or load(), options)
    if options.faults and intercept is None:
        broker.faults = FaultPlan(options.faults, lambda: broker.exchange.now)
        intercept = broker.faults.intercept
    return Application(broker, ROUTES, intercept)


def listen(app: Application, host: str, port: int) -> tuple[BaseWSGIServer, str]:
    """Open the socket and give the server and its URL; port 0 takes a free one."""
    server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # ThreadedWSGIServer's
    shown = f"[{host}]" if ":" in host else host
    return server, f"http://{shown}:{server.port}"


def serve(
    options: Options,
    host: str = "127.0.0.1",
    port: int = 0,
    announce: Callable[[str], None] | None = None,
    *,
    follow_stdin: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; call it in the main thread.

    Parameters
    ----------
    announce : callable, optional
        Is given the URL once the socket listens; prints ``{"url": …}`` by default.
    follow_stdin : bool
        End as well when standard input does, so that no broker outlives the process that holds
        its other end.
    """
    server, url = listen(application(options), host, port)
    try:
        # Set before anyone can know that there is a process to end; a shell in the background
        # starts its children with SIGINT ignored.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        if follow_stdin:
            threading.Thread(target=_wait_for_end, args=(server,), daemon=True).start()
        (announce or _print_line)(url)
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _print_line(url: str) -> None:
    print(json.dumps({"url": url}), flush=True)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait_for_end(server: BaseWSGIServer) -> None:
    sys.stdin.buffer.read()
    server.shutdown()
