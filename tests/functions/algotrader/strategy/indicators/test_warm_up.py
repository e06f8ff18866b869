"""An indicator's warm-up bars are enough for a value, and a longer history gives the same value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrader.adapters.indicators import IndicatorSeries, compute
from algotrader.errors import InsufficientHistoryError
from algotrader.strategy import Indicator, Strategy
from algotrader.strategy.indicators import CLASSES, OUTPUTS, ResolvedIndicator, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX, Kind, TaClass
from algotrader.strategy.indicators.warm_up import LONGEST, Smoothing, ema, settling, wilder
from tests.functions.algotrader.strategy.indicators.indicator_bars import (
    arrays,
    columns,
    random_frame,
    real_frame,
)

# These levels depend on where the look-back begins, so the tests only check that a value exists.
RUNNING_TOTALS = {
    "acc_dist_index",
    "on_balance_volume",
    "ta_on_balance_volume",
    "volume_price_trend",
    "negative_volume_index",
    "cumulative_return",
}

OTHER_PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "KeltnerChannel": [
        {"original_version": False},
        {"original_version": False, "window": 2, "window_atr": 40},
    ],
    "DonchianChannel": [{"offset": 5}],
    "IchimokuIndicator": [{"visual": True}],
    "VolumePriceTrendIndicator": [{"smoothing_factor": 10, "dropnans": True}],
    "PSARIndicator": [{"step": 0.05, "max_step": 0.5}, {"step": 0.01, "max_step": 0.1}],
    "KAMAIndicator": [{"pow1": 5, "pow2": 50}],
    "MACD": [{"window_slow": 12, "window_fast": 26}],
    "DPOIndicator": [{"window": 1}, {"window": 3}],
}


def parameter_sets(entry: TaClass) -> Iterator[dict[str, Any]]:
    required = {each.name: 20 for each in entry.parameters if each.required}
    windows = {
        each.name: required.get(each.name) or each.default
        for each in entry.parameters
        if each.kind is Kind.WINDOW and (each.required or each.default is not None)
    }
    yield required
    if is_of_ta(entry):
        return  # its parameters and warm-ups are those of the entry that we define
    if windows:
        yield {name: max(2, int(bars / 2)) for name, bars in windows.items()}
        yield {name: math.ceil(bars * 1.4) for name, bars in windows.items()}
    yield from OTHER_PARAMETERS.get(entry.name, [])


def is_of_ta(entry: TaClass) -> bool:
    return all(output.startswith(TA_PREFIX) for output in entry.outputs)


@cache
def histories() -> tuple[pd.DataFrame, ...]:
    return (
        random_frame(11, 1300),
        random_frame(12, 1300, volatility=0.05),
        real_frame("MSFT", date(2012, 12, 31), 1300),
    )


CASES = [(entry, each) for entry in CLASSES for each in parameter_sets(entry)]


@dataclass(frozen=True, slots=True)
class Cuts:
    """Slices of a history that share what is computed for all outputs of a class."""

    history: pd.DataFrame
    _cuts: dict[tuple[int, int], IndicatorSeries] = field(default_factory=dict)

    def values(self, wanted: ResolvedIndicator, end: int, bars: int) -> Any:
        """Compute an indicator over the given number of bars before an end."""
        if (end, bars) not in self._cuts:
            self._cuts[end, bars] = series(self.history.iloc[end - bars : end])
        return self._cuts[end, bars].of(wanted)[:, 0]


def series(frame: pd.DataFrame) -> IndicatorSeries:
    return IndicatorSeries(arrays(frame))


@pytest.mark.parametrize(("entry", "parameters"), CASES, ids=lambda each: getattr(each, "name", ""))
def test_the_warm_up_gives_the_same_value_as_a_long_history(
    entry: TaClass, parameters: dict[str, Any]
) -> None:
    for history in histories():
        cuts, whole = Cuts(history), len(history)
        for output in entry.outputs:
            wanted = resolve(output, parameters)
            long = cuts.values(wanted, whole, whole)
            size = float(np.nanmean(np.abs(long[wanted.warm_up :])))
            for end in (whole, whole - 173):
                check_agreement(cuts, wanted, end, long, size)


def check_agreement(
    cuts: Cuts, wanted: ResolvedIndicator, end: int, long: Any, size: float
) -> None:
    for bars, back in ((wanted.warm_up, 1), (wanted.warm_up + 1, 2)):
        value = float(cuts.values(wanted, end, bars)[-back])
        assert math.isfinite(value)
        if wanted.output not in RUNNING_TOTALS:
            expected = float(long[end - back])
            assert abs(value - expected) <= 1e-3 * max(abs(expected), size)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (output, parameters)
        for output, entry in OUTPUTS.items()
        for parameters in [{"window": 20} if entry.name == "SMAIndicator" else {}]
        if output
        in {
            "sma_indicator",
            "roc",
            "ultimate_oscillator",
            "stoch_signal",
            "ichimoku_b",
            "kst",
            "kst_sig",
            "dpo",
            "aroon_up",
            "vortex_indicator_pos",
            "ulcer_index",
            "money_flow_index",
            "sma_ease_of_movement",
            "donchian_channel_pband",
        }
    ],
)
def test_the_warm_up_of_a_window_is_exact(name: str, parameters: dict[str, Any]) -> None:
    wanted = resolve(name, parameters)
    differs = False
    for history in histories():
        exact = series(history).of(wanted)[:, 0]
        for end in range(len(history) - 12, len(history)):
            enough = history.iloc[end - wanted.warm_up : end]
            assert series(enough).of(wanted)[-1, 0] == pytest.approx(exact[end - 1])
            value = float(series(enough.iloc[1:]).of(wanted)[-1, 0])
            differs |= not math.isclose(value, exact[end - 1], rel_tol=1e-9)
    assert differs


VALUES = {
    Kind.WINDOW: st.sampled_from((1, 2, 3, 5, 17, 40)),
    Kind.OFFSET: st.sampled_from((0, 1, 9)),
    Kind.FACTOR: st.sampled_from((0.02, 0.5, 1, 2.5)),
    Kind.FLAG: st.booleans(),
}


@pytest.mark.parametrize(
    "entry", [each for each in CLASSES if not is_of_ta(each)], ids=lambda each: each.name
)
@settings(derandomize=True, deadline=None, max_examples=12)
@given(data=st.data())
def test_with_any_parameters_a_value_exists_or_is_called_undefined(
    entry: TaClass, data: st.DataObject
) -> None:
    parameters = {each.name: data.draw(VALUES[each.kind]) for each in entry.parameters}
    for output in entry.outputs:
        strategy = One(output, parameters)
        need = strategy.bars_needed()
        if need <= len(histories()[0]):
            try:
                compute({"X": columns(histories()[0].iloc[:need])}, strategy, {})
            except InsufficientHistoryError as error:
                assert error.code == "INDICATOR_UNDEFINED"  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize("window", [2, 5, 14, 50, 200])
def test_an_average_settles_when_its_start_weighs_less_than_asked(window: int) -> None:
    for stage in (ema(window), wilder(window)):
        bars = settling(stage, weight=1e-4)
        assert (1 - stage.alpha) ** (bars - 1) < 1e-4 <= (1 - stage.alpha) ** (bars - 2)


def test_an_average_settles_after_the_multiples_that_the_decision_names() -> None:
    assert settling(ema(100)) == pytest.approx(4.6 * 100, rel=0.02)
    assert settling(wilder(100)) == pytest.approx(9.2 * 100, rel=0.02)
    assert resolve("ema", {"window": 200}).warm_up == 923


def test_a_chain_settles_as_its_start_does_when_it_is_simulated() -> None:
    """Two inputs that differ only in their first value show how long a chain remembers it."""
    stages = (ema(10), ema(5))
    bars = settling(*stages, weight=1e-4)
    inputs = pd.DataFrame({"one": [1.0] + [0.0] * (bars - 1)})
    out = inputs["one"]
    for stage in stages:
        out = out.ewm(alpha=stage.alpha, min_periods=stage.first, adjust=False).mean()
    assert abs(out.iloc[-1]) < 1e-4


def test_a_chain_needs_more_than_its_slowest_stage_and_less_than_the_sum() -> None:
    slow, fast = ema(26), ema(9)
    assert settling(slow) < settling(slow, fast) < settling(slow) + settling(fast)


def test_an_average_that_never_settles_needs_more_than_the_longest_warm_up() -> None:
    assert settling(Smoothing(1e-9)) == LONGEST + 1


class One(Strategy):
    def __init__(self, output: str, parameters: dict[str, Any]) -> None:
        self._indicators = {"x": Indicator(output, **parameters)}
        super().__init__()

    @property
    def indicators(self) -> dict[str, Indicator]:
        return self._indicators


class Everything(Strategy):
    indicators = {  # noqa: RUF012
        output: Indicator(output, **({"window": 20} if output == "sma_indicator" else {}))
        for output in OUTPUTS
    }

    def target_weights(self, *_: object) -> dict[str, Decimal]:
        return {}


@pytest.mark.parametrize("history", range(3))
def test_every_indicator_is_computed_for_one_strategy_at_once(history: int) -> None:
    strategy = Everything()
    frame = histories()[history]
    features = compute({"X": columns(frame)}, strategy, {})
    assert features.values["X"].keys() == OUTPUTS.keys()
    assert strategy.bars_needed() == 368  # stc needs the most
