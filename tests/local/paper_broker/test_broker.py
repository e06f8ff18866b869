"""The running broker has a clock, a lock and a hook that injects faults."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from local.paper_broker.broker import Options, PaperBroker, SimulatedClock
from local.paper_broker.faults import Respond
from local.paper_broker.server import application
from local.paper_broker.values import AccountSetup
from tests.local.paper_broker.conftest import HEADERS
from tests.local.paper_broker.world import HISTORY, SESSIONS, at


class Seconds:
    """A real-time clock that a test controls."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_clock_advances_with_scaled_real_time() -> None:
    seconds = Seconds()
    clock = SimulatedClock(at(0), 20.0, seconds)
    seconds.now += 3
    assert clock.now() == at(0) + timedelta(minutes=1)
    clock.put(at(1))
    assert clock.now() == at(1)


def test_a_session_ends_by_itself_when_its_close_has_passed() -> None:
    seconds = Seconds()
    broker = PaperBroker(HISTORY, Options(session=SESSIONS[0], clock_scale=60.0), seconds)
    seconds.now += 6.5 * 60
    with broker.look() as exchange:
        assert list(exchange.account.closes) == [SESSIONS[0]]


def test_a_move_counts_from_the_bell_and_not_from_the_earlier_clock() -> None:
    seconds = Seconds()
    broker = PaperBroker(HISTORY, Options(session=SESSIONS[0], clock_scale=1.0), seconds)
    seconds.now += 100
    broker.move_to(SESSIONS[2])
    with broker.look() as exchange:
        assert exchange.now == at(2)


def test_a_request_waits_until_the_previous_one_is_over() -> None:
    broker = PaperBroker(HISTORY, Options(session=SESSIONS[0], clock_scale=0.0))
    entered = threading.Event()

    def look() -> None:
        with broker.look():
            entered.set()

    with broker.look():
        thread = threading.Thread(target=look)
        thread.start()
        assert not entered.wait(0.05)
    thread.join()
    assert entered.is_set()


def test_parallel_orders_never_sell_more_than_is_held() -> None:
    opening = AccountSetup(Decimal(0), {"FLAT": Decimal(10)})
    app = application(Options(opening=opening, session=SESSIONS[0], clock_scale=0.0), HISTORY)
    body = {"symbol": "FLAT", "side": "sell", "qty": "1", "type": "limit", "limit_price": "200"}

    def sell(_: int) -> int:
        answer = Client(app).post(
            "/v2/orders", json={**body, "time_in_force": "day"}, headers=HEADERS
        )
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(sell, range(40)))
    assert (statuses.count(200), statuses.count(403)) == (10, 30)


def test_an_interceptor_answers_before_the_broker_sees_the_request() -> None:
    def intercept(request: Request, _respond: Respond) -> Response | None:
        return Response("down", 503) if request.method == "POST" else None

    client = Client(application(Options(session=SESSIONS[0]), HISTORY, intercept))
    assert client.post("/v2/orders", headers=HEADERS).status_code == 503
    assert client.get("/v2/orders?status=all", headers=HEADERS).json == []
