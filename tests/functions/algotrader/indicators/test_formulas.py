"""The array formulas match `ta` to 1e-9; other symbols do not change a bit of a symbol's values.

Where `ta` lets rounding decide, test_rounding.py has the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrader.adapters.indicators import IndicatorSeries
from algotrader.adapters.ta_indicators import TaIndicators
from algotrader.indicators import FORMULAS, BarArrays
from algotrader.strategy.indicators import OUTPUTS, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX
from tests.functions.algotrader.indicators.real_bars import SYMBOLS, real_bars
from tests.functions.algotrader.indicators.test_rounding import OF_A_STILL_PRICE
from tests.functions.algotrader.strategy.indicators.indicator_bars import arrays, random_frame
from tests.support import indicator_deviations

PRICES = ["open", "high", "low", "close"]

#: The outputs that the arrays compute, and those of them that `ta` defines as we do.
OURS = [
    output
    for output, entry in OUTPUTS.items()
    if entry.name in FORMULAS and not output.startswith(TA_PREFIX)
]
AS_IN_TA = [output for output in OURS if not OUTPUTS[output].own]

#: Parameters other than the defaults, by class.
OTHERS: dict[str, list[dict[str, Any]]] = {
    "SMAIndicator": [{"window": 1}, {"window": 7}, {"window": 200}],
    "EMAIndicator": [{"window": 1}, {"window": 200}],
    "KAMAIndicator": [{"window": 5}, {"window": 30, "pow1": 5, "pow2": 50}],
    "MACD": [{"window_slow": 12, "window_fast": 26, "window_sign": 1}],
    "RSIIndicator": [{"window": 2}, {"window": 60}],
    "ROCIndicator": [{"window": 1}, {"window": 126}],
    "StochasticOscillator": [{"window": 5, "smooth_window": 1}],
    "WilliamsRIndicator": [{"lbp": 50}],
    "CCIIndicator": [{"window": 5, "constant": 0.03}],
    "AverageTrueRange": [{"window": 1}, {"window": 50}],
    "BollingerBands": [{"window": 5, "window_dev": 1.5}],
    "KeltnerChannel": [
        {"original_version": False},
        {"original_version": False, "window": 5, "window_atr": 30, "multiplier": 1.5},
        {"window": 5},
    ],
    "DonchianChannel": [{"offset": 5}, {"window": 3, "offset": 40}],
}


def parameter_sets(output: str) -> Iterator[dict[str, Any]]:
    yield {"window": 20} if output == "sma_indicator" else {}
    yield from OTHERS.get(OUTPUTS[output].name, [])


def gap() -> pd.DataFrame:
    """Return a random walk whose price jumps by half and that lacks five sessions."""
    frame = random_frame(22, 320)
    frame.loc[frame.index[150:], PRICES] *= 1.5
    return frame.drop(index=range(200, 205))


@cache
def histories() -> dict[str, BarArrays]:
    found = {symbol: real_bars(symbol).newest(1200) for symbol in SYMBOLS}
    found["random"] = arrays(*(random_frame(seed, 300) for seed in range(3)))
    found["cheap"] = arrays(random_frame(21, 300, volatility=0.2))
    found["gap"] = arrays(gap())
    return found


@cache
def series_of(history: str) -> tuple[IndicatorSeries, TaIndicators]:
    bars = histories()[history]
    return IndicatorSeries(bars), TaIndicators(bars)


def tolerance(output: str) -> dict[str, float]:
    """Return 1e-9, except where the rounding of a rolling variance adds up in pandas."""
    largest = 1e-6 if output in {"bollinger_wband", "bollinger_pband"} else 1e-9
    return {"rtol": largest, "atol": largest}


@pytest.mark.parametrize("output", AS_IN_TA)
def test_a_formula_has_the_values_of_ta(output: str) -> None:
    for history in histories():
        ours, theirs = series_of(history)
        for parameters in parameter_sets(output):
            wanted = resolve(output, parameters)
            values, expected = ours.of(wanted), theirs.of(wanted)
            there = np.isfinite(values)
            assert there[wanted.warm_up - 1 :].all()
            assert np.allclose(values[there], expected[there], **tolerance(output))


def test_bollinger_bands_are_exact_where_the_rounding_of_pandas_adds_up_in_ta() -> None:
    """Our values match each window's own deviation, computed with more digits."""
    close = histories()["cheap"].close[:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(close.astype(np.longdouble), 5)
    wanted = resolve("bollinger_wband", {"window": 5})
    exact = 400 * windows.std(axis=1) / windows.mean(axis=1)
    ours, theirs = (each.of(wanted)[4:, 0] for each in series_of("cheap"))
    assert np.allclose(ours, exact.astype(np.float64), rtol=1e-12, atol=0)
    assert np.abs(theirs - exact).max() > 1e-7


@pytest.mark.parametrize("output", AS_IN_TA)
def test_the_shortest_history_gives_the_values_of_ta(output: str) -> None:
    for parameters in parameter_sets(output):
        wanted = resolve(output, parameters)
        for length in (wanted.warm_up, wanted.warm_up + 1):
            bars = arrays(random_frame(5, length))
            values, expected = (make(bars).of(wanted) for make in (IndicatorSeries, TaIndicators))
            assert np.allclose(values[-1], expected[-1], **tolerance(output))


@pytest.mark.parametrize("output", AS_IN_TA)
def test_a_price_that_never_moved_has_the_values_of_ta_where_they_are_defined(output: str) -> None:
    wanted = resolve(output, next(parameter_sets(output)))
    bars = arrays(random_frame(6, 320).assign(**dict.fromkeys(PRICES, 33.37)))
    values, expected = (make(bars).of(wanted) for make in (IndicatorSeries, TaIndicators))
    there = np.isfinite(values)
    assert there[wanted.warm_up - 1 :].all() == (output not in OF_A_STILL_PRICE)
    assert np.allclose(values[there], expected[there], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("output", OURS)
def test_a_symbols_values_are_the_same_bits_with_and_without_companions(output: str) -> None:
    frames = [random_frame(seed, 300) for seed in range(30, 37)]
    for parameters in parameter_sets(output):
        wanted = resolve(output, parameters)
        series = IndicatorSeries(arrays(*frames))
        together = series.of(wanted)
        assert series.newest(wanted, 2).tobytes() == together[-2:].tobytes()
        for symbol, frame in enumerate(frames):
            alone = IndicatorSeries(arrays(frame)).of(wanted)
            assert together[:, symbol].tobytes() == alone[:, 0].tobytes()


#: The outputs that TA-Lib defines as we do and, if they are recursive, starts as we do.
AS_IN_TA_LIB = (
    *("sma_indicator", "bollinger_hband", "bollinger_lband", "donchian_channel_mband", "stoch"),
    *("stoch_signal", "williams_r", "cci", "roc", "average_true_range", "kama"),
)


@pytest.mark.parametrize("symbol", indicator_deviations.SYMBOLS)
@pytest.mark.parametrize("output", AS_IN_TA_LIB)
def test_a_formula_has_the_values_of_ta_lib(output: str, symbol: str) -> None:
    bars = indicator_deviations.bars_of(symbol)
    ours = IndicatorSeries(bars).of(indicator_deviations.resolved(output))[400:, 0]
    theirs = indicator_deviations.TA_LIB[output](symbol)[400:]
    assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9)
