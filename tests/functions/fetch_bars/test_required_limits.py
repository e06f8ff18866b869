"""Fetch Bars refuses a strategy that needs looser limits before it asks the broker anything."""

from __future__ import annotations

import pytest

from algotrader.errors import ConfigurationError, StrategyError
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import FLATTEN
from tests.support.own_strategies import Write

NEEDY = """
from algotrader.strategy import Strategy

class Needy(Strategy):
    requires = {"MaxPositionWeight": "1"}

    def target_weights(self, market, portfolio):
        return {}
"""


@pytest.fixture
def needy(world: World, write: Write) -> World:
    write("needy", NEEDY)
    world.environ |= {"STRATEGY": "needy", "STRATEGY_PARAMETERS": "{}"}
    return world


@pytest.mark.parametrize("given", [{}, {"dry_run": True}])
def test_a_run_and_a_plan_under_a_tight_limit_fetch_nothing(
    needy: World, given: dict[str, bool]
) -> None:
    needy.environ["MAX_POSITION_WEIGHT"] = "0.35"
    with pytest.raises(ConfigurationError, match=r"LIMITS_TOO_TIGHT: .*deployed=0\.35 needed=1 "):
        needy.run(given)
    assert needy.server.requests == []


def test_a_loose_limit_lets_the_run_go_on_and_a_flatten_asks_no_strategy(needy: World) -> None:
    needy.environ["MAX_POSITION_WEIGHT"] = "1"
    assert needy.run({"dry_run": True}).outcome == "OPEN"
    needy.environ["MAX_POSITION_WEIGHT"] = "0.35"
    assert needy.run(FLATTEN).outcome == "FLATTEN"


def test_a_limit_that_does_not_exist_is_refused_with_a_suggestion(
    needy: World, write: Write
) -> None:
    write("needy", NEEDY.replace("MaxPositionWeight", "MaxPositionWeigth"))
    with pytest.raises(StrategyError, match=r"STRATEGY_BROKEN.*did you mean MaxPositionWeight "):
        needy.run()
