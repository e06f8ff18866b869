"""The catalog agrees with `ta` about each indicator and refuses unknown names."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ta
from ta.utils import IndicatorMixin

from algotrader.errors import StrategyError
from algotrader.indicators import FORMULAS
from algotrader.strategy.indicators import CLASSES, NAMES, OUTPUTS, resolve
from algotrader.strategy.indicators.__main__ import page
from algotrader.strategy.indicators.entries import TA_PREFIX, Kind
from algotrader.strategy.indicators.facts import FACTS
from tests.support import indicator_deviations
from tests.support.checkout import CHECKOUT

GROUPS = ("momentum", "others", "trend", "volatility", "volume")

# ta annotates these multipliers as int but computes with any number.
MULTIPLIERS_ANNOTATED_INT = {("BollingerBands", "window_dev"), ("KeltnerChannel", "multiplier")}

# Each of these columns of add_all_ta_features is another indicator with other parameters.
PARAMETRIZED_COLUMNS = {
    "sma_fast",
    "sma_slow",
    "ema_fast",
    "ema_slow",
    "visual_ichimoku_a",
    "visual_ichimoku_b",
}


#: The entries whose values are those of `ta`.
OF_TA = [each for each in CLASSES if not each.own]


def ta_classes() -> dict[tuple[str, str], type]:
    return {
        (group, name): each
        for group in GROUPS
        for name, each in vars(importlib.import_module(f"ta.{group}")).items()
        if inspect.isclass(each)
        and issubclass(each, IndicatorMixin)
        and each.__module__ == f"ta.{group}"
    }


def constructor(ta_class: type) -> list[inspect.Parameter]:
    found = list(inspect.signature(ta_class).parameters.values())
    return [each for each in found if each.name != "fillna"]


def source(module: str) -> ast.Module:
    return ast.parse(Path(ta.__path__[0], f"{module}.py").read_text(encoding="utf-8"))


def test_ta_has_no_module_that_the_catalog_lacks() -> None:
    modules = {module.name for module in pkgutil.iter_modules(ta.__path__)}
    assert modules == {*GROUPS, "utils", "wrapper"}


def test_the_catalog_contains_exactly_the_classes_of_ta() -> None:
    assert sorted((each.group, each.name) for each in OF_TA) == sorted(ta_classes())
    assert sorted({(each.group, each.name) for each in CLASSES}) == sorted(ta_classes())


def test_our_own_definitions_have_the_values_of_ta_under_separate_names() -> None:
    ours = [each for each in CLASSES if each.own]
    assert {each.name for each in ours} <= FORMULAS.keys()
    for each in ours:
        for output, warm_up in each.outputs.items():
            of_ta = OUTPUTS[f"ta_{output}"]
            assert not of_ta.own
            assert of_ta.outputs[f"ta_{output}"] is warm_up
    assert NAMES["ta_obv"] == "ta_on_balance_volume"
    assert NAMES["ta_aroon"] == "ta_aroon_indicator"


@pytest.mark.parametrize("entry", CLASSES, ids=lambda each: next(iter(each.outputs)))
def test_an_entry_has_the_inputs_parameters_defaults_and_outputs_of_its_class(entry: Any) -> None:
    ta_class = ta_classes()[entry.group, entry.name]
    taken = constructor(ta_class)
    inputs = [each.name for each in taken if each.annotation is pd.Series]
    parameters = [each for each in taken if each.annotation is not pd.Series]
    outputs = [
        name
        for name, each in vars(ta_class).items()
        if inspect.isfunction(each) and not name.startswith("_")
    ]

    assert sorted(entry.inputs) == sorted(inputs)
    assert [each.name for each in entry.parameters] == [each.name for each in parameters]
    for ours, theirs in zip(entry.parameters, parameters, strict=True):
        assert ours.required == (theirs.default is inspect.Parameter.empty)
        assert ours.required or ours.default == theirs.default
        assert ours.kind in kinds_of(entry.name, theirs)
    assert [each.removeprefix(TA_PREFIX) for each in entry.outputs] == outputs


def kinds_of(class_name: str, parameter: inspect.Parameter) -> set[Kind]:
    if (class_name, parameter.name) in MULTIPLIERS_ANNOTATED_INT:
        return {Kind.FACTOR}
    if parameter.annotation is bool:
        return {Kind.FLAG}
    if parameter.annotation is float:
        return {Kind.FACTOR}
    return {Kind.OFFSET} if parameter.default == 0 else {Kind.WINDOW}


def test_no_two_classes_share_an_output() -> None:
    assert len(OUTPUTS) == sum(len(each.outputs) for each in CLASSES)


@pytest.mark.parametrize("group", GROUPS)
def test_every_function_of_ta_is_a_name_of_the_method_that_it_calls(group: str) -> None:
    called = {
        node.name: node.body[-1].value.func.attr
        for node in source(group).body
        if isinstance(node, ast.FunctionDef)
        and isinstance(node.body[-1], ast.Return)
        and isinstance(node.body[-1].value, ast.Call)
        and isinstance(node.body[-1].value.func, ast.Attribute)
    }
    assert called
    assert {name: NAMES.get(name) for name in called} == called


def test_every_column_of_ta_without_its_group_is_a_name_of_the_method_that_fills_it() -> None:
    filled = {}
    for node in ast.walk(source("wrapper")):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        target, method = node.targets[0], node.value.func
        if isinstance(target, ast.Subscript) and isinstance(method, ast.Attribute):
            column = ast.literal_eval(ast.unparse(target.slice).replace("{colprefix}", "")[1:])
            filled[column.split("_", maxsplit=1)[1]] = method.attr
    wanted = {name: each for name, each in filled.items() if name not in PARAMETRIZED_COLUMNS}

    assert len(wanted) > 75
    assert {name: NAMES.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("sma", "sma_indicator"),
        ("ema", "ema_indicator"),
        ("aroon", "aroon_indicator"),
        ("wma", "wma"),
        ("bollinger_hband", "bollinger_hband"),
        ("bollinger_hband_indicator", "bollinger_hband_indicator"),
        ("psar_up", "psar_up"),
    ],
)
def test_a_short_name_never_hides_a_method_of_that_name(name: str, output: str) -> None:
    assert NAMES[name] == output


def test_defaults_fill_what_is_not_given_in_the_order_of_ta() -> None:
    resolved = resolve("macd_diff", {"window_sign": 5})
    assert list(resolved.arguments.items()) == [
        ("window_slow", 26),
        ("window_fast", 12),
        ("window_sign", 5),
    ]
    assert resolved.output == "macd_diff"
    assert resolved.ta_class.name == "MACD"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rsii", "did you mean rsi?"),
        ("RSI", "did you mean rsi?"),
        ("bollinger", "bollinger_mavg"),
        ("RSIIndicator", "RSIIndicator is a class, so name its output: rsi;"),
        ("MACD", "name its output: macd or macd_signal or macd_diff"),
        ("no such thing", "docs/indicators.md lists all"),
        ("", "docs/indicators.md lists all"),
        (7, "docs/indicators.md lists all"),
        (["rsi"], "docs/indicators.md lists all"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_ones(name: Any, hint: str) -> None:
    with pytest.raises(StrategyError) as caught:
        resolve(name, {})
    assert caught.value.code == "INDICATOR_UNKNOWN"
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters", "hint"),
    [
        ("rsi", {"windw": 14}, "did you mean window?"),
        ("rsi", {"fillna": True}, "known: window."),
        ("obv", {"window": 3}, "known: none."),
        ("sma", {}, "window has no default"),
        ("sma", {"window": 0}, "a whole number of bars, at least 1"),
        ("sma", {"window": -5}, "a whole number of bars, at least 1"),
        ("sma", {"window": 20.0}, "a whole number of bars, at least 1"),
        ("sma", {"window": "20"}, "a whole number of bars, at least 1"),
        ("sma", {"window": True}, "a whole number of bars, at least 1"),
        ("sma", {"window": None}, "a whole number of bars, at least 1"),
        ("sma", {"window": 10**30}, "a whole number of bars, at least 1"),
        ("dch", {"offset": -1}, "a whole number of bars, at least 0"),
        ("psar", {"step": 0.0}, "a number greater than 0"),
        ("psar", {"step": float("nan")}, "a number greater than 0"),
        ("psar", {"max_step": float("inf")}, "a number greater than 0"),
        ("psar", {"step": True}, "a number greater than 0"),
        ("ichimoku_a", {"visual": 1}, "True or False"),
        ("vpt", {"smoothing_factor": 0}, "a whole number of bars, at least 1"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_it_must_be(
    name: str, parameters: dict[str, Any], hint: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        resolve(name, parameters)
    assert caught.value.code == "INDICATOR_PARAMETER_INVALID"
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("ema", {"window": 5000}), ("psar", {"step": 1e-9}), ("atr", {"window": 10_000})],
)
def test_an_indicator_that_no_feed_can_warm_up_is_refused(
    name: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(StrategyError, match=r"INDICATOR_PARAMETER_INVALID.*more than 10000 bars"):
        resolve(name, parameters)


def test_a_parameter_may_be_none_if_none_is_its_default() -> None:
    assert resolve("vpt", {"smoothing_factor": None}) == resolve("vpt", {})


def test_the_page_of_indicators_is_current() -> None:
    written = (CHECKOUT / "docs/indicators.md").read_text(encoding="utf-8")
    assert written == page(), (
        "PYTHONPATH=functions python -m algotrader.strategy.indicators writes it"
    )


def test_the_page_says_of_every_class_where_it_begins_its_ties_and_its_source() -> None:
    assert FACTS.keys() == {each.name for each in CLASSES}
    assert all(all(facts) for facts in FACTS.values())


def test_the_deviations_on_the_page_are_those_that_the_command_measures() -> None:
    written = indicator_deviations.FILE.read_text(encoding="utf-8")
    assert written == "\n".join(indicator_deviations.lines()) + "\n", (
        "PYTHONPATH=functions:. .venv/bin/python -m tests.support.indicator_deviations writes them"
    )
