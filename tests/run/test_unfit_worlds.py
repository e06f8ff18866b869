"""If deployment, data or broker is wrong, the run fails, says why, and trades nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import Bench, change_bars
from tests.support.distorting_proxy import Answer, Distortion, as_json


def late(*symbols: str) -> Distortion:
    """Drop the newest bar of these symbols from every answer of the broker."""

    def distort(method: str, path: str, answer: Answer) -> Answer:
        for symbol in symbols:
            answer = change_bars(symbol, lambda bars: bars[:-1])(method, path, answer)
        return answer

    return distort


def always(status: int, body: bytes, content_type: str = "application/json") -> Distortion:
    """Return the same answer for every request."""
    return lambda _method, _path, _answer: Answer(status, body, content_type)


def change_account(**fields: object) -> Distortion:
    def distort(_method: str, path: str, answer: Answer) -> Answer:
        return as_json({**answer.json, **fields}) if path == "/v2/account" else answer

    return distort


@dataclass(frozen=True, slots=True)
class World:
    """A fault, and what the text must report: the error's name and some words."""

    error: str
    reported: tuple[str, ...]
    parameters: dict[str, str] = field(default_factory=dict)
    distort: Distortion | None = None


def parameters(**values: str) -> dict[str, str]:
    return values


WORLDS = {
    "unknown symbols only": World(
        "ConfigurationError", ("SYMBOL_UNKNOWN", "NOPE"), parameters(Symbols="NOPE,NONE")
    ),
    "empty symbol list": World(
        "ConfigurationError", ("PARAMETER_INVALID", "Symbols"), parameters(Symbols="")
    ),
    "malformed symbol": World(
        "ConfigurationError", ("PARAMETER_INVALID", "Symbols"), parameters(Symbols="AAPL,../IBM")
    ),
    "list that is not there": World(
        "ConfigurationError",
        ("UNIVERSE_UNKNOWN", "did you mean liquid?"),
        parameters(Symbols="AAPL,@liqiud"),
    ),
    "unknown strategy": World(
        "ConfigurationError",
        ("STRATEGY_UNKNOWN", "momentum_rotatoin"),
        parameters(Strategy="momentum_rotatoin"),
    ),
    "strategy parameter of another type": World(
        "ConfigurationError",
        ("STRATEGY_PARAMETER_INVALID", "integer"),
        parameters(Strategy="sma_cross", StrategyParameters='{"fast": "ten"}'),
    ),
    "unknown strategy parameter": World(
        "ConfigurationError",
        ("STRATEGY_PARAMETER_UNKNOWN", "speed"),
        parameters(StrategyParameters='{"speed": 3}'),
    ),
    "malformed JSON of strategy parameters": World(
        "ConfigurationError",
        ("PARAMETER_INVALID", "StrategyParameters"),
        parameters(StrategyParameters='{"top": '),
    ),
    "limit that is no number": World(
        "ConfigurationError", ("PARAMETER_INVALID", "CashReserve"), parameters(CashReserve="lots")
    ),
    "bars that are late for two of four": World(
        "StaleBarsError", ("BARS_STALE", "late=2 of 4"), distort=late("GOOG", "IBM")
    ),
    "missing bars where the template says stop": World(
        "InsufficientHistoryError",
        ("BARS_MISSING", "IBM"),
        parameters(UnfitSymbols="stop"),
        change_bars("IBM", lambda bars: [*bars[:-20], *bars[-17:]]),
    ),
    "blocked account": World(
        "AccountBlockedError",
        ("trading_blocked",),
        distort=change_account(trading_blocked=True),
    ),
    "account that is not active": World(
        "AccountBlockedError",
        ("ACCOUNT_CLOSED",),
        distort=change_account(status="ACCOUNT_CLOSED"),
    ),
    "keys refused with 401": World(
        "BrokerAuthError",
        ("BROKER_KEYS_REFUSED", "401"),
        distort=always(401, b'{"code": 40110000, "message": "request is not authorized"}'),
    ),
    "keys refused with 403": World(
        "BrokerAuthError",
        ("BROKER_KEYS_REFUSED", "403"),
        distort=always(403, b'{"message": "forbidden."}'),
    ),
    "HTML with 200": World(
        "BrokerUnavailableError",
        ("BROKER_ANSWER_NOT_JSON",),
        distort=always(200, b"<html>hello</html>", "text/html"),
    ),
    "money that is no number": World(
        "BrokerUnavailableError",
        ("BROKER_ANSWER_INVALID", "cash"),
        distort=change_account(cash="plenty"),
    ),
    "too many requests": World(
        "BrokerRateLimitedError",
        ("BROKER_RATE_LIMITED",),
        distort=always(429, b'{"message": "too many requests."}'),
    ),
}


@pytest.fixture(scope="module")
def misset(bench: Bench) -> Stack:
    """Return a stack for the tests with a wrong parameter."""
    return bench.deploy()


@pytest.mark.parametrize("name", WORLDS)
def test_the_run_fails_says_why_and_trades_nothing(
    bench: Bench, deployed: Stack, misset: Stack, paper: PaperBrokerProcess, name: str
) -> None:
    world = WORLDS[name]
    # all faults of the broker share one deployment, because a failed run can run again
    stack = bench.deploy_again(misset, world.parameters) if world.parameters else deployed
    held = paper.orders()  # earlier tests may have traded with this broker
    reported = bench.ring(stack, {"scheduled_time": bench.bell}, world.distort)
    assert (reported.status, reported.error) == ("FAILED", world.error)
    assert "FAILED" in reported.sms
    for words in world.reported:
        assert words in reported.email
    # the text message alone identifies the problem
    assert world.reported[0] in reported.sms or world.reported[-1] in reported.sms
    assert len(reported.sms) <= 160
    assert reported.orders_sent == 0
    assert paper.orders() == held
