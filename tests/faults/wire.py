"""Owns the connection of the real clients to the world: their sockets and their clock.

The desk's adapters, alpaca-trade-api, requests and botocore run unchanged. Only the socket is
replaced, in `HTTPAdapter.send` and in botocore's ``before-send``. Waiting is virtual.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import botocore
import requests
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from requests.adapters import HTTPAdapter

from algotrader.adapters import aws
from algotrader.adapters.alpaca import client as alpaca_client
from fetch_bars import app as fetch_app
from submit_orders import app as submit_app
from submit_orders import call as submit_call
from submit_orders import sender as submit_sender
from tests.faults.market import MACHINE
from tests.faults.simulation import KEYS, Reply, World
from tests.support.executions import EVENTS_A_PAGE, history_of

T = TypeVar("T")
BUCKET = "bucket"
BROKER = "http://127.0.0.1"  # the client uses no proxy for this address
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "BUCKET": BUCKET,
    "TRADING_MODE": "paper",
    "ALPACA_KEYS_PARAMETER": "/desk/alpaca-keys",
    "TRADING_STATE_PARAMETER": "/desk/trading-state",
    "LIVE_ARMING_PARAMETER": "/desk/live-arming",
    "STACK_ID": "desk",
    "APCA_API_BASE_URL": BROKER,
    "APCA_API_DATA_URL": BROKER,
}
AWS_TIMEOUT_SECONDS = 10
WRITTEN_TERMS = ("symbol", "side", "qty", "limit_price", "stop_price", "time_in_force")
PAUSE_SECONDS = 1  # between botocore's attempts, instead of a random pause


class Killed(BaseException):
    """Raised when the process is killed."""


class Broken(Exception):  # noqa: N818 - a fault of the network, not of ours
    """Raised if no answer comes: ``refused``, ``reset``, or ``stalled`` past the time-out."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of a call, and how to carry it out.

    Attributes
    ----------
    service : str
        ``broker``, ``s3``, ``ssm``, or ``sfn`` for Step Functions.
    verb, path : str
        As in HTTP; the path of an object is its key.
    apply : callable
        Sends the request to the service and returns the answer.
    timeout : float
        How long the client waits for an answer, in seconds.
    """

    service: str
    verb: str
    path: str
    body: bytes
    apply: Callable[[], Reply]
    timeout: float

    @property
    def changes(self) -> bool:
        """Whether the request can change anything."""
        return self.verb in {"POST", "DELETE", "PUT"} and self.service in {"broker", "s3"}

    @property
    def name(self) -> str:
        """The name of the request in reports."""
        return f"{self.service} {self.verb} {self.path.rsplit('/', 1)[-1].split('?')[0]}"


Script = Callable[[Exchange], Reply]


class Wire:
    """Connects both clients to a world; every exchange goes through ``script``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.script: Script = lambda exchange: exchange.apply()
        self.arrange: Callable[[Sequence[int]], Sequence[int]] = lambda numbers: numbers
        self._own = threading.local()

    @property
    def plan(self) -> dict[str, Any]:
        """The plan of this thread's current call."""
        given: dict[str, Any] = getattr(self._own, "plan", {})
        return given

    @plan.setter
    def plan(self, given: dict[str, Any]) -> None:
        self._own.plan = given

    def run_all(self, works: Sequence[Callable[[], T]]) -> list[T]:
        """Run a batch of posts, one after another, instead of at the same time.

        Each post is a single exchange, so the batch's order decides all that can happen. A process
        that is killed in one post leaves those before it sent, and the others not.
        """
        order = self.arrange(range(len(works)))
        outer = getattr(self._own, "run", lambda: None)
        results: dict[int, T] = {}
        begun: set[int] = set()

        def run() -> None:
            for number in order:
                if number not in begun:
                    begun.add(number)
                    results[number] = works[number]()

        self._own.run = run
        try:
            run()
        finally:
            self._own.run = outer
        return [results[number] for number in range(len(works))]

    def run_others(self) -> None:
        """Run the other posts of this thread's current batch."""
        run = getattr(self._own, "run", None)
        if run:
            run()

    @contextmanager
    def tied(self) -> Iterator[None]:
        """Replace sockets and time until the block ends."""
        time = SimpleNamespace(
            monotonic=lambda: self.world.state.ms / 1000,
            sleep=self._pause,
        )
        pause = SimpleNamespace(sleep=lambda _: self._pause(PAUSE_SECONDS))
        with (
            patch.dict("os.environ", ENVIRON),
            patch.object(HTTPAdapter, "send", self._requests_end()),
            patch.object(alpaca_client, "time", time),
            patch.object(submit_call, "time", time),
            patch.object(submit_sender, "time", time),
            patch.object(submit_app, "run_at_once", self.run_all),
            patch.object(aws, "time", time),
            # The real one ends slow answers with a thread and real time, but time here is virtual.
            patch.object(alpaca_client, "within", lambda _seconds, call: call()),
            patch("botocore.endpoint.time", pause),
            patch(
                "botocore.useragent.UserAgentString.to_string", lambda _: "desk"
            ),  # the real one is slow
            # The many runs of this process would use up its retries, but a single run cannot.
            patch("botocore.retries.quota.RetryQuota.acquire", lambda *_: True),
        ):
            level = submit_app.logger.log_level
            for app in (fetch_app, submit_app):
                app.logger.setLevel("CRITICAL")
            aws.client.cache_clear()
            for service in ("s3", "ssm", "stepfunctions"):
                events = aws.client(service).meta.events
                events.register("before-send", self._botocore_end)
                events.register(
                    "choose-signer", lambda **_: botocore.UNSIGNED
                )  # nothing checks signatures
            try:
                yield
            finally:
                aws.client.cache_clear()
                for app in (fetch_app, submit_app):
                    app.logger.setLevel(level)

    def _pause(self, seconds: float) -> None:
        self.world.pause(seconds)

    # -- the broker, under requests ---------------------------------------------------------------

    def _requests_end(self) -> Callable[..., requests.Response]:
        def send(adapter: HTTPAdapter, request: Any, **options: Any) -> requests.Response:
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            target = request.url.removeprefix(BROKER)
            connect, read = options["timeout"]
            exchange = Exchange(
                "broker",
                request.method,
                target,
                body,
                lambda: self.world.ask(request.method, target, body),
                read,
            )
            if request.method == "POST":
                self._check_written_down(body)
            try:
                reply = self.script(exchange)
            except Broken as broken:
                if broken.how == "stalled":
                    self.world.sleep(read)
                    raise requests.ReadTimeout(request=request) from broken
                cause: Exception = ConnectionResetError(104, "Connection reset by peer")
                if broken.how == "refused":
                    cause = ConnectionRefusedError(111, "Connection refused")
                problem = urllib3.exceptions.ProtocolError("Connection aborted.", cause)
                raise requests.ConnectionError(problem, request=request) from broken
            assert connect <= read
            headers = dict(reply.headers) | {"Content-Length": str(reply.promised)}
            return adapter.build_response(
                request,
                urllib3.HTTPResponse(
                    io.BytesIO(reply.body), headers, reply.status, preload_content=False
                ),
            )

        return send

    def _check_written_down(self, body: bytes) -> None:
        """Note an order whose plan Step Functions and S3 did not store before it was sent."""
        sent, run_id, number = json.loads(body), self.plan["run_id"], self.plan["sequence"]
        journal = f"runs/{run_id.removesuffix('-day')}/{run_id}/"
        names = ["decision.json", *([f"plan-{number:03d}.json"] if number else [])]
        stored = [self.world.state.bucket.get(journal + each) for each in names]
        # A forged plan in the bucket is not the plan that the call received.
        kept = [] if "forged" in self.world.state.notes else stored[1:]
        plans = [self.plan, *(json.loads(each) for each in kept if each)]
        wanted = {key: sent.get(key) for key in WRITTEN_TERMS}
        is_in_each = all(
            any(wanted.items() <= each.items() for each in plan["orders"]) for plan in plans
        )
        if None in stored or not is_in_each:
            self.world.state.notes.add("UNPLANNED")

    # -- S3, SSM and Step Functions, under botocore -----------------------------------------------

    def _botocore_end(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        _, service, operation = event_name.split(".")
        body = _body_of(request)
        url = urlsplit(request.url)
        path = url.path.removeprefix(f"/{BUCKET}").lstrip("/")
        if operation == "PutObject":
            apply = lambda: self._put(path, body, request.headers)  # noqa: E731
        elif operation == "ListObjectsV2":
            apply = lambda: self._list(dict(parse_qsl(url.query)))  # noqa: E731
        elif service == "s3":
            apply = lambda: self._get(path)  # noqa: E731
        elif service == "ssm":
            path = json.loads(body)["Name"]
            apply = lambda: self._parameter(path)  # noqa: E731
        else:
            path = f"/{operation}"
            apply = lambda: self._execution(operation, json.loads(body))  # noqa: E731
        exchange = Exchange(service, request.method, path, body, apply, AWS_TIMEOUT_SECONDS)
        try:
            reply = self.script(exchange)
        except Broken as broken:
            if broken.how == "stalled":
                self.world.sleep(AWS_TIMEOUT_SECONDS)
                raise ReadTimeoutError(endpoint_url=request.url) from broken
            kind = EndpointConnectionError if broken.how == "refused" else ConnectionClosedError
            raise kind(endpoint_url=request.url, error=broken) from broken
        headers = dict(reply.headers)
        if reply.promised is not None:
            headers["content-length"] = str(reply.promised)
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))

    def _put(self, key: str, body: bytes, headers: Any) -> Reply:
        there = self.world.state.bucket.get(key)
        match = headers.get("If-Match")
        if (headers.get("If-None-Match") == b"*" or headers.get("If-None-Match") == "*") and (
            there is not None
        ):
            return _refusal(412, "PreconditionFailed")
        if match is not None and (there is None or _tag(there) != _text(match)):
            return _refusal(412, "PreconditionFailed")
        self.world.state.bucket[key] = body
        return Reply(200, b"", 0, (("ETag", _tag(body)),))

    def _get(self, key: str) -> Reply:
        body = self.world.state.bucket.get(key)
        if body is None:
            return _refusal(404, "NoSuchKey")
        return Reply(200, body, len(body), (("ETag", _tag(body)),))

    def _list(self, query: dict[str, str]) -> Reply:
        """List the folders below a prefix on one page, which is enough for every run."""
        prefix, delimiter = query["prefix"], query["delimiter"]
        folders = {
            prefix + name[: name.index(delimiter) + 1]
            for key in self.world.state.bucket
            if key.startswith(prefix) and delimiter in (name := key.removeprefix(prefix))
        }
        found = "".join(
            f"<CommonPrefixes><Prefix>{each}</Prefix></CommonPrefixes>" for each in sorted(folders)
        )
        body = (
            f"<ListBucketResult><Name>{BUCKET}</Name><Prefix>{prefix}</Prefix>"
            f"<KeyCount>{len(folders)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        ).encode()
        return Reply(200, body, len(body))

    def _execution(self, operation: str, query: dict[str, Any]) -> Reply:
        """Describe an execution; the role may only read those of its own state machine."""
        arn = query["executionArn"]
        execution = self.world.state.executions.get(arn)
        if arn.rpartition(":")[0] != MACHINE:
            return _problem("AccessDeniedException")
        if execution is None:
            return _problem("ExecutionDoesNotExist")
        answer: dict[str, Any]
        if operation == "DescribeExecution":
            answer = {"executionArn": arn, "status": execution.status, "startDate": 0}
        else:
            events = history_of(execution.results.items())
            start = int(query.get("nextToken", 0))
            answer = {"events": events[start : start + EVENTS_A_PAGE]}
            if start + EVENTS_A_PAGE < len(events):
                answer["nextToken"] = str(start + EVENTS_A_PAGE)
        body = json.dumps(answer).encode()
        return Reply(200, body, len(body))

    def _parameter(self, name: str) -> Reply:
        is_keys = name.endswith("keys")
        if not is_keys and name != ENVIRON["TRADING_STATE_PARAMETER"]:
            return _problem("ParameterNotFound")
        value = {
            "Name": name,
            "Type": "SecureString" if is_keys else "String",
            "Value": KEYS if is_keys else self.world.state.switch,
        }
        body = json.dumps({"Parameter": value}).encode()
        return Reply(200, body, len(body))


class _Raw(io.BytesIO):
    """A response body as botocore reads it."""

    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part


def _body_of(request: Any) -> bytes:
    body = request.body or b""
    if not hasattr(body, "read"):
        return body.encode() if isinstance(body, str) else bytes(body)
    body.seek(0)
    whole, parts = body.read(), []
    while whole:  # aws-chunked: each part follows its length in hex, and the checksum comes last
        length, _, whole = whole.partition(b"\r\n")
        if not int(length, 16):
            break
        parts.append(whole[: int(length, 16)])
        whole = whole[int(length, 16) + 2 :]
    return b"".join(parts)


def _refusal(status: int, code: str) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return Reply(status, body, len(body))


def _problem(code: str) -> Reply:
    """Return an error in the format of SSM and Step Functions."""
    body = json.dumps({"__type": code, "message": "no"}).encode()
    return Reply(400, body, len(body))


def _tag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
