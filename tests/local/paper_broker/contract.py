"""Owns a WSGI layer that checks all requests and answers against Alpaca's OpenAPI documents."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from rfc3339_validator import validate_rfc3339
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request

from local.paper_broker.wsgi import Application

HOSTS = {
    "trading-api": "https://paper-api.alpaca.markets",
    "market-data-api": "https://data.alpaca.markets",
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Alpaca documents corporate actions under v1, but clients use v1beta1.
RENAMED = {"/v1beta1/corporate-actions": "/v1/corporate-actions"}
# The documents require an activity to match one of two schemas, but every activity matches both.
AMBIGUOUS = "/v2/account/activities/"
MONEY = (
    *("qty", "notional", "limit_price", "stop_price"),
    *("trail_price", "trail_percent", "trail"),
)
# The documents spell types of announcements with a capital letter; clients and answers do not.
ANNOUNCEMENTS = "/v2/corporate_actions/announcements"
# Statuses that Alpaca returns but does not document.
UNDOCUMENTED = {401, 403, 404, 405, 409, 414, 422, 400}


@cache
def document(name: str) -> OpenAPI:
    """Load a document from the installed package of Alpaca's MCP server."""
    path = files("alpaca_mcp_server").joinpath(f"specs/{name}.json")
    config = Config(extra_format_validators={"date-time": _is_instant_or_date})
    return OpenAPI.from_dict(json.loads(path.read_text(encoding="utf-8")), config=config)


def _is_instant_or_date(value: object) -> bool:
    """Also accept a bare date, because the documents' own text and examples do."""
    if not isinstance(value, str):
        return True  # a format applies only to strings
    return bool(_DATE.fullmatch(value)) or validate_rfc3339(value)


def _with_money_as_text(body: bytes) -> bytes:
    """Format an order's numbers as strings: Alpaca accepts both, but its documents only strings."""
    try:
        order = json.loads(body)
    except ValueError:
        return body
    if not isinstance(order, dict):
        return body
    texts = {key: str(order[key]) for key in MONEY if type(order.get(key)) in (int, float)}
    return json.dumps({**order, **texts}).encode()


def _with_capital_types(data: bytes) -> bytes:
    """Format the types in an answer with announcements as the documents do."""
    body = json.loads(data)
    found = [
        {**each, "ca_type": each["ca_type"].title()}
        for each in (body if isinstance(body, list) else [body])
    ]
    return json.dumps(found if isinstance(body, list) else found[0]).encode()


def _without_refusals(data: bytes) -> bytes:
    """Remove the error bodies from a list of statuses: the documents describe only an order."""
    return json.dumps(
        [
            {key: value for key, value in row.items() if key != "body" or row["status"] == 200}
            for row in json.loads(data)
        ]
    ).encode()


class Contract:
    """A WSGI application that passes requests to the broker and records breaches of the documents.

    Parameters
    ----------
    app : Application
        The broker.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self.breaches: list[str] = []
        self.seen: list[tuple[str, str, int]] = []

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Pass a request to the broker and check both messages."""
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        environ.pop("werkzeug.request", None)
        chunks, status, headers = run_wsgi_app(self._app, environ)
        data = b"".join(chunks)
        if not request.path.startswith("/_paper/"):
            self.seen.append((request.method, request.path, int(status[:3])))
            self._hold(request, body, int(status[:3]), data)
        start_response(status, list(headers))
        return [data]

    def _hold(self, request: Request, body: bytes, status: int, data: bytes) -> None:
        path = RENAMED.get(request.path, request.path)
        name = "trading-api"
        if path.startswith(("/v2/stocks/", "/v1/")):
            name = "market-data-api"
        args = request.args.to_dict()
        if path == ANNOUNCEMENTS and "ca_types" in args:
            args["ca_types"] = args["ca_types"].title()
        asked = MockRequest(
            HOSTS[name],
            request.method.lower(),
            path,
            args=args,
            headers=dict(request.headers),
            data=_with_money_as_text(body) or None,
            content_type=request.content_type or "application/json",
        )
        try:
            document(name).validate_request(asked)
            if status in UNDOCUMENTED:
                # Only a 403 for wrong keys, or for a feed that is not paid for, has no code.
                refusal = set(json.loads(data))
                assert "message" in refusal
                assert "code" in refusal or status == 403
                return
            if path.startswith(AMBIGUOUS):
                return
            if path.startswith(ANNOUNCEMENTS):
                data = _with_capital_types(data)
            if status == 207:
                data = _without_refusals(data)
            answered = MockResponse(data, status, content_type="application/json")
            document(name).validate_response(asked, answered)
        except OpenAPIError as error:
            cause = error.__cause__
            details = [str(it)[:400] for it in getattr(cause, "schema_errors", ())]
            self.breaches.append(f"{request.method} {request.full_path}: {error} {cause} {details}")
