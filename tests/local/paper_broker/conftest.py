"""Owns the fixtures for a paper broker over HTTP, which check it against Alpaca's documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from local.paper_broker.broker import Options
from local.paper_broker.data import History
from local.paper_broker.server import application, listen
from tests.docs.markdown import blocks
from tests.local.paper_broker.contract import Contract

KEYS = ("test-key", "test-secret")
HEADERS = {"APCA-API-KEY-ID": KEYS[0], "APCA-API-SECRET-KEY": KEYS[1]}
DAY = date(2012, 8, 8)
PAGE = "docs/paper-broker.md"


class Wire:
    """A broker with a stopped clock that a test reaches without a socket."""

    def __init__(self, options: Options, history: History | None = None) -> None:
        served = application(options, history)
        self.broker = served.broker
        self.contract = Contract(served)
        self._client = Client(self.contract)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> TestResponse:
        """Send a request, with the right keys unless the test gives headers."""
        return self._client.open(
            path,
            method=method,
            json=body,
            query_string=query or None,
            headers=HEADERS if headers is None else headers,
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON value of a successful request."""
        answer = self.send("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def order(self, side: str = "buy", qty: str = "10", symbol: str = "AAPL", **terms: str) -> Any:
        """Post a valid order, by default a market order."""
        body = {"symbol": symbol, "side": side, "qty": qty, "type": "market"}
        answer = self.send("POST", "/v2/orders", {**body, "time_in_force": "day", **terms})
        assert answer.status_code == 200, answer.text
        return answer.json

    def open_session(self, day: str, time: str = "09:35") -> Any:
        answer = self.send("POST", "/_paper/session", {"date": day, "time": time})
        assert answer.status_code == 200, answer.text
        return answer.json


MakeWire = Callable[..., Wire]


@pytest.fixture
def make_wire() -> Iterator[MakeWire]:
    """Return a function that makes wires, and finally check every message against the documents."""
    wires: list[Wire] = []

    def make(history: History | None = None, **options: Any) -> Wire:
        given = {"session": DAY, "clock_scale": 0.0, "keys": KEYS, **options}
        wires.append(Wire(Options(**given), history))
        return wires[-1]

    yield make
    assert [breach for wire in wires for breach in wire.contract.breaches] == []


@pytest.fixture
def wire(make_wire: MakeWire) -> Wire:
    """Return a broker at the open of 2012-08-08, the day before AAPL paid a dividend."""
    return make_wire()


@pytest.fixture
def served() -> Iterator[tuple[str, Contract]]:
    """Serve a broker on a loopback socket and yield its URL."""
    contract = Contract(application(Options(session=DAY, clock_scale=0.0, keys=KEYS)))
    server, url = listen(contract, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield url, contract
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert contract.breaches == []


def run_snippet(word: str, url: str) -> None:
    """Run the page's only Python block with a word, at another URL and with the right keys."""
    (text,) = [each.text for each in blocks(PAGE, "python") if word in each.text]
    for written, real in (("http://127.0.0.1:40863", url), ("any", KEYS[0]), ("keys", KEYS[1])):
        assert f'"{written}"' in text
        text = text.replace(f'"{written}"', f'"{real}"')
    exec(compile(text, PAGE, "exec"), {})  # noqa: S102 - the page's own code
