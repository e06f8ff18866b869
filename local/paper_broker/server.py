"""Owns the broker's server: the socket, the line of JSON that it prints, and its signals."""

from __future__ import annotations

import json
import signal
from types import FrameType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.paper_broker import (
    bars_api,
    control_api,
    corporate_actions_api,
    history_api,
    latest_api,
    positions_api,
    ticks_api,
    trading_api,
)
from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.data import History, sample_history
from local.paper_broker.faults import FaultPlan
from local.paper_broker.wsgi import Application, Intercept

ROUTES = (
    *trading_api.ROUTES,
    *positions_api.ROUTES,
    *history_api.ROUTES,
    *bars_api.ROUTES,
    *ticks_api.ROUTES,
    *latest_api.ROUTES,
    *corporate_actions_api.ROUTES,
    *control_api.ROUTES,
)


class _QuietHandler(WSGIRequestHandler):
    """A handler without an access log because a run makes hundreds of requests."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # werkzeug's name
        if type == "error":
            super().log(type, message, *args)


def application(
    options: Options, history: History | None = None, intercept: Intercept | None = None
) -> Application:
    """Build the WSGI application for a new account, by default on the sample data."""
    broker = PaperBroker(history or sample_history(options.synthetic), options)
    if options.faults and intercept is None:
        broker.faults = FaultPlan(options.faults, lambda: broker.exchange.now, broker.hang)
        intercept = broker.faults.intercept
    return Application(broker, ROUTES, intercept)


def listen(
    app: Application, host: str, port: int, descriptor: int | None = None
) -> tuple[BaseWSGIServer, str]:
    """Open the socket and return the server and its URL.

    Parameters
    ----------
    port : int
        0 takes a free port.
    descriptor : int or None
        Descriptor of a listening socket; None opens a new socket.
    """
    server = make_server(
        host, port, app, threaded=True, request_handler=_QuietHandler, fd=descriptor
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # ThreadedWSGIServer's
    shown = f"[{host}]" if ":" in host else host
    return server, f"http://{shown}:{server.port}"


def serve(
    options: Options, host: str = "127.0.0.1", port: int = 0, descriptor: int | None = None
) -> None:
    """Print ``{"url": …}`` and serve until SIGTERM or SIGINT; call it in the main thread."""
    server, url = listen(application(options), host, port, descriptor)
    try:
        # Set the handlers before anyone can know the URL and end the process. A background shell
        # starts its children with SIGINT ignored.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        print(json.dumps({"url": url}), flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
