"""The broker limits the requests of each API, by its own clock."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from local.paper_broker.broker import Options, PaperBroker
from local.paper_broker.server import ROUTES
from local.paper_broker.wsgi import Application
from tests.local.paper_broker.conftest import HEADERS
from tests.local.paper_broker.test_broker import Seconds
from tests.local.paper_broker.world import HISTORY, SESSIONS, at

CLOCK = "/v2/clock"
PRICES = "/v2/stocks/trades/latest?symbols=FLAT"


class Limited:
    """A broker whose simulated minute takes six real seconds."""

    def __init__(self, **options: Any) -> None:
        self.seconds = Seconds()
        given = {"session": SESSIONS[0], "clock_scale": 10.0, "requests_per_minute": 3, **options}
        self._client = Client(
            Application(PaperBroker(HISTORY, Options(**given), self.seconds), ROUTES)
        )

    def get(self, path: str = CLOCK) -> TestResponse:
        return self._client.get(path, headers=HEADERS)

    def statuses(self, number: int, path: str = CLOCK) -> list[int]:
        return [self.get(path).status_code for _ in range(number)]


def test_a_request_beyond_the_limit_gets_429_until_the_minute_ends() -> None:
    limited = Limited()

    assert limited.statuses(5) == [200, 200, 200, 429, 429]
    limited.seconds.now += 5.9
    assert limited.statuses(1) == [429]
    limited.seconds.now += 0.1
    assert limited.statuses(4) == [200, 200, 200, 429]


def test_every_answer_says_what_is_left_and_when_the_minute_ends() -> None:
    limited = Limited()
    answers = [limited.get()]
    limited.seconds.now += 1.25
    answers += [limited.get() for _ in range(3)]

    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert {each.headers["X-RateLimit-Limit"] for each in answers} == {"3"}
    reset = {int(each.headers["X-RateLimit-Reset"]) for each in answers}
    assert reset == {int(at(0).timestamp()) + 60}
    seconds_left = [reset.copy().pop() - date_of(each) for each in answers]
    assert seconds_left == [60, 48, 48, 48]


def date_of(answer: TestResponse) -> float:
    return parsedate_to_datetime(answer.headers["Date"]).timestamp()


def test_trading_and_market_data_count_separately() -> None:
    limited = Limited()

    assert limited.statuses(4) == [200, 200, 200, 429]
    assert limited.statuses(4, PRICES) == [200, 200, 200, 429]


def test_control_requests_are_not_counted() -> None:
    limited = Limited()

    assert limited.statuses(9, "/_paper/sessions") == [200] * 9
    assert limited.statuses(3) == [200] * 3


def test_a_clock_that_is_moved_begins_a_new_minute() -> None:
    limited = Limited()
    limited.statuses(3)

    limited._client.post("/_paper/session", json={"date": str(SESSIONS[1]), "time": "09:35"})

    assert limited.statuses(1) == [200]


@pytest.mark.parametrize("options", [{"requests_per_minute": 0}, {"clock_scale": 0.0}])
def test_neither_a_limit_of_zero_nor_a_stopped_clock_limits(options: dict[str, Any]) -> None:
    assert set(Limited(**options).statuses(300)) == {200}


def test_the_default_is_alpacas_limit() -> None:
    assert Limited(requests_per_minute=Options().requests_per_minute).statuses(201) == [
        *[200] * 200,
        429,
    ]
