"""Each broker failure becomes a named error or a rejected order."""

from __future__ import annotations

import json
import socket
import time
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker, client, rate_limits
from algotrader.adapters.keys import Keys
from algotrader.errors import (
    AccountBlockedError,
    BrokerAuthError,
    BrokerRateLimitedError,
    BrokerUnavailableError,
    ConfigurationError,
    DeskError,
    OrderStateUnknownError,
)
from algotrader.model import Leg, OrderIntent, OrderRejected, OrderType, Side
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, CLOCK, order
from tests.functions.algotrader.adapters.conftest import KEYS
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker

HTML = Answer(b"<html><body>Welcome</body></html>", headers={"Content-Type": "text/html"})
INTENT = OrderIntent(
    client_order_id="at1-abcdef-2026-01-06-day-AAPL-entry-0",
    symbol="AAPL",
    side=Side.BUY,
    leg=Leg.ENTRY,
    qty=Decimal("1E+1"),
    order_type=OrderType.LIMIT,
    limit_price=Decimal("101.25"),
    reference_price=Decimal("101.05"),
    why="test",
)
ACCEPTED = order(INTENT.client_order_id)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_PAUSES_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(rate_limits, "UNKNOWN_WAIT_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("answer", "leaf", "code"),
    [
        (Answer({"message": "no"}, 401), BrokerAuthError, "BROKER_KEYS_REFUSED"),
        (Answer({"message": "forbidden."}, 403), BrokerAuthError, "BROKER_KEYS_REFUSED"),
        (Answer(b"null", 401), BrokerAuthError, "BROKER_KEYS_REFUSED"),
        (Answer(b"", 403), BrokerAuthError, "BROKER_KEYS_REFUSED"),
        (Answer(b"<html>", 403), BrokerAuthError, "BROKER_KEYS_REFUSED"),
        (
            Answer({"code": 40310000, "message": "account is not authorized to trade"}, 403),
            AccountBlockedError,
            "ACCOUNT_FORBIDDEN",
        ),
        (
            Answer({"code": 40110000, "message": "request is not authorized"}, 403),
            BrokerAuthError,
            "BROKER_KEYS_REFUSED",
        ),
        (Answer({"message": "no"}, 404), BrokerUnavailableError, "BROKER_PATH_NOT_FOUND"),
        (Answer({"message": "bad"}, 400), ConfigurationError, "BROKER_REFUSED_REQUEST"),
        (Answer({"message": "bad"}, 422), ConfigurationError, "BROKER_REFUSED_REQUEST"),
        (Answer({"message": "slow"}, 429), BrokerRateLimitedError, "BROKER_RATE_LIMITED"),
        (Answer(b"", 500), BrokerUnavailableError, "BROKER_ERROR"),
        (Answer(b"<html>", 502), BrokerUnavailableError, "BROKER_ERROR"),
        (Answer({"message": "x"}, 503), BrokerUnavailableError, "BROKER_ERROR"),
        (Answer(b"null", 504), BrokerUnavailableError, "BROKER_ERROR"),
        (Answer(b"", 418), BrokerUnavailableError, "BROKER_ERROR"),
        (Answer(b"", 301), BrokerUnavailableError, "BROKER_REDIRECTED"),
        (HTML, BrokerUnavailableError, "BROKER_ANSWER_NOT_JSON"),
        (Answer(b""), BrokerUnavailableError, "BROKER_ANSWER_NOT_JSON"),
        (Answer(b'{"timestamp": "20'), BrokerUnavailableError, "BROKER_ANSWER_NOT_JSON"),
        (Answer(b"\xff\xfe"), BrokerUnavailableError, "BROKER_ANSWER_NOT_JSON"),
        (Answer(b'{"x":' * 100_000), BrokerUnavailableError, "BROKER_ANSWER_NOT_JSON"),
        (Answer(b"null"), BrokerUnavailableError, "BROKER_ANSWER_INVALID"),
        (Answer([CLOCK]), BrokerUnavailableError, "BROKER_ANSWER_INVALID"),
        (Answer({"is_open": True}), BrokerUnavailableError, "BROKER_ANSWER_INVALID"),
        (
            Answer({**CLOCK, "timestamp": "2026-01-06T09:35:00"}),
            BrokerUnavailableError,
            "BROKER_ANSWER_INVALID",
        ),
        (Answer(CLOCK, fault="reset"), BrokerUnavailableError, "BROKER_UNREACHABLE"),
        (Answer(CLOCK, fault="truncated"), BrokerUnavailableError, "BROKER_UNREACHABLE"),
    ],
)
def test_every_failure_of_a_read_has_its_leaf(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer, leaf: type[DeskError], code: str
) -> None:
    server.on("GET /v2/clock", answer)

    with pytest.raises(leaf) as raised:
        broker.clock()

    assert raised.value.code == code


@pytest.mark.parametrize("code", [{}, {"code": 42210000}])
def test_a_feed_that_the_plan_lacks_is_reported_with_the_parameter_to_set(
    server: ScriptedBroker, broker: AlpacaBroker, code: dict[str, int]
) -> None:
    message = "subscription does not permit querying recent SIP data"
    server.on("GET /v2/stocks/trades/latest", Answer({"message": message, **code}, 403))

    with pytest.raises(ConfigurationError, match=r"DATA_FEED_FORBIDDEN.*DataFeed=iex"):
        broker.latest_prices(["AAPL"], "sip")


def test_keys_that_the_data_api_refuses_are_reported_as_keys(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/stocks/trades/latest", Answer({"message": "forbidden."}, 403))

    with pytest.raises(BrokerAuthError):
        broker.latest_prices(["AAPL"], "iex")


def test_a_read_that_broke_at_once_is_asked_again(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/clock", Answer(b"", 503), Answer(b"", fault="reset"), Answer(CLOCK))

    assert broker.clock().is_open
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 504])
def test_the_librarys_own_retries_are_off(
    server: ScriptedBroker, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("APCA_RETRY_MAX", "3")
    server.on("POST /v2/orders", Answer({"message": "x"}, status))

    with pytest.raises((OrderStateUnknownError, BrokerRateLimitedError)):
        AlpacaBroker(KEYS, server.url, server.url, 20.0).submit(INTENT)

    assert len(server.requests) == 1


def test_nobody_listening_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(BrokerUnavailableError, match="BROKER_UNREACHABLE"):
        AlpacaBroker(KEYS, f"http://127.0.0.1:{port}", "http://127.0.0.1:1", 5.0).clock()


def test_a_server_that_never_answers_is_given_up_within_the_budget(server: ScriptedBroker) -> None:
    server.on("GET /v2/clock", Answer(CLOCK, fault="stall"))
    started = time.monotonic()

    with pytest.raises(BrokerUnavailableError, match="BROKER_TIMED_OUT"):
        AlpacaBroker(KEYS, server.url, server.url, 0.3).clock()

    assert time.monotonic() - started < 1.5


def test_a_server_that_drips_is_given_up_within_the_budget(server: ScriptedBroker) -> None:
    server.on("GET /v2/clock", Answer(CLOCK, fault="drip"))
    started = time.monotonic()

    with pytest.raises(BrokerUnavailableError, match="BROKER_TIMED_OUT"):
        AlpacaBroker(KEYS, server.url, server.url, 0.3).clock()

    assert time.monotonic() - started < 1.5


def test_an_order_is_not_even_sent_when_the_budget_is_spent(server: ScriptedBroker) -> None:
    broker = AlpacaBroker(KEYS, server.url, server.url, 0.0)

    with pytest.raises(BrokerUnavailableError, match="BROKER_BUDGET_SPENT"):
        broker.submit(INTENT)

    assert server.requests == []


def test_an_accepted_order_is_sent_as_texts_and_read_back(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("POST /v2/orders", ACCEPTED)

    accepted = broker.submit(INTENT)

    assert accepted.client_order_id == INTENT.client_order_id
    assert json.loads(server.requests[0].body) == {
        "symbol": "AAPL",
        "qty": "10",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "limit_price": "101.25",
        "client_order_id": INTENT.client_order_id,
    }


def test_a_market_order_carries_no_limit(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("POST /v2/orders", {**ACCEPTED, "type": "market", "limit_price": None})

    broker.submit(replace(INTENT, order_type=OrderType.MARKET, limit_price=None))

    assert "limit_price" not in json.loads(server.requests[0].body)


@pytest.mark.parametrize(
    ("answer", "code", "detail"),
    [
        (
            Answer({"code": 40310000, "message": "insufficient buying power"}, 403),
            "40310000",
            "insufficient buying power",
        ),
        (
            Answer({"code": 40310000, "message": "potential wash trade detected"}, 403),
            "40310000",
            "potential wash trade detected",
        ),
        (
            Answer({"code": 40310000, "message": "account is not authorized to trade"}, 403),
            "40310000",
            "account is not authorized to trade",
        ),
        (
            Answer({"code": 40310000, "message": "account is restricted to liquidation only"}, 403),
            "40310000",
            "account is restricted to liquidation only",
        ),
        (Answer({"code": 40310000, "message": "forbidden"}, 403), "40310000", "forbidden"),
        (Answer({"code": "40310100", "message": ""}, 403), "40310100", "HTTP 403"),
        (Answer({"code": 42210000, "message": "bad qty"}, 422), "42210000", "bad qty"),
        (Answer({"code": 40010001, "message": "bad"}, 400), "40010001", "bad"),
        (Answer({"code": 40410000, "message": "no asset"}, 404), "40410000", "no asset"),
        (Answer({"message": "asset is not active"}, 422), "422", "asset is not active"),
    ],
)
def test_a_definite_refusal_of_an_order_is_a_result(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer, code: str, detail: str
) -> None:
    server.on("POST /v2/orders", answer)

    assert broker.submit(INTENT) == OrderRejected(INTENT.client_order_id, "AAPL", code, detail)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", 500),
        Answer({"message": "x"}, 502),
        Answer({"message": "x"}, 504),
        Answer({"message": "x"}, 409),
        Answer(b"<html>", 403),
        Answer(b"null", 422),
        Answer(b'{"mess', 400),
        Answer(b"", 404),
        Answer(b"", 307),
        HTML,
        Answer(b""),
        Answer(b"null"),
        Answer([ACCEPTED]),
        Answer({"id": "x"}),
        Answer({**ACCEPTED, "client_order_id": "at1-other"}),
        Answer({**ACCEPTED, "symbol": "IBM"}),
        Answer({**ACCEPTED, "side": "sell"}),
        Answer({**ACCEPTED, "qty": "11"}),
        Answer({**ACCEPTED, "qty": None}),
        Answer(ACCEPTED, fault="reset"),
        Answer(ACCEPTED, fault="truncated"),
    ],
)
def test_whatever_is_unclear_after_a_post_is_unknown(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer
) -> None:
    server.on("POST /v2/orders", answer)

    with pytest.raises(OrderStateUnknownError, match="ORDER_FATE_UNKNOWN"):
        broker.submit(INTENT)

    assert len(server.requests) == 1


def test_a_post_that_is_not_answered_in_time_is_unknown(server: ScriptedBroker) -> None:
    server.on("POST /v2/orders", Answer(ACCEPTED, fault="stall"))

    with pytest.raises(OrderStateUnknownError, match=r"ORDER_FATE_UNKNOWN.*BROKER_TIMED_OUT"):
        AlpacaBroker(KEYS, server.url, server.url, 0.3).submit(INTENT)


def test_an_id_that_is_taken_is_looked_up_by_the_caller(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    message = "client_order_id must be unique"
    server.on("POST /v2/orders", Answer({"code": 40010001, "message": message}, 422))

    with pytest.raises(OrderStateUnknownError, match="ORDER_ID_TAKEN"):
        broker.submit(INTENT)


def test_a_rate_limited_order_was_not_taken(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("POST /v2/orders", Answer({"message": "too many requests."}, 429))

    with pytest.raises(BrokerRateLimitedError):
        broker.submit(INTENT)


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"message": "x"}, 401),
        Answer({"code": 40310000, "message": "x"}, 401),
        Answer({"message": "forbidden."}, 403),
        Answer({"message": "no"}, 403),
        Answer({}, 403),
        Answer(b"", 403),
        Answer({"code": 40110000, "message": "request is not authorized"}, 403),
    ],
)
def test_an_order_refused_for_the_keys_says_so(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer
) -> None:
    server.on("POST /v2/orders", answer)

    with pytest.raises(BrokerAuthError):
        broker.submit(INTENT)


@pytest.mark.parametrize("status", [204, 404, 422])
def test_a_cancel_is_a_request_whatever_its_answer(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    server.on("DELETE /v2/orders/id-1", Answer(b"", status))

    broker.cancel("id-1")

    assert len(server.requests) == 1


def test_a_cancel_that_the_broker_could_not_take_raises(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("DELETE /v2/orders/id-1", Answer(b"", 500))

    with pytest.raises(BrokerUnavailableError):
        broker.cancel("id-1")


@pytest.mark.parametrize("ending", ["", "/", "/v2", "/v2/"])
def test_a_base_address_may_end_in_a_slash_or_v2(server: ScriptedBroker, ending: str) -> None:
    server.on("GET /v2/clock", CLOCK)
    server.on("GET /v2/stocks/trades/latest", {"trades": {}})
    broker = AlpacaBroker(KEYS, server.url + ending, server.url + ending, 5.0)

    assert broker.clock().is_open
    assert broker.latest_prices(["AAPL"], "iex") == {}


@pytest.mark.parametrize(
    "url", ["", "paper-api.alpaca.markets", "ftp://x", "http://", "https://me:word@x", "http://x:y"]
)
def test_a_base_address_that_is_none_is_a_wrong_parameter(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"BROKER_URL_INVALID.*AlpacaTradingUrl") as raised:
        AlpacaBroker(KEYS, url, "https://data.alpaca.markets", 5.0)

    assert "word" not in str(raised.value)


def test_keys_of_the_environment_never_replace_the_deployed_ones(
    server: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_OAUTH_TOKEN", "other")
    monkeypatch.setenv("APCA_API_KEY_ID", "other")
    server.on("GET /v2/clock", CLOCK)

    AlpacaBroker(KEYS, server.url, server.url, 5.0).clock()

    (seen,) = server.requests
    assert seen.headers["APCA-API-KEY-ID"] == KEYS.key_id
    assert "Authorization" not in seen.headers


def test_a_proxy_of_the_environment_is_not_asked_for_this_machines_own_address(
    server: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.on("GET /v2/clock", CLOCK)

    assert AlpacaBroker(KEYS, server.url, server.url, 5.0).clock().is_open


def test_keys_never_show() -> None:
    assert "MARKED" not in f"{KEYS!r} {KEYS}"


@pytest.mark.parametrize(("key_id", "secret"), [("", "x"), ("x", ""), ("a b", "x"), ("x", "é\n")])
def test_keys_that_no_header_can_carry_are_refused_without_being_shown(
    key_id: str, secret: str
) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as raised:
        Keys(key_id, secret)

    assert "a b" not in str(raised.value)
    assert "é" not in str(raised.value)


def test_no_failure_ever_shows_a_key(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    reported = []
    for answer in (Answer(ACCOUNT, fault="reset"), Answer({"message": "no"}, 401), HTML):
        server.on("GET /v2/account", answer)
        with pytest.raises(DeskError) as raised:
            broker.account()
        reported.append(str(raised.value))

    assert "MARKED" not in " ".join(reported)
