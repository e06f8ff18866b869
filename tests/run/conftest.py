"""Owns whole runs: the real template and handlers, and a broker whose answers a test can change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import EmbeddedAws, Stack
from tests.support.distorting_proxy import Answer, DistortingProxy, Distortion, as_json

Bars = list[dict[str, Any]]

SESSION = date(2012, 6, 20)
BEHIND_THE_PROXY = ("AlpacaTradingUrl", "AlpacaDataUrl")


def change_bars(symbol: str, change: Callable[[Bars], Iterable[dict[str, Any]]]) -> Distortion:
    """Change one symbol's bars in every answer of the broker."""

    def distort(_method: str, path: str, answer: Answer) -> Answer:
        if not path.endswith("/bars"):
            return answer
        body = answer.json
        if symbol in body["bars"]:
            body["bars"][symbol] = list(change(body["bars"][symbol]))
        return as_json(body, answer.status)

    return distort


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended, and what it reported to its user."""

    status: str
    error: str | None
    cause: str
    sms: str
    subject: str
    email: str
    orders_sent: int

    @property
    def outcome(self) -> tuple[str, str | None, int]:
        return self.status, self.error, self.orders_sent


@dataclass(slots=True)
class Bench:
    """Starts runs on any deployment and with any broker."""

    aws: EmbeddedAws
    proxy: DistortingProxy
    bell: str
    _numbers: Iterator[int]

    @property
    def addresses(self) -> dict[str, str]:
        """The parameters that point a stack at the proxy."""
        return dict.fromkeys(BEHIND_THE_PROXY, self.proxy.url)

    @contextmanager
    def own_broker(self, **options: Any) -> Iterator[PaperBrokerProcess]:
        """Put a new broker behind the proxy; the options are those of `PaperBrokerProcess`."""
        upstream = self.proxy.upstream
        with PaperBrokerProcess(session=SESSION, **options) as process:
            process.open_session(SESSION)
            self.proxy.upstream = process.url
            try:
                yield process
            finally:
                self.proxy.upstream, self.proxy.intercept = upstream, None

    def deploy(self, parameters: Mapping[str, str] | None = None, **options: Any) -> Stack:
        """Deploy a new stack with its own journal; the options are those of `EmbeddedAws`."""
        name = f"bench-{next(self._numbers)}"
        return self.aws.deploy(name, self.addresses | dict(parameters or {}), **options)

    def deploy_again(self, stack: Stack, parameters: Mapping[str, str] | None = None) -> Stack:
        """Update a stack to these parameters; among the functions, only Fetch Bars restarts."""
        return self.aws.deploy(stack.name, self.addresses | dict(parameters or {}))

    def ring(self, stack: Stack, value: Any, distort: Distortion | None = None) -> RunReport:
        """Start an execution with this input and wait for its end."""
        self.proxy.distort = distort
        self.proxy.posts.clear()
        before = len(stack.texts())
        try:
            end = stack.wait(stack.start(value))
        finally:
            self.proxy.distort = None
        texts = stack.texts()[before:]
        assert len(texts) <= 1
        return RunReport(
            status=end["status"],
            error=end.get("error"),
            cause=end.get("cause") or "",
            sms=texts[0].sms if texts else "",
            subject=texts[0].subject if texts else "",
            email=texts[0].email if texts else "",
            orders_sent=len(self.proxy.posts),
        )


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0.01) as embedded:
        yield embedded


@pytest.fixture(scope="session")
def paper() -> Iterator[PaperBrokerProcess]:
    with PaperBrokerProcess(clock_scale=0) as process:
        yield process


@pytest.fixture(scope="session")
def bench(aws: EmbeddedAws, paper: PaperBrokerProcess) -> Iterator[Bench]:
    bell = paper.open_session(SESSION)
    with DistortingProxy(paper.url).serving() as proxy:
        yield Bench(aws, proxy, bell, itertools.count())


@pytest.fixture
def fresh(bench: Bench) -> Iterator[PaperBrokerProcess]:
    """Return a new broker behind the bench's proxy, at the session's bell."""
    with bench.own_broker(clock_scale=0) as process:
        yield process


@pytest.fixture(scope="module")
def deployed(bench: Bench) -> Stack:
    return bench.deploy()
