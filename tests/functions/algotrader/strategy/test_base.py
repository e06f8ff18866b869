"""The loader finds a strategy by name, checks its parameters and explains what it refuses."""

from __future__ import annotations

import importlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.errors import ConfigurationError, DeskError, StrategyError
from algotrader.model import FeatureValue
from algotrader.strategy import Indicator, Strategy, equal_weight, load_strategy
from algotrader.strategy.base import finite_number
from algotrader.strategy.loader import strategy_names
from algotrader.strategy.view import Market, Portfolio, SymbolFeatures
from tests.support.own_strategies import Write

HEAD = """
from algotrader.strategy import Indicator, Strategy

"""

GOOD = (
    HEAD
    + '''
class Mine(Strategy):
    """Hold everything."""

    window: int = 20
    ratio: float = 0.5
    strict: bool = False
    label: str = "x"
    _hidden: int = 3
    untyped = 4

    indicators = {"mean": Indicator("sma", window=20)}

    def check(self):
        if self.window < 2:
            raise ValueError(f"window must be at least 2: {self.window}")

    def target_weights(self, market, portfolio):
        return {}
'''
)


def test_the_strategies_that_ship_are_listed_by_file_name() -> None:
    names = strategy_names()  # a user's own strategies may be listed too
    assert {"momentum_rotation", "rsi_mean_reversion", "sma_cross"} <= set(names)
    assert names == sorted(names)


def test_a_file_with_a_leading_underscore_is_not_a_strategy(write: Write) -> None:
    write("_helpers", "")
    assert "_helpers" not in strategy_names()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("momentum_rotatoin", "did you mean momentum_rotation?"),
        ("SMA_CROSS", "did you mean sma_cross?"),
        ("", f"known: {', '.join(strategy_names())}"),
        ("../secrets", "known:"),
        ("os.path", "known:"),
    ],
)
def test_an_unknown_strategy_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_strategy(name, {})
    assert caught.value.code == "STRATEGY_UNKNOWN"
    assert hint in str(caught.value)


def test_parameters_are_the_public_annotated_attributes_with_a_default(write: Write) -> None:
    write("mine", GOOD)
    strategy = load_strategy("mine", {})
    assert strategy.parameter_types() == {
        "window": int,
        "ratio": float,
        "strict": bool,
        "label": str,
    }


def test_parameters_from_json_are_set_and_the_rest_keep_their_defaults(write: Write) -> None:
    write("mine", GOOD)
    given_parameters = json.loads('{"window": 30, "ratio": 2, "strict": true}')
    strategy: Any = load_strategy("mine", given_parameters)
    assert (strategy.window, strategy.ratio, strategy.strict, strategy.label) == (
        30,
        2.0,
        True,
        "x",
    )
    assert isinstance(strategy.ratio, float)
    other: Any = load_strategy("mine", {})
    assert other.window == 20


@pytest.mark.parametrize(
    ("parameters", "code", "hint"),
    [
        ({"windw": 30}, "STRATEGY_PARAMETER_UNKNOWN", "did you mean window?; known: window, ratio"),
        ({"_hidden": 1}, "STRATEGY_PARAMETER_UNKNOWN", "known: window, ratio, strict, label"),
        (
            {"untyped": 1},
            "STRATEGY_PARAMETER_UNKNOWN",
            "parameter=untyped. Write its type into the class Mine, as in `untyped: int = 4`.",
        ),
        ({"check": 1}, "STRATEGY_PARAMETER_UNKNOWN", "known: window, ratio, strict, label"),
        ({"indicators": 1}, "STRATEGY_PARAMETER_UNKNOWN", "known:"),
        ({"self": 1}, "STRATEGY_PARAMETER_UNKNOWN", "known:"),
        ({"window": "30"}, "STRATEGY_PARAMETER_INVALID", "window must be an integer"),
        ({"window": 30.0}, "STRATEGY_PARAMETER_INVALID", "window must be an integer"),
        ({"window": True}, "STRATEGY_PARAMETER_INVALID", "window must be an integer"),
        ({"window": None}, "STRATEGY_PARAMETER_INVALID", "window must be an integer"),
        ({"ratio": "half"}, "STRATEGY_PARAMETER_INVALID", "ratio must be a number"),
        ({"ratio": True}, "STRATEGY_PARAMETER_INVALID", "ratio must be a number"),
        ({"ratio": float("nan")}, "STRATEGY_PARAMETER_INVALID", "ratio must be a number"),
        ({"ratio": 10**400}, "STRATEGY_PARAMETER_INVALID", "ratio must be a number"),
        ({"strict": 1}, "STRATEGY_PARAMETER_INVALID", "strict must be true or false"),
        ({"label": 1}, "STRATEGY_PARAMETER_INVALID", "label must be a string"),
        ({"label": ["x"]}, "STRATEGY_PARAMETER_INVALID", "label must be a string"),
        ({"window": 1}, "STRATEGY_PARAMETER_INVALID", "window must be at least 2: 1"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    write: Write, parameters: dict[str, Any], code: str, hint: str
) -> None:
    write("mine", GOOD)
    with pytest.raises(ConfigurationError) as caught:
        load_strategy("mine", parameters)
    assert caught.value.code == code
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("def broken(:", "SyntaxError"),
        ("import no_such_library", "No module named 'no_such_library'"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit(3)"),
        ("", "found=[]"),
        ("from strategies.sma_cross import SmaCross", "found=[]"),
        (GOOD + "\nclass Second(Mine):\n    pass\n", "found=['Mine', 'Second']"),
        (HEAD + "class Mine(Strategy):\n    pass\n", "Mine must define target_weights"),
        (GOOD.replace("indicators = {", "indicators = [1] or {"), "indicators must be a dict"),
        (GOOD.replace('Indicator("sma", window=20)', '"sma"'), "indicators must be a dict"),
        (GOOD.replace("window: int = 20", "window: 'Unknown' = 20"), "NameError"),
        (GOOD.replace("untyped = 4", "look_back = -1"), "look_back must be a whole number"),
        (GOOD.replace("untyped = 4", "look_back = 20.0"), "look_back must be a whole number"),
        *(
            (GOOD.replace("untyped = 4", f"min_fit = {each}"), "min_fit must be a whole number")
            for each in ("-1", "1.5", "-0.1", "True", "'3'", "float('nan')")
        ),
        (GOOD.replace("untyped = 4", "pins = ['m']"), "pins must be a dict"),
        (GOOD.replace("untyped = 4", "pins = {'m': 'abc'}"), "pins={'m': 'abc'}"),
        (GOOD.replace("untyped = 4", f"pins = {{'m': '{'A' * 64}'}}"), "64 hexadecimal digits"),
        (GOOD.replace("untyped = 4", f"pins = {{1: '{'a' * 64}'}}"), "pins must be a dict"),
        (GOOD.replace("raise ValueError", "raise self.nothing"), "AttributeError"),
    ],
)
def test_a_broken_file_is_refused_with_its_path_and_what_is_wrong(
    write: Write, text: str, hint: str
) -> None:
    write("mine", text)
    with pytest.raises(StrategyError) as caught:
        load_strategy("mine", {"window": 1} if "self.nothing" in text else {})
    assert caught.value.code == "STRATEGY_BROKEN"
    assert "Fix functions/strategies/mine.py" in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ('Indicator("smaa", window=20)', "INDICATOR_UNKNOWN"),
        ('Indicator("sma", windw=20)', "INDICATOR_PARAMETER_INVALID"),
    ],
)
def test_a_wrong_indicator_is_refused_before_a_bar_is_fetched(
    write: Write, declared: str, code: str
) -> None:
    write("mine", GOOD.replace('Indicator("sma", window=20)', declared))
    with pytest.raises(StrategyError) as caught:
        load_strategy("mine", {})
    assert caught.value.code == code


def test_an_indicator_that_depends_on_a_wrong_parameter_is_refused_at_loading(
    write: Write,
) -> None:
    text = GOOD.replace(
        '    indicators = {"mean": Indicator("sma", window=20)}\n',
        "    @property\n    def indicators(self):\n"
        '        return {"mean": Indicator("sma", window=self.window * -1)}\n',
    )
    write("mine", text)
    with pytest.raises(StrategyError, match="INDICATOR_PARAMETER_INVALID"):
        load_strategy("mine", {})


def test_an_alias_of_the_one_class_is_not_a_second_one(write: Write) -> None:
    write("mine", GOOD + "\nAlias = Mine\n")
    assert type(load_strategy("mine", {})).__name__ == "Mine"


COUNTS = (
    HEAD
    + """
import strategies
import strategies._first
from strategies import _second

_calls = []

class Mine(Strategy):
    calls = []

    def target_weights(self, market, portfolio):
        _calls.append(1)
        self.calls.append(1)
        strategies._first.calls.append(1)
        _second.calls.append(1)
        strategies.calls = [*getattr(strategies, "calls", ()), 1]
        kept = (_calls, self.calls, strategies._first.calls, _second.calls, strategies.calls)
        return {str(place): len(calls) for place, calls in enumerate(kept)}
"""
)


def test_nothing_that_the_modules_of_a_strategy_keep_survives_to_the_next_run(write: Write) -> None:
    write("mine", COUNTS)
    write("_first", "calls = []")
    write("_second", "calls = []")
    market: Any = None
    for _ in range(3):  # in one process, like a warm function
        counts = load_strategy("mine", {}).target_weights(market, market)
        assert counts == dict.fromkeys("01234", 1)


class TwoWindows(Strategy):
    indicators = {"a": Indicator("sma", window=7), "b": Indicator("roc", window=9)}  # noqa: RUF012


class LongLookBack(TwoWindows):
    """A strategy whose own features need more bars than its indicators."""

    look_back = 30


def test_a_run_needs_the_longest_warm_up_and_one_bar_for_the_previous_value() -> None:
    assert TwoWindows().bars_needed() == 11
    assert LongLookBack().bars_needed() == 31
    assert Strategy().bars_needed() == 2


def test_an_indicator_is_shown_as_it_was_declared() -> None:
    assert repr(Indicator("sma", window=7)) == "Indicator('sma', window=7)"
    assert repr(Indicator("rsi")) == "Indicator('rsi')"


@given(st.integers(1, 500))
def test_equal_weights_never_add_up_to_more_than_one(holdings: int) -> None:
    weight = equal_weight(holdings)
    assert weight > 0
    assert 1 - Decimal("0.0001") * holdings < weight * holdings <= 1


@given(st.one_of(st.none(), st.booleans(), st.text(), st.just(float("nan")), st.just(-1e400)))
def test_what_is_not_a_finite_number_is_none(value: object) -> None:
    assert finite_number(value) is None


def test_a_view_gives_last_previous_and_price_and_refuses_undeclared_names() -> None:
    view = SymbolFeatures({"fast": FeatureValue(2.0, 1.0)}, Decimal(10))
    assert (view["fast"], view.previous["fast"], view.price) == (2.0, 1.0, Decimal(10))
    assert dict(view) == {"fast": 2.0}
    assert len(view) == 1
    with pytest.raises(KeyError, match="'slow' is not a declared indicator; declared: fast"):
        view["slow"]


def test_a_market_names_a_symbol_that_is_not_in_the_templates_symbols() -> None:
    with pytest.raises(KeyError, match="SPY is not in the template's Symbols; add it there"):
        Market(session=date(2024, 3, 4), as_of=date(2024, 3, 1), symbols={})["SPY"]


def test_every_error_of_loading_is_one_of_ours() -> None:
    """Step Functions matches exact names, so it would not catch any other error."""
    for name in ("nothing", "momentum_rotation"):
        with pytest.raises(DeskError):
            load_strategy(name, {"window": object()})


def test_the_interface_can_be_imported_from_one_module() -> None:
    module = importlib.import_module("algotrader.strategy")
    assert module.Market is Market
    assert module.Portfolio is Portfolio
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("fewest", ["0", "12", "0.0", "0.8", "1.0"])
def test_the_fewest_fit_symbols_are_a_count_or_a_fraction(write: Write, fewest: str) -> None:
    write("mine", GOOD.replace("untyped = 4", f"min_fit = {fewest}"))
    assert repr(load_strategy("mine", {}).min_fit) == fewest


def test_the_fewest_fit_symbols_may_be_a_parameter(write: Write) -> None:
    write("mine", GOOD.replace("untyped = 4", "min_fit: float = 0.5"))
    assert load_strategy("mine", {}).min_fit == 0.5
    assert load_strategy("mine", {"min_fit": 0.8}).min_fit == 0.8
    with pytest.raises(StrategyError, match="min_fit must be a whole number"):
        load_strategy("mine", {"min_fit": 80})
