"""Features across symbols see every fit symbol at once, and are checked like any other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd
import pytest

from algotrader.adapters.indicators import compute
from algotrader.errors import DeskError, InvalidInputError, StrategyError
from algotrader.model import Bars, Features, FeatureValue, Unfit
from algotrader.strategy import Files, Strategy
from tests.functions.algotrader.adapters.test_indicators import SMA3, Declared, bars_of

BARS = {"A": bars_of(*range(1, 9)), "B": bars_of(*range(11, 19)), "C": bars_of(*range(8, 0, -1))}


class Across(Declared):
    """A strategy whose features across symbols are what `answer` returns for all bars."""

    look_back: ClassVar[int] = 5

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        super().__init__(mean=SMA3)

    def features_all(
        self, bars_by_symbol: Mapping[str, pd.DataFrame], files: Mapping[str, bytes]
    ) -> Mapping[str, Mapping[str, float]]:
        result: Mapping[str, Mapping[str, float]] = self.answer(bars_by_symbol, files)
        return result


def computed(answer: Any, bars: Mapping[str, Bars] = BARS, files: Any = None) -> Features:
    return compute(bars, Across(answer), files or Files())


def ranks(bars: Mapping[str, pd.DataFrame], _: object) -> dict[str, dict[str, float]]:
    last = pd.Series({symbol: each["close"].iloc[-1] for symbol, each in bars.items()})
    return {symbol: {"rank": rank} for symbol, rank in last.rank().items()}


def test_a_rank_sees_all_symbols_at_both_bars_next_to_the_indicators() -> None:
    values = computed(ranks, {**BARS, "C": bars_of(1, 1, 1, 1, 1, 1, 7.5, 7.5)}).values
    assert {symbol: each["rank"] for symbol, each in values.items()} == {
        "A": FeatureValue(last=2.0, previous=1.0),
        "B": FeatureValue(last=3.0, previous=3.0),
        "C": FeatureValue(last=1.0, previous=2.0),
    }
    assert values["A"]["mean"] == FeatureValue(last=7.0, previous=6.0)


def test_a_model_is_asked_once_a_bar_for_all_symbols_with_copies_of_equal_length() -> None:
    seen: list[dict[str, pd.DataFrame]] = []

    def answer(bars: dict[str, pd.DataFrame], files: Mapping[str, bytes]) -> Any:
        seen.append({symbol: each.copy() for symbol, each in bars.items()})
        for each in bars.values():
            each["close"] = 0.0
        return {symbol: {"size": len(files["model"])} for symbol in bars}

    assert computed(answer, files=Files({"model": b"abc"})).values["A"]["size"].last == 3.0
    assert [list(each) for each in seen] == [["A", "B", "C"]] * 2
    assert {len(each) for bars in seen for each in bars.values()} == {5}
    assert [each["B"]["close"].iloc[-1] for each in seen] == [18.0, 17.0]
    assert list(seen[0]["A"].columns) == ["open", "high", "low", "close", "volume", "session"]


def test_features_come_first_and_what_they_make_unfit_is_not_ranked() -> None:
    class Both(Across):
        def features(self, bars: pd.DataFrame, files: object) -> Mapping[str, float]:
            del files
            return {"own": math.nan if bars["close"].iloc[-1] == 8 else 1.0}

    features = compute(BARS, Both(ranks), Files())
    assert features.values.keys() == {"B", "C"}
    assert features.values["B"].keys() == {"mean", "own", "rank"}
    assert features.values["B"]["rank"].last == 2.0
    assert features.unfit.keys() == {"A"}


@pytest.mark.parametrize(
    ("of_b", "reason"),
    [
        ({"x": math.nan}, "features_all() returned NaN or infinity for x of the newest session; "),
        ({"x": math.inf}, "features_all() returned NaN or infinity for x of the newest session; "),
        ({}, "features_all() returned nothing for it"),
        (None, "features_all() returned nothing for it"),
    ],
)
def test_a_symbol_without_a_finite_feature_is_unfit_and_the_others_are_computed(
    of_b: dict[str, float] | None, reason: str
) -> None:
    found = {"A": {"x": 1.0}, "C": {"x": 2.0}} | ({} if of_b is None else {"B": of_b})
    features = computed(lambda *_: found)
    assert features.values.keys() == {"A", "C"} == features.bars.keys()
    assert features.unfit["B"].code == "STRATEGY_FEATURES_INVALID"
    assert features.unfit["B"].detail.startswith(reason)


def test_the_run_stops_if_no_symbol_is_left() -> None:
    with pytest.raises(StrategyError, match=r"STRATEGY_FEATURES_INVALID.*returned nothing for it"):
        computed(lambda *_: {})


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (None, "not a dict: NoneType"),
        (pd.DataFrame({"A": [1.0]}), "not a dict: DataFrame"),
        ({"Z": {"x": 1.0}}, "'Z' is not a symbol of bars_by_symbol"),
        ({"A": 1.0}, "not a dict: float"),
        ({"A": {"x": "1"}}, "x is not a number: '1'"),
        ({"A": {1: 1.0}}, "a name is not a string: 1"),
        ({"A": {"mean": 1.0}}, "mean is the name of an indicator"),
    ],
)
def test_anything_but_dicts_of_numbers_by_symbol_is_refused(result: Any, problem: str) -> None:
    with pytest.raises(StrategyError) as caught:
        computed(lambda *_: result)
    assert caught.value.code == "STRATEGY_FEATURES_INVALID"
    assert problem in caught.value.facts["problem"]
    assert caught.value.facts.get("symbol", "A") == "A"
    assert "features_all(): it must return dicts of names to finite numbers, by symbol" in str(
        caught.value
    )


def test_names_must_be_the_same_at_both_bars_and_not_those_of_features() -> None:
    with pytest.raises(StrategyError, match=r"names change from bar to bar: \['at_7', 'at_8'\]"):
        computed(lambda bars, _: {"A": {f"at_{bars['A']['close'].iloc[-1]:.0f}": 1.0}})

    class Both(Across):
        def features(self, bars: pd.DataFrame, files: object) -> Mapping[str, float]:
            del bars, files
            return {"rank": 1.0}

    with pytest.raises(StrategyError, match=r'problem="features\(\) also has rank"'):
        compute(BARS, Both(ranks), Files())


def test_an_exception_is_reported_with_its_line_and_an_error_of_ours_stays_what_it_is() -> None:
    with pytest.raises(
        StrategyError,
        match=r"""FAILED: error="test_features_all\.py:\d+ KeyError: SPY" strategy=Across""",
    ):
        computed(lambda bars, _: bars["SPY"])

    def raise_ours(*_: object) -> None:
        raise InvalidInputError("OURS", "Stay.")

    with pytest.raises(DeskError, match="OURS"):
        computed(raise_ours)


def test_a_strategy_has_no_features_across_symbols_by_default() -> None:
    assert Strategy().features_all({}, Files()) == {}
    assert compute(BARS, Declared(mean=SMA3), Files()).unfit == dict[str, Unfit]()
