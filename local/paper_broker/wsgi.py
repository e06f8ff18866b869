"""Owns the HTTP layer: routes, keys, error bodies and the seam for injected faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.paper_broker.broker import PaperBroker
from local.paper_broker.exchange import Exchange
from local.paper_broker.faults import Respond
from local.paper_broker.rate_limit import RateLimits, too_many_requests
from local.paper_broker.values import ApiError

#: Alpaca does not document how long an address may be; longer ones have been refused.
LONGEST_URL_BYTES = 6 * 1024
KEY_HEADER = "APCA-API-KEY-ID"
SECRET_HEADER = "APCA-API-SECRET-KEY"  # noqa: S105  # the header's name
CONTROL_PREFIX = "/_paper/"

# A function that can answer a request instead of the broker. Its second argument passes the request
# to the broker. If it returns None, the broker answers.
Intercept = Callable[[Request, Respond], Response | None]


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an endpoint, with the account at the current instant."""

    broker: PaperBroker
    exchange: Exchange
    request: Request
    path: dict[str, str]

    def text(self, name: str) -> str | None:
        """Return a query parameter, or None if absent or empty."""
        return self.request.args.get(name) or None

    def symbols(self, name: str = "symbols") -> list[str] | None:
        """Return a comma-separated query parameter without duplicates, or None if absent."""
        value = self.text(name)
        if value is None:
            return None
        return list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))

    def body(self) -> Any:
        """Return the JSON body, or None if it is empty; raise a 400 if it is not JSON."""
        raw = self.request.get_data()
        if not raw:
            return None
        try:
            return json.loads(raw)
        except ValueError as error:
            raise ApiError(400, 40010000, "request body format is invalid") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """An endpoint's result: a JSON value, or no body for 204."""

    body: Any
    status: int = 200


Endpoint = Callable[[Call], Answer]
Route = tuple[str, str, Endpoint]


class Application:
    """A WSGI application for a `PaperBroker`; a fault plan can intercept requests."""

    def __init__(
        self, broker: PaperBroker, routes: Iterable[Route], intercept: Intercept | None = None
    ) -> None:
        self.broker = broker
        self._intercept = intercept
        self._limits = RateLimits(broker.requests_per_minute)
        # A client order id can contain any character, so a double slash must not redirect.
        self._map = Map(
            [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in routes],
            merge_slashes=False,
            redirect_defaults=False,
            strict_slashes=False,
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a request, as WSGI requires."""
        request = Request(environ)
        if request.path.startswith(CONTROL_PREFIX):
            return self._respond(request)(environ, start_response)
        time.sleep(self.broker.options.answer_seconds)
        is_admitted, headers = self._limits.admit(request.path, self.broker.now())
        if not is_admitted:
            return too_many_requests(headers)(environ, start_response)
        response = self._intercept(request, self._respond) if self._intercept else None
        response = response or self._respond(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            _check_length(request)
            endpoint, path = self._map.bind_to_environ(request.environ).match()
            if not request.path.startswith(CONTROL_PREFIX):
                self._check_keys(request)
            with self.broker.look() as exchange:
                answer = endpoint(Call(self.broker, exchange, request, dict(path)))
        except ApiError as refusal:
            return _json(error_body(refusal), refusal.status)
        except NotFound:
            return _json({"code": 40410000, "message": "endpoint not found."}, 404)
        except MethodNotAllowed:
            return _json({"code": 40510000, "message": "method not allowed."}, 405)
        except HTTPException as error:
            return _json({"code": 40010000, "message": str(error.description)}, error.code or 400)
        if answer.body is None:
            return Response(status=answer.status)
        return _json(answer.body, answer.status)

    def _check_keys(self, request: Request) -> None:
        wanted = self.broker.options.keys
        key, secret = request.headers.get(KEY_HEADER), request.headers.get(SECRET_HEADER)
        if not key or not secret:
            raise ApiError(401, 40110000, "request is not authorized")
        if wanted is not None and (key, secret) != wanted:
            raise ApiError(403, None, "forbidden.")


def _check_length(request: Request) -> None:
    if len(request.path) + len(request.query_string) > LONGEST_URL_BYTES:
        raise ApiError(414, 41410000, "request URI too long")


def error_body(refusal: ApiError) -> dict[str, Any]:
    """Return Alpaca's JSON for a refusal."""
    code = {} if refusal.code is None else {"code": refusal.code}
    return {**code, "message": refusal.message, **refusal.details}


def _json(body: Any, status: int) -> Response:
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return Response(text, status=status, content_type="application/json; charset=UTF-8")
