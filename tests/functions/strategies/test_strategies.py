"""The shipped strategies do what their docstrings say, within the limits on target weights."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.errors import ConfigurationError
from algotrader.model import FeatureValue
from algotrader.strategy import load_strategy
from algotrader.strategy.loader import strategy_names
from algotrader.strategy.view import Market, Portfolio, SymbolFeatures

MAX_POSITION_WEIGHT = Decimal("0.35")


def market(values: dict[str, dict[str, float]]) -> Market:
    return Market(
        session=date(2013, 2, 1),
        as_of=date(2013, 1, 31),
        symbols={
            symbol: SymbolFeatures(
                {name: FeatureValue(last=each, previous=each) for name, each in of.items()},
                Decimal(100),
            )
            for symbol, of in sorted(values.items())
        },
    )


def portfolio(**weights: str) -> Portfolio:
    return Portfolio(
        capital=Decimal(100_000),
        quantities={symbol: Decimal(10) for symbol in weights},
        weights={symbol: Decimal(each) for symbol, each in weights.items()},
    )


def test_sma_cross_holds_an_equal_share_of_what_trends_up() -> None:
    strategy = load_strategy("sma_cross", {})
    seen = market(
        {
            "UP": {"fast": 101.0, "slow": 100.0},
            "DOWN": {"fast": 99.0, "slow": 100.0},
            "FLAT": {"fast": 100.0, "slow": 100.0},
            "RISE": {"fast": 2.0, "slow": 1.0},
        }
    )
    assert strategy.target_weights(seen, portfolio(DOWN="0.25")) == {
        "UP": Decimal("0.25"),
        "RISE": Decimal("0.25"),
    }


def test_sma_cross_declares_its_two_windows() -> None:
    strategy = load_strategy("sma_cross", {"fast": 10, "slow": 50})
    assert {name: each.parameters for name, each in strategy.indicators.items()} == {
        "fast": {"window": 10},
        "slow": {"window": 50},
    }
    assert strategy.bars_needed() == 51


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    ("rsi", "when_held", "when_not_held"),
    [
        (29.9, "0.5", "0.5"),
        (30.0, "0.2", None),
        (45.0, "0.2", None),
        (55.0, "0.2", None),
        (55.1, None, None),
    ],
)
def test_rsi_mean_reversion_changes_nothing_between_its_levels(
    held: bool, rsi: float, when_held: str | None, when_not_held: str | None
) -> None:
    strategy = load_strategy("rsi_mean_reversion", {})
    holdings = portfolio(A="0.2") if held else portfolio()
    weights = strategy.target_weights(market({"A": {"rsi": rsi}, "B": {"rsi": 80.0}}), holdings)
    expected = when_held if held else when_not_held
    assert weights == ({} if expected is None else {"A": Decimal(expected)})


def test_rsi_mean_reversion_cuts_a_holding_that_outgrew_its_share() -> None:
    strategy = load_strategy("rsi_mean_reversion", {})
    seen = market({"A": {"rsi": 50.0}, "B": {"rsi": 10.0}})
    assert strategy.target_weights(seen, portfolio(A="0.7")) == {
        "A": Decimal("0.5"),
        "B": Decimal("0.5"),
    }


def test_momentum_rotation_holds_the_top_three_of_the_default_universe() -> None:
    strategy = load_strategy("momentum_rotation", {})
    seen = market(
        {
            "AAPL": {"momentum": -12.0},
            "GOOG": {"momentum": 30.5},
            "IBM": {"momentum": 2.0},
            "MSFT": {"momentum": -3.0},
        }
    )
    weights = strategy.target_weights(seen, portfolio(AAPL="0.33"))
    assert weights == dict.fromkeys(("GOOG", "IBM", "MSFT"), Decimal("0.3333"))
    assert max(weights.values()) <= MAX_POSITION_WEIGHT


def test_momentum_rotation_of_equals_takes_the_first_in_the_alphabet() -> None:
    strategy = load_strategy("momentum_rotation", {"top": 2})
    seen = market({symbol: {"momentum": 1.0} for symbol in "DCBA"})
    assert list(strategy.target_weights(seen, portfolio())) == ["A", "B"]


def test_momentum_rotation_over_fewer_symbols_than_it_holds_leaves_the_rest_in_cash() -> None:
    strategy = load_strategy("momentum_rotation", {"top": 4})
    weights = strategy.target_weights(market({"A": {"momentum": 1.0}}), portfolio())
    assert weights == {"A": Decimal("0.25")}


def test_momentum_rotation_ranks_the_fit_and_lets_an_unfit_holding_keep_its_place() -> None:
    strategy = load_strategy("momentum_rotation", {"top": 3})
    values = {symbol: {"momentum": strength} for strength, symbol in enumerate("DCBA")}
    seen = replace(market(values), unfit={"X": "BARS_STALE: newest bar 2013-01-29"})
    third = Decimal("0.3333")
    assert strategy.target_weights(seen, portfolio(A="0.33", B="0.33", X="0.33")) == {
        "A": third,
        "B": third,
    }
    assert strategy.target_weights(seen, portfolio()).keys() == {"A", "B", "C"}
    crowd = replace(seen, unfit=dict.fromkeys("VWXYZ", "BARS_STALE"))
    assert strategy.target_weights(crowd, portfolio(**dict.fromkeys("VWXYZ", "0.2"))) == {}


@pytest.mark.parametrize(
    ("name", "values"),
    [("sma_cross", {"fast": 2.0, "slow": 1.0}), ("rsi_mean_reversion", {"rsi": 20.0})],
)
def test_an_equal_share_does_not_grow_when_a_symbol_becomes_unfit(
    name: str, values: dict[str, float]
) -> None:
    seen = replace(market({"A": values}), unfit={"X": "BARS_STALE: newest bar 2013-01-29"})
    assert load_strategy(name, {}).target_weights(seen, portfolio()) == {"A": Decimal("0.5")}


@pytest.mark.parametrize(
    ("name", "parameters", "hint"),
    [
        ("sma_cross", {"fast": 100}, "less than slow: 100, 100"),
        ("sma_cross", {"fast": 0}, "at least 1"),
        ("rsi_mean_reversion", {"window": 1}, "window must be at least 2: 1"),
        ("rsi_mean_reversion", {"enter_below": 60.0}, "0 < enter_below < exit_above < 100"),
        ("rsi_mean_reversion", {"exit_above": 100}, "0 < enter_below < exit_above < 100"),
        ("rsi_mean_reversion", {"enter_below": 0}, "0 < enter_below < exit_above < 100"),
        ("momentum_rotation", {"top": 0}, "at least 1: 126, 0"),
        ("momentum_rotation", {"window": -1}, "at least 1: -1, 3"),
    ],
)
def test_parameters_that_make_no_sense_together_are_refused(
    name: str, parameters: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_strategy(name, parameters)
    assert caught.value.code == "STRATEGY_PARAMETER_INVALID"
    assert hint in str(caught.value)


@pytest.mark.parametrize("name", ["momentum_rotation", "rsi_mean_reversion", "sma_cross"])
@given(data=st.data())
def test_target_weights_are_decimals_from_nought_to_one_that_fit_together(
    name: str, data: st.DataObject
) -> None:
    strategy = load_strategy(name, {})
    symbols = data.draw(st.sets(st.text("ABCDE", min_size=1, max_size=3), min_size=1))
    number = st.floats(-200, 200)
    seen = market(
        {symbol: {each: data.draw(number) for each in strategy.indicators} for symbol in symbols}
    )
    weight = st.decimals("0", "1.5", places=6)
    held = {symbol: str(data.draw(weight)) for symbol in symbols if data.draw(st.booleans())}

    weights = strategy.target_weights(seen, portfolio(**held))

    assert weights.keys() <= symbols
    assert all(type(each) is Decimal and 0 <= each <= 1 for each in weights.values())
    assert sum(weights.values()) <= 1


def test_every_strategy_that_ships_has_parameters_that_json_can_set() -> None:
    for name in strategy_names():
        strategy = load_strategy(name, {})
        defaults = {each: getattr(strategy, each) for each in strategy.parameter_types()}
        again = load_strategy(name, json.loads(json.dumps(defaults)))
        assert defaults == {each: getattr(again, each) for each in defaults}
        assert defaults


def test_rsi_mean_reversion_asks_for_no_stop_unless_it_is_given_one() -> None:
    seen = market({"HELD": {"rsi": 40.0}})
    assert load_strategy("rsi_mean_reversion", {}).stop_prices(seen, portfolio(HELD="0.2")) == {}


def test_rsi_mean_reversion_stops_below_what_was_paid_or_will_be() -> None:
    strategy = load_strategy("rsi_mean_reversion", {"stop_loss": 0.08})
    seen = market({"HELD": {"rsi": 40.0}, "NEW": {"rsi": 20.0}})
    held = replace(portfolio(HELD="0.2"), costs={"HELD": Decimal(50)})
    assert strategy.stop_prices(seen, held) == {"HELD": Decimal(46), "NEW": Decimal(92)}


@pytest.mark.parametrize("stop_loss", [-0.1, 1.0, 8.0])
def test_rsi_mean_reversion_refuses_a_stop_that_is_not_a_fraction(stop_loss: float) -> None:
    with pytest.raises(ConfigurationError, match="stop_loss"):
        load_strategy("rsi_mean_reversion", {"stop_loss": stop_loss})
