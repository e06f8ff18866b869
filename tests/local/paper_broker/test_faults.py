"""A client gets each kind of fault over a real connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import requests

from local.paper_broker import faults
from local.paper_broker.broker import Options
from local.paper_broker.faults import parse
from local.paper_broker.server import application, listen
from local.paper_broker.values import HANGING_STATUSES
from tests.local.paper_broker.conftest import HEADERS
from tests.local.paper_broker.world import HISTORY, SESSIONS

ORDER = {
    "symbol": "FLAT",
    "qty": "1",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "client_order_id": "one",
}


class Wired:
    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self._url + path, json=body, headers=HEADERS, timeout=(3, 0.5)
            )

    def submit(self, order_id: str = "one") -> requests.Response:
        return self.ask("POST", "/v2/orders", {**ORDER, "client_order_id": order_id})

    @property
    def ids(self) -> list[str]:
        found = self.ask("GET", "/v2/orders?status=all").json()
        return sorted(each["client_order_id"] for each in found)


@contextmanager
def broker(plan: str, clock_scale: float = 1.0) -> Iterator[Wired]:
    options = Options(
        session=SESSIONS[0],
        clock_scale=clock_scale,
        faults=parse(plan),
        requests_per_minute=0,  # some tests ask until an order shows
    )
    server, url = listen(application(options, HISTORY), "127.0.0.1", 0)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Wired(url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("how", ["504", "503", "500", "html", "empty"])
@pytest.mark.parametrize(("end", "ids"), [("before", []), ("after", ["one"])])
def test_an_answer_is_lost_before_or_after_the_order_was_taken(
    how: str, end: str, ids: list[str]
) -> None:
    with broker(f"submit:1:{how}-{end}-accept") as wired:
        answer = wired.submit()
        assert answer.status_code == (int(how) if how.isdigit() else 200)
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()
        assert wired.ids == ids


@pytest.mark.parametrize(("end", "ids"), [("before", []), ("after", ["one"])])
def test_a_connection_is_reset(end: str, ids: list[str]) -> None:
    with broker(f"submit:1:reset-{end}-accept") as wired:
        with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
            wired.submit()
        assert wired.ids == ids


def test_an_answer_that_stalls_runs_into_the_client_s_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faults, "STALL_SECONDS", 1.0)
    with broker("submit:1:stall-after-accept") as wired:
        with pytest.raises(requests.ReadTimeout):
            wired.submit()
        assert wired.ids == ["one"]


def test_half_an_answer_is_not_json() -> None:
    with broker("submit:1:truncated") as wired:
        answer = wired.submit()
        assert answer.ok
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            answer.json()
        assert wired.ids == ["one"]


def test_too_many_requests_take_no_order() -> None:
    with broker("submit:1:429") as wired:
        answer = wired.submit()
        assert answer.status_code == 429
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert wired.ids == []


def test_a_hidden_order_is_taken_and_shown_later() -> None:
    with broker("submit:1:hidden", clock_scale=100) as wired:
        assert wired.submit().json()["client_order_id"] == "one"
        path = "/v2/orders:by_client_order_id?client_order_id=one"
        # The first look-up comes within the broker's 20 s, unless this machine stalls for 0.2 s.
        seen = [wired.ask("GET", path).status_code for _ in range(200)]
        assert seen[-1] == 200
        assert sorted(seen, reverse=True) == seen


def test_a_late_order_arrives_after_all() -> None:
    with broker("submit:1:late", clock_scale=1000) as wired:
        assert wired.submit().status_code == 504
        while not wired.ids:
            pass
        assert wired.ids == ["one"]


@pytest.mark.parametrize("status", HANGING_STATUSES)
@pytest.mark.parametrize("request_", ["submit", "cancel"])
def test_a_hanging_order_keeps_its_status_after_any_request(status: str, request_: str) -> None:
    with broker(f"{request_}:1:hang-{status.replace('_', '-')}") as wired:
        far = {**ORDER, "type": "limit", "limit_price": "0.01", "time_in_force": "gtc"}
        order = wired.ask("POST", "/v2/orders", far).json()
        path = f"/v2/orders/{order['id']}"
        for _ in range(2):
            assert wired.ask("DELETE", path).status_code == 204
            assert wired.ask("GET", path).json()["status"] == status
        wired.ask("POST", "/_paper/session", {"date": SESSIONS[1].isoformat(), "time": "09:35"})
        assert wired.ask("GET", path).json()["status"] == status
        assert [each["id"] for each in wired.ask("GET", "/v2/orders?status=open").json()] == [
            order["id"]
        ]


def test_a_hanging_order_does_not_fill() -> None:
    with broker("submit:1:hang-held") as wired:
        path = f"/v2/orders/{wired.submit().json()['id']}"
        shown = wired.ask("GET", path).json()
    assert (shown["status"], shown["filled_qty"]) == ("held", "0")


def test_each_word_counts_its_own_requests() -> None:
    with broker("submit:2:504-before-accept,clock:2-3:500,account:*:empty") as wired:
        assert [wired.submit(each).status_code for each in "abc"] == [200, 504, 200]
        assert [wired.ask("GET", "/v2/clock").status_code for _ in range(4)] == [200, 500, 500, 200]
        assert [wired.ask("GET", "/v2/account").content for _ in range(2)] == [b"", b""]
        happened = wired.ask("GET", "/_paper/faults").json()
    assert json.dumps(happened[0]) == json.dumps(
        {
            "fault": "submit:2:504-before-accept",
            "request": "POST /v2/orders",
            "client_order_id": "b",
        }
    )
    assert [each["fault"] for each in happened[1:]] == ["clock:2-3:500"] * 2 + [
        "account:*:empty"
    ] * 2


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("submit", "REQUEST:WHICH:KIND"),
        ("submit:2", "REQUEST:WHICH:KIND"),
        ("sell:1:504", "the request is one of submit"),
        ("submit:0:504", "counted from 1"),
        ("submit:3-2:504", "counted from 1"),
        ("submit:1:418", "the kind is one of 504"),
        ("submit:1:429-after-accept", "the kind is one of 504"),
        ("submit:1:truncated-before-accept", "the kind is one of 504"),
        ("clock:1:hidden", "for submit also late and hidden"),
        ("clock:1:hang-held", "for submit and cancel also hang-pending-cancel, hang-done-for-day"),
    ],
)
def test_an_unknown_fault_is_refused_with_the_known_ones(plan: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(plan)
