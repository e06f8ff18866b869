"""Each line that a strategy prints or logs is an entry in the log, and the log stays small."""

# ruff: noqa: T201 - the tests print as a strategy does
from __future__ import annotations

import logging
import sys
from decimal import Decimal
from typing import Any

import pytest

from algotrader.adapters.strategy_output import MESSAGE, log_strategy_output
from algotrader.strategy import Market, Portfolio
from algotrader.strategy.evaluate import evaluate_stops, evaluate_weights
from tests.support.desk_world import RUN, UNIVERSE, FixedWeights


class Log:
    """A logger that keeps what it receives."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, object]]] = []

    def info(self, message: str, **fields: object) -> None:
        self.entries.append((message, fields))

    @property
    def lines(self) -> list[object]:
        assert {message for message, _ in self.entries} <= {MESSAGE}
        return [fields["line"] for _, fields in self.entries]


def test_each_line_is_an_entry_and_the_last_needs_no_end() -> None:
    log = Log()
    with log_strategy_output(log.info):
        print("one", end=" ")
        print("line\n\nthe\tnext\x00\none")
        sys.stdout.write("end")
    assert log.lines == ["one line", "the next", "one", "end"]


def test_a_log_line_has_its_level_and_debug_lines_are_left_out() -> None:
    log, logger = Log(), logging.getLogger("strategies.mine")
    with log_strategy_output(log.info):
        logger.debug("no")
        logger.info("%s of %d", "part", 2)
        logger.warning("careful")
    assert log.lines == ["INFO part of 2", "WARNING careful"]


def test_afterwards_prints_and_logs_go_where_they_went_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, logger = Log(), logging.getLogger("strategies")

    @log_strategy_output(log.info)
    def fail() -> None:
        print("before the error")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    print("after")
    assert log.lines == ["before the error"]
    assert capsys.readouterr().out == "after\n"
    assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)


def test_a_long_line_is_cut_and_many_lines_are_counted() -> None:
    log = Log()
    with log_strategy_output(log.info):
        print("x" * 1000)
        for number in range(300):
            print(number)
    assert log.lines[0] == "x" * 500
    assert log.lines[199:] == ["198", "... and 101 more lines"]


def test_a_strategy_that_is_asked_twice_is_heard_once() -> None:
    logger = logging.getLogger("strategies.mine")

    class Loud(FixedWeights):
        def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
            print("weights")
            logger.info("logged")
            return super().target_weights(market, portfolio)

        def stop_prices(self, market: Market, portfolio: Portfolio) -> Any:
            print("stops")
            return super().stop_prices(market, portfolio)

    log, portfolio = Log(), Portfolio(Decimal(1), {}, {})
    with log_strategy_output(log.info):
        market = Market(RUN.session, RUN.session, {})
        evaluate_weights(Loud({}), "loud", UNIVERSE, market, portfolio)
        evaluate_stops(Loud({}), "loud", UNIVERSE, market, portfolio)
    assert log.lines == ["weights", "INFO logged", "stops"]
