"""Fetch Bars reads and checks a strategy's references like the template's symbols."""

from __future__ import annotations

from datetime import date

import pytest

from algotrader.errors import InsufficientHistoryError, StrategyError
from tests.functions.algotrader.adapters.broker_answers import asset
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import bars_of, settings_of, snapshot_of
from tests.support.own_strategies import Write

FOLLOWER = """
from algotrader.strategy import Strategy

class Follower(Strategy):
    index: str = "SPY"
    look_back = 5

    @property
    def reference(self):
        return (self.index, "IBM")

    def target_weights(self, market, portfolio):
        return {}
"""


@pytest.fixture
def follower(world: World, write: Write) -> World:
    write("follower", FOLLOWER)
    world.environ |= {"STRATEGY": "follower", "STRATEGY_PARAMETERS": "{}"}
    world.assets["SPY"], world.bars["SPY"] = asset("SPY"), world.bars["AAPL"]
    return world


def test_a_reference_has_bars_and_a_price_and_is_no_symbol(follower: World) -> None:
    result = follower.run()

    assert bars_of(follower, result).keys() == {"AAPL", "IBM", "SPY"}
    assert snapshot_of(follower, result).prices.keys() == {"AAPL", "IBM", "SPY"}
    assert snapshot_of(follower, result).last_closes.keys() == {"AAPL", "IBM", "SPY"}
    assert settings_of(follower, result).symbols == ("AAPL", "IBM")


def test_a_reference_may_depend_on_a_parameter(follower: World) -> None:
    follower.environ["STRATEGY_PARAMETERS"] = '{"index": "QQQ"}'
    follower.assets["QQQ"], follower.bars["QQQ"] = asset("QQQ"), follower.bars["AAPL"]
    assert bars_of(follower, follower.run()).keys() == {"AAPL", "IBM", "QQQ"}


def test_an_unfit_reference_concerns_only_itself(follower: World) -> None:
    follower.bars["SPY"] = []
    result = follower.run()
    assert snapshot_of(follower, result).unfit["SPY"].code == "BARS_ABSENT"
    assert bars_of(follower, result).keys() == {"AAPL", "IBM"}


def test_a_reference_that_the_broker_does_not_list_is_unfit(follower: World) -> None:
    del follower.assets["SPY"]
    assert snapshot_of(follower, follower.run()).unfit["SPY"].code == "SYMBOL_UNKNOWN"


def test_a_reference_needs_no_permission_to_trade(follower: World) -> None:
    follower.assets["SPY"] = asset("SPY") | {"tradable": False}
    assert snapshot_of(follower, follower.run()).unfit == {}


def test_a_renamed_reference_says_where_to_change_it(follower: World) -> None:
    del follower.assets["SPY"]
    follower.actions = {
        "name_changes": [{"old_symbol": "SPY", "new_symbol": "SPX", "process_date": "2026-01-05"}]
    }
    unfit = snapshot_of(follower, follower.run()).unfit["SPY"]
    assert unfit.detail == "SPY is SPX since 2026-01-05: change the strategy's reference"


def test_a_template_that_says_stop_stops_for_an_unfit_reference(follower: World) -> None:
    follower.environ["UNFIT_SYMBOLS"] = "stop"
    follower.bars["SPY"] = []
    with pytest.raises(InsufficientHistoryError, match=r"BARS_ABSENT.*SPY"):
        follower.run()


@pytest.mark.parametrize("wrong", ['("SPY")', '["SPY"]', '("spy",)', "(1,)", "None"])
def test_a_reference_that_is_no_tuple_of_symbols_is_refused_with_an_example(
    follower: World, write: Write, wrong: str
) -> None:
    write("follower", FOLLOWER.replace('(self.index, "IBM")', wrong))
    with pytest.raises(StrategyError, match=r'STRATEGY_BROKEN.*reference = \("SPY",\)'):
        follower.run()


def test_the_snapshot_has_the_sessions_on_both_sides(world: World) -> None:
    world.now = "2025-12-31T09:35:02-05:00"
    snapshot = snapshot_of(world, world.run())
    assert snapshot.previous_session == date(2025, 12, 30)
    assert snapshot.next_session == date(2026, 1, 2)


def test_a_fit_reference_does_not_save_a_run_without_a_fit_symbol(follower: World) -> None:
    follower.environ["SYMBOLS"] = "AAPL"
    follower.bars["AAPL"] = []
    with pytest.raises(InsufficientHistoryError, match="BARS_ABSENT"):
        follower.run()
