"""Owns fault plans, which make requests fail; the broker and `run` take one as ``--faults``.

A plan is a comma-separated list of faults, each ``REQUEST:WHICH:KIND``. For example,
``submit:2:504-after-accept`` accepts the second order but answers 504. docs/paper-broker.md lists
the words.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from werkzeug.wrappers import Request, Response

from local.paper_broker.rate_limit import (
    REQUESTS_PER_MINUTE,
    limit_headers,
    too_many_requests,
)
from local.paper_broker.values import HANGING_STATUSES, FaultHit

Respond = Callable[[Request], Response]

REQUESTS = {
    "submit": r"POST /v2/orders",
    "cancel": r"DELETE /v2/orders/.+",
    "order": r"GET /v2/orders:by_client_order_id|GET /v2/orders/.+",
    "orders": r"GET /v2/orders",
    "position": r"GET /v2/positions/.+",
    "positions": r"GET /v2/positions",
    "account": r"GET /v2/account",
    "clock": r"GET /v2/clock",
    "calendar": r"GET /v2/calendar",
    "assets": r"GET /v2/assets(/.+)?",
    "bars": r"GET /v2/stocks/bars",
    "prices": r"GET /v2/stocks/trades/latest",
    "any": r".+",
}
LOOK_UPS = re.compile(REQUESTS["orders"] + "|" + REQUESTS["order"])
HTML = b"<html><body>a gateway's own words</body></html>"
BEFORE, AFTER = "-before-accept", "-after-accept"
#: Faults that hit any request before it arrives, or its answer.
HOWS = ("504", "503", "500", "429", "reset", "stall", "html", "empty", "truncated")
ONLY_BEFORE, ONLY_AFTER = ("429",), ("truncated",)
#: Faults that hit only orders.
LATE, HIDDEN = "late", "hidden"
#: Faults of an order that is sent or canceled, and the status that the order then keeps forever.
HANGS = {f"hang-{each.replace('_', '-')}": each for each in HANGING_STATUSES}
LATE_BY, HIDDEN_FOR = timedelta(seconds=5), timedelta(seconds=20)
#: How far ahead the reset of a 429 is.
BUSY_FOR = timedelta(seconds=1)
#: Longer than the desk waits for an answer.
STALL_SECONDS = 20.0

_FAULT = re.compile(r"(?P<request>[a-z]+):(?P<which>\*|\d{1,6}(-\d{1,6})?):(?P<kind>[a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a plan.

    Attributes
    ----------
    text : str
        The fault as written in the plan.
    first, last : int
        The range of requests, counted from 1; ``last`` is None if the range has no end.
    how : str
        One of `HOWS`, `LATE`, `HIDDEN` or `HANGS`.
    is_applied : bool
        Whether the broker carries out the request anyway.
    """

    text: str
    request: str
    first: int
    last: int | None
    how: str
    is_applied: bool

    def fits(self, request: str, number: int) -> bool:
        """Return whether the fault applies to this request."""
        is_meant = re.fullmatch(REQUESTS[self.request], request) is not None
        return is_meant and self.first <= number and (self.last is None or number <= self.last)


def parse(text: str) -> tuple[Fault, ...]:
    """Read a plan, or raise a `ValueError` that says what is allowed."""
    return tuple(_parse_one(each.strip()) for each in text.split(",") if each.strip())


def _parse_one(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if match is None:
        message = (
            f"{text!r} is not a fault: write REQUEST:WHICH:KIND, such as submit:2:504-after-accept"
        )
        raise ValueError(message)
    request, which, kind = match["request"], match["which"], match["kind"]
    if request not in REQUESTS:
        message = f"{text!r}: the request is one of {', '.join(REQUESTS)}"
        raise ValueError(message)
    how = kind.removesuffix(BEFORE).removesuffix(AFTER)
    is_applied = kind.endswith(AFTER) or how in (*ONLY_AFTER, HIDDEN, *HANGS)
    of_orders = kind == how and (
        (how in (LATE, HIDDEN) and request == "submit")
        or (how in HANGS and request in {"submit", "cancel"})
    )
    wrong_end = (how in ONLY_BEFORE and is_applied) or (how in ONLY_AFTER and BEFORE in kind)
    if (how not in HOWS and not of_orders) or wrong_end:
        message = (
            f"{text!r}: the kind is one of {', '.join(HOWS)}, followed by {BEFORE} or {AFTER}; "
            f"for submit also {LATE} and {HIDDEN}; for submit and cancel also {', '.join(HANGS)}"
        )
        raise ValueError(message)
    first, _, last = which.partition("-")
    if which == "*":
        return Fault(text, request, 1, None, how, is_applied)
    if int(first) < 1 or int(last or first) < int(first):
        message = f"{text!r}: requests are counted from 1, such as 2, 2-4 or *"
        raise ValueError(message)
    return Fault(text, request, int(first), int(last or first), how, is_applied)


@dataclass(slots=True)
class FaultPlan:
    """A plan at work in one broker; the first fault that matches a request applies."""

    faults: tuple[Fault, ...]
    now: Callable[[], datetime]
    hang: Callable[[str, str], None]
    happened: list[FaultHit] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _late: list[tuple[datetime, Request]] = field(default_factory=list)
    _hidden: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def intercept(self, request: Request, respond: Respond) -> Response | None:
        """Answer a request if a fault applies to it; otherwise return None."""
        name = f"{request.method} {request.path}"
        if request.path.startswith("/_paper/"):
            return None
        self._deliver(respond)
        fault = self._take(name, request)
        if fault is None:
            return self._without_hidden(request, respond) if LOOK_UPS.fullmatch(name) else None
        if fault.how == LATE:
            request.get_data()  # read the body while the connection exists
            self._late.append((self.now() + LATE_BY, request))
            return Response(HTML, 504, content_type="text/html")
        answer = respond(request) if fault.is_applied else Response(b"", 200)
        if status := HANGS.get(fault.how):
            if answer.status_code in (200, 204):
                self.hang(_broker_id(request, answer), status)
            return answer
        if fault.how == HIDDEN:
            self._hidden[_order_id(request)] = self.now() + HIDDEN_FOR
            return answer
        return _spoilt(fault.how, answer, request, self.now())

    def _take(self, name: str, request: Request) -> Fault | None:
        """Count a request, and record the fault that applies to it."""
        with self._lock:
            words = [each for each, path in REQUESTS.items() if re.fullmatch(path, name)]
            self._counts.update(words)
            for fault in self.faults:
                if fault.fits(name, self._counts[fault.request]):
                    order_id = _order_id(request) if request.method == "POST" else ""
                    self.happened.append(FaultHit(fault.text, name, order_id or None))
                    return fault
        return None

    def _deliver(self, respond: Respond) -> None:
        """Deliver the late orders that are due now."""
        with self._lock:
            due = [each for each in self._late if each[0] <= self.now()]
            self._late = [each for each in self._late if each not in due]
        for _, request in due:
            respond(request)

    def _without_hidden(self, request: Request, respond: Respond) -> Response | None:
        hidden = {each for each, until in self._hidden.items() if until > self.now()}
        if not hidden:
            return None
        answer = respond(request)
        found = json.loads(answer.get_data())
        if isinstance(found, list):
            shown = [each for each in found if each["client_order_id"] not in hidden]
            answer.set_data(json.dumps(shown))
        elif found.get("client_order_id") in hidden:
            body = {"code": 40410000, "message": "order not found"}
            return Response(json.dumps(body), 404, content_type="application/json")
        return answer


def _spoilt(how: str, answer: Response, request: Request, now: datetime) -> Response:
    """Return a spoiled answer, or end the connection."""
    if how == "429":
        return too_many_requests(limit_headers(REQUESTS_PER_MINUTE, 0, now + BUSY_FOR, now))
    if how in ("504", "503", "500"):
        return Response(HTML, int(how), content_type="text/html")
    if how == "html":
        return Response(HTML, 200, content_type="text/html")
    if how == "empty":
        return Response(b"", 200)
    if how == "truncated":
        half = answer.get_data()[: len(answer.get_data()) // 2]
        return Response(half, answer.status, content_type="application/json")
    if how == "stall":
        time.sleep(STALL_SECONDS)
    _end_connection(request)
    raise ConnectionResetError  # the server then knows that the client is gone


def _end_connection(request: Request) -> None:
    """Reset the connection, as a router does after losing its state."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RD)
            connection.close()


def _broker_id(request: Request, answer: Response) -> str:
    """Return the broker's id of the order that a request sent or canceled."""
    if request.method == "DELETE":
        return request.path.rpartition("/")[2]
    return str(json.loads(answer.get_data())["id"])


def _order_id(request: Request) -> str:
    try:
        return str(json.loads(request.get_data())["client_order_id"])
    except (ValueError, KeyError, TypeError):
        return ""
