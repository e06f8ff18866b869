"""A feature uses exactly the bars that it needs, and is a number or a named error."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import ta.momentum
from msgspec.structs import replace

from algotrader.adapters.indicators import compute
from algotrader.errors import DeskError, InsufficientHistoryError, StrategyError
from algotrader.indicators import DEFINITIONS_VERSION
from algotrader.model import Bar, Bars, FeatureValue, Unfit
from algotrader.strategy import Indicator, Strategy
from tests.functions.algotrader.strategy.indicators.indicator_bars import columns, random_frame


class Declared(Strategy):
    """A strategy with the given indicators and nothing more."""

    def __init__(self, **indicators: Indicator) -> None:
        self._indicators = indicators
        super().__init__()

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        return self._indicators

    def target_weights(self, *_: object) -> dict[str, Decimal]:
        return {}


class Own(Declared):
    """A strategy whose own feature is what `answer` returns for the bars."""

    look_back: ClassVar[int] = 5

    def __init__(self, answer: Any, **indicators: Indicator) -> None:
        self.answer = answer
        super().__init__(**indicators)

    def features(self, bars: pd.DataFrame, files: Mapping[str, bytes]) -> Mapping[str, float]:
        result: Mapping[str, float] = self.answer(bars, files)
        return result


def opening(day: int) -> datetime:
    return datetime(2024, 1, 1, 14, 30, tzinfo=UTC) + timedelta(days=day - 1)


def bars_of(*closes: float) -> Bars:
    prices = array("d", closes)
    at = tuple(opening(1 + each) for each in range(len(prices)))
    return Bars("1Day", at, prices, prices, prices, prices, array("d", [100.0] * len(prices)))


SMA3 = Indicator("sma", window=3)
#: Start, open, high, low, close and volume, all different.
ROWS = tuple(
    (opening(day), day + 0.1, day + 0.3, day + 0.0, day + 0.2, day * 9.0) for day in range(1, 8)
)


def values_of(
    bars: Bars, strategy: Strategy, files: Mapping[str, bytes] | None = None
) -> dict[str, FeatureValue]:
    return compute({"A": bars}, strategy, files or {}).values["A"]


def test_last_and_previous_are_the_values_of_the_two_newest_bars() -> None:
    values = values_of(bars_of(1, 2, 3, 4, 6), Declared(mean=SMA3))
    assert values == {"mean": FeatureValue(last=4.333333333, previous=3.0)}


def test_every_symbol_is_there_in_alphabetical_order_and_the_newest_bar_dates_all() -> None:
    features = compute(
        {"B": bars_of(1, 2, 3, 4), "A": bars_of(5, 6, 7, 8, 9)}, Declared(mean=SMA3), {}
    )
    assert list(features.values) == ["A", "B"]
    assert features.as_of == date(2024, 1, 5)


def test_the_features_have_the_newest_bar_of_each_symbol() -> None:
    bars = Bars("1Day", *zip(*ROWS, strict=True))
    features = compute({"A": bars}, Declared(average=SMA3), {})
    assert features.bars == {"A": Bar(*ROWS[-1][1:])}


def test_bars_before_the_look_back_change_nothing() -> None:
    strategy = Declared(
        total=Indicator("obv"), change=Indicator("cumulative_return"), mean=Indicator("ema")
    )
    long = random_frame(3, 600)
    exact = long.iloc[-strategy.bars_needed() :].reset_index(drop=True)
    assert values_of(columns(long), strategy) == values_of(columns(exact), strategy)


def test_one_bar_fewer_than_needed_is_refused_with_both_numbers() -> None:
    strategy = Declared(mean=SMA3)
    compute({"A": bars_of(1, 2, 3, 4)}, strategy, {})
    with pytest.raises(InsufficientHistoryError) as caught:
        compute({"A": bars_of(1, 2, 3, 4), "B": bars_of(1, 2, 3)}, strategy, {})
    assert caught.value.code == "HISTORY_TOO_SHORT"
    assert caught.value.facts == {"symbol": "B", "have": 3, "need": 4}


def test_no_symbol_at_all_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="BARS_MISSING"):
        compute({}, Declared(mean=SMA3), {})


@pytest.mark.parametrize(
    "change",
    [
        {"close": (1.0, 2.0, math.nan, 4.0, 5.0)},
        {"volume": (1.0, 2.0, 3.0, 4.0, math.inf)},
        {"high": (1.0, 2.0)},
        {"at": tuple(map(opening, (5, 4, 3, 2, 1)))},
        {"at": tuple(map(opening, (1, 2, 3, 4, 4)))},
    ],
)
def test_malformed_bars_are_refused_with_their_symbol(change: dict[str, Any]) -> None:
    broken = replace(bars_of(1, 2, 3, 4, 5), **change)
    with pytest.raises(InsufficientHistoryError, match=r"BARS_INVALID: symbol=BAD problem="):
        compute({"A": bars_of(1, 2, 3, 4, 5), "BAD": broken}, Declared(mean=SMA3), {})


@pytest.mark.parametrize(
    ("name", "flat"),
    [
        ("cci", "close"),
        ("stoch", "close"),
        ("bollinger_pband", "close"),
        ("stochrsi", "close"),
        ("chaikin_money_flow", "volume"),
        ("volume_weighted_average_price", "volume"),
        ("pvo", "volume"),
        ("sma_ease_of_movement", "volume"),
    ],
)
def test_an_indicator_that_flat_bars_leave_undefined_is_named_with_its_symbol(
    name: str, flat: str
) -> None:
    frame = random_frame(5, 300)
    if flat == "close":
        frame[["open", "high", "low", "close"]] = 50.0
    else:
        frame["volume"] = 0.0
    bars = {"DEAD": columns(frame), "GOOD": columns(random_frame(6, 300))}
    features = compute(bars, Declared(mine=Indicator(name), other=Indicator("roc")), {})
    assert features.unfit.keys() == {"DEAD"}
    assert features.unfit["DEAD"].code == "INDICATOR_UNDEFINED"
    assert features.unfit["DEAD"].detail.startswith(f"mine ({name}) is undefined: its formula ")
    assert features.values.keys() == {"GOOD"}
    assert features.values["GOOD"].keys() == {"mine", "other"}


def test_the_reason_of_an_unfit_symbol_has_its_age() -> None:
    frame = random_frame(5, 300)
    frame.loc[frame.index[-60:], ["open", "high", "low", "close"]] = 50.0
    halted, idle = columns(frame), columns(random_frame(5, 300).assign(volume=0.0))
    bars = {"GOOD": columns(random_frame(6, 300)), "HALTED": halted, "IDLE": idle}
    features = compute(bars, Declared(k=Indicator("stoch"), flow=Indicator("cmf")), {})
    assert {symbol: each.detail for symbol, each in features.unfit.items()} == {
        "HALTED": "k (stoch) is undefined: its formula divides zero by zero; "
        "the last 21 closes are equal",
        "IDLE": "flow (chaikin_money_flow) is undefined: its formula divides zero by zero; "
        "nothing was traded in the newest bar",
    }


def test_a_trend_that_the_bars_do_not_have_is_named_as_missing() -> None:
    prices = [100.0 - each / 10 for each in range(220)]
    bars = {"DOWN": bars_of(*prices), "GOOD": columns(random_frame(6, 220))}
    features = compute(bars, Declared(rise=Indicator("psar_up")), {})
    assert features.unfit["DOWN"].detail == (
        "rise (psar_up) is undefined: its bars have no such trend"
    )


def test_the_run_stops_if_no_symbol_is_left() -> None:
    flat = {symbol: bars_of(*[50.0] * 40) for symbol in "AB"}
    with pytest.raises(InsufficientHistoryError) as caught:
        compute(flat, Declared(mine=Indicator("stoch")), {})
    assert caught.value.code == "INDICATOR_UNDEFINED"
    assert caught.value.facts["symbol"] == "A"
    assert caught.value.facts["others"] == 1
    assert "the last 15 closes are equal" in caught.value.facts["reason"]


def test_features_of_their_own_are_not_asked_of_an_unfit_symbol() -> None:
    asked: list[float] = []

    def answer(bars: pd.DataFrame, _: object) -> dict[str, float]:
        asked.append(float(bars["close"].iloc[-1]))
        return {}

    bars = {"FLAT": bars_of(*[50.0] * 20), "GOOD": bars_of(*range(1, 21))}
    features = compute(bars, Own(answer, mine=Indicator("stoch")), {})
    assert features.values.keys() == {"GOOD"}
    assert asked == [20.0, 19.0]


def test_an_undefined_previous_value_is_refused_like_an_undefined_last_one() -> None:
    frame = random_frame(5, 40)
    frame.loc[frame.index[:-1], ["open", "high", "low", "close"]] = 50.0
    bars = {"A": columns(frame), "B": columns(random_frame(6, 40))}
    features = compute(bars, Declared(mine=Indicator("stoch")), {})
    assert features.unfit.keys() == {"A"}


def test_a_price_of_zero_makes_a_symbol_unfit_and_warns_of_nothing() -> None:
    names = ("roc", "bollinger_wband", "keltner_channel_wband", "donchian_channel_wband", "ppo")
    bars = {"A": columns(random_frame(6, 250)), "ZERO": bars_of(*[0.0] * 250)}
    for name in names:
        features = compute(bars, Declared(x=Indicator(name)), {})
        assert features.unfit["ZERO"].code == "INDICATOR_UNDEFINED"
        assert features.values.keys() == {"A"}


def test_the_rsi_of_a_price_that_never_fell_is_a_hundred() -> None:
    values = values_of(bars_of(*range(1, 201)), Declared(rsi=Indicator("rsi")))
    assert values["rsi"] == FeatureValue(last=100.0, previous=100.0)


def test_the_features_say_by_which_definitions_they_were_computed() -> None:
    features = compute({"A": bars_of(1, 2, 3, 4)}, Declared(mean=SMA3), {})
    assert features.definitions == DEFINITIONS_VERSION


def test_values_carry_ten_significant_digits_and_no_minus_zero() -> None:
    thirds = values_of(bars_of(0, 0, 1, 1), Declared(mean=SMA3))["mean"]
    assert thirds == FeatureValue(last=0.6666666667, previous=0.3333333333)
    own = Own(lambda *_: {"tiny": -0.0, "large": 123456789012.0})
    values = values_of(bars_of(*range(1, 8)), own)
    assert values["large"].last == 123456789000.0
    assert math.copysign(1, values["tiny"].last) == 1


def test_outputs_of_the_same_class_and_parameters_share_one_object_of_ta(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    class Counted(ta.momentum.PercentagePriceOscillator):
        def __init__(self, *, window_fast: int, **rest: Any) -> None:
            made.append(window_fast)
            super().__init__(window_fast=window_fast, **rest)

    monkeypatch.setattr(ta.momentum, "PercentagePriceOscillator", Counted)
    strategy = Declared(
        ppo=Indicator("ppo"),
        signal=Indicator("ppo_signal"),
        histogram=Indicator("ppo_hist", window_fast=12),
        other=Indicator("ppo", window_fast=10),
    )
    compute({"A": columns(random_frame(1, 300))}, strategy, {})
    assert made == [12, 10]


def test_a_symbol_that_was_listed_later_has_the_features_that_it_has_alone() -> None:
    """Symbols with unequal histories are computed together, and none affects a bit of another."""
    names = ("rsi", "macd_diff", "adx", "kama", "psar", "bollinger_pband", "keltner_channel_hband")
    strategy = Declared(**{name: Indicator(name) for name in names})
    need = strategy.bars_needed()
    bars = {
        symbol: columns(random_frame(seed, length))
        for seed, (symbol, length) in enumerate(
            {"OLD": 900, "NEW": need, "YOUNG": need + 7}.items()
        )
    }
    together = compute(bars, strategy, {})
    for symbol, each in bars.items():
        alone = compute({symbol: each}, strategy, {})
        assert together.values[symbol] == alone.values[symbol]


@pytest.mark.parametrize("of", ["", "ta_"])
def test_psar_up_keeps_its_last_value_in_a_fall(of: str) -> None:
    strategy = Declared(
        **{name: Indicator(f"{of}{name}") for name in ("psar", "psar_up", "psar_down")}
    )
    frame = random_frame(2, 400)
    fall = frame.copy()
    factor = np.linspace(1, 0.4, 15)
    for name in ("open", "high", "low", "close"):
        fall.loc[fall.index[-15:], name] = fall[name].iloc[-15] * factor
    values = values_of(columns(fall), strategy)
    assert values["psar_down"] == values["psar"]
    assert values["psar_up"].last == values["psar_up"].previous != values["psar"].last


def test_own_features_see_equal_rows_so_that_previous_is_what_last_was() -> None:
    seen: list[pd.DataFrame] = []

    def answer(bars: pd.DataFrame, _: Mapping[str, bytes]) -> dict[str, float]:
        seen.append(bars)
        return {"sum": float(bars["close"].sum())}

    strategy = Own(answer)
    today = values_of(bars_of(1, 2, 3, 4, 5, 6, 7), strategy)["sum"]
    yesterday = values_of(bars_of(1, 2, 3, 4, 5, 6), strategy)["sum"]

    assert today.previous == yesterday.last == 2 + 3 + 4 + 5 + 6
    assert today.last == 3 + 4 + 5 + 6 + 7
    for frame in seen:
        assert len(frame) == strategy.look_back == strategy.bars_needed() - 1
        assert list(frame.index) == list(range(5))
        assert list(frame.columns) == ["open", "high", "low", "close", "volume", "session"]
        assert (frame.dtypes[["open", "high", "low", "close", "volume"]] == np.float64).all()
        assert isinstance(frame["session"].iloc[0], date)


def test_a_bars_session_is_its_date_in_new_york_however_early_or_late_it_opened() -> None:
    seen: list[list[date]] = []

    def answer(bars: pd.DataFrame, _: Mapping[str, bytes]) -> dict[str, float]:
        seen.append(list(bars["session"]))
        return {}

    at = (
        *(datetime(2024, 3, day, 14, 30, tzinfo=UTC) for day in (4, 5, 6)),
        datetime(2024, 3, 7, 5, tzinfo=UTC),  # midnight in New York
        datetime(2024, 3, 9, 4, 59, tzinfo=UTC),  # the last minute of March 8 in New York
        datetime(2024, 3, 11, 13, 30, tzinfo=UTC),  # daylight-saving time
    )
    features = compute({"A": replace(bars_of(*range(1, 7)), at=at)}, Own(answer), {})

    assert seen[0] == [date(2024, 3, day) for day in (5, 6, 7, 8, 11)]
    assert features.as_of == date(2024, 3, 11)


def test_own_features_stand_next_to_indicators_and_may_corrupt_their_frame() -> None:
    def answer(bars: pd.DataFrame, files: Mapping[str, bytes]) -> dict[str, Any]:
        bars["close"] = 0.0
        return {"size": np.float32(2.5), "count": np.int64(len(files["model"]))}

    values = values_of(bars_of(*range(1, 9)), Own(answer, mean=SMA3), {"model": b"abc"})
    assert values == {
        "mean": FeatureValue(last=7.0, previous=6.0),
        "size": FeatureValue(last=2.5, previous=2.5),
        "count": FeatureValue(last=3.0, previous=3.0),
    }


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"x": math.nan}, "features() returned NaN or infinity for x of the newest session; drop"),
        ({"x": -math.inf}, "features() returned NaN or infinity for x of the newest session"),
        ({"x": "1"}, "x is not a number: '1'"),
        ({"x": None}, "x is not a number: None"),
        ({"x": True}, "x is not a number: True"),
        ({"x": 10**400}, "features() returned NaN or infinity for x"),
        ({"x": pd.Series([1.0])}, "x is not a number"),
        ({1: 1.0}, "a name is not a string: 1"),
        ({"mean": 1.0}, "mean is the name of an indicator"),
        (None, "not a dict: NoneType"),
        ([1.0], "not a dict: list"),
    ],
)
def test_own_features_that_do_not_map_names_to_numbers_are_refused(
    result: Any, problem: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        compute({"A": bars_of(*range(1, 9))}, Own(lambda *_: result, mean=SMA3), {})
    assert caught.value.code == "STRATEGY_FEATURES_INVALID"
    assert caught.value.facts["strategy"] == "Own"
    assert caught.value.facts["symbol"] == "A"
    assert problem in caught.value.facts["problem"]


@pytest.mark.parametrize(("close", "session"), [(8.0, "newest"), (7.0, "previous")])
def test_a_symbol_whose_own_feature_is_not_finite_is_unfit_and_the_others_are_computed(
    close: float, session: str
) -> None:
    def answer(bars: pd.DataFrame, _: object) -> dict[str, float]:
        return {"x": math.nan if bars["close"].iloc[-1] == close else 1.5}

    bars = {"A": bars_of(*range(1, 9)), "B": bars_of(*range(11, 19))}
    found = compute(bars, Own(answer, mean=SMA3), {})
    assert list(found.values) == ["B"]
    assert found.values["B"]["x"] == FeatureValue(last=1.5, previous=1.5)
    assert found.unfit == {
        "A": Unfit(
            "STRATEGY_FEATURES_INVALID",
            f"features() returned NaN or infinity for x of the {session} session; drop missing "
            "values there, or raise look_back",
        )
    }


def test_own_features_must_have_the_same_names_at_both_bars() -> None:
    def answer(bars: pd.DataFrame, _: Mapping[str, bytes]) -> dict[str, float]:
        return {f"at_{bars['close'].iloc[-1]:.0f}": 1.0}

    with pytest.raises(StrategyError, match=r"names change from bar to bar: \['at_7', 'at_8'\]"):
        compute({"A": bars_of(*range(1, 9))}, Own(answer), {})


def test_an_exception_in_own_features_is_reported_with_what_it_said() -> None:
    def answer(bars: pd.DataFrame, _: object) -> dict[str, float]:
        return {"x": float(bars["adjusted"].iloc[-1])}

    with pytest.raises(
        StrategyError,
        match=r"""FAILED: error="test_indicators\.py:\d+ KeyError: adjusted" symbol=A""",
    ):
        compute({"A": bars_of(*range(1, 9))}, Own(answer), {})


def test_an_error_of_ours_in_own_features_stays_what_it_is() -> None:
    class Absent(dict[str, bytes]):
        def __missing__(self, name: str) -> bytes:
            raise StrategyError("STRATEGY_FILE_MISSING", "Upload it.", file=name)

    with pytest.raises(DeskError) as caught:
        compute({"A": bars_of(*range(1, 9))}, Own(lambda _, files: files["m"]), Absent())
    assert caught.value.code == "STRATEGY_FILE_MISSING"
