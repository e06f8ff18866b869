"""The parabolic SAR is Wilder's; it starts and reverses as TA-Lib's does."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ta.trend import PSARIndicator

from algotrader.indicators import BarArrays
from algotrader.indicators.definitions import FORMULAS
from algotrader.indicators.parabolic_sar import parabolic_sar
from algotrader.strategy.indicators.entries import Arguments
from tests.functions.algotrader.indicators.real_bars import SYMBOLS, place, real_bars


def test_a_rise_a_reversal_and_a_fall_worked_out_by_hand() -> None:
    """Steps of 0.1 up to 0.2.

    The second bar rises: SAR 9, the first low; extreme 12. Third: 9 + 0.1 * 3 = 9.3, above the low
    of the first bar but held to the lows 10 and 10.5 of the bars before; extreme 13, step 0.2.
    Fourth: 9.3 + 0.2 * 3.7 = 10.04, and the low 10 is below it: it reverses, SAR 13, extreme 10.
    Fifth: 13 - 0.1 * 3 = 12.7, but no lower than the highs 13 and 11: SAR 13; low 9, step 0.2.
    Sixth: 13 - 0.2 * 4 = 12.2.
    """
    high = np.array([[10.0], [12.0], [13.0], [11.0], [10.0], [9.5]])
    low = np.array([[9.0], [10.0], [10.5], [10.0], [9.0], [8.5]])
    trend = parabolic_sar(high, low, 0.1, 0.2)
    assert np.isnan(trend.sar[0, 0])
    assert trend.sar[1:, 0] == pytest.approx([9, 9.3, 13, 13, 12.2])
    assert trend.rising[1:, 0].tolist() == [True, True, False, False, False]
    assert trend.reverses[:, 0].tolist() == [False, False, False, True, False, False]


def test_a_low_that_touches_the_sar_reverses_it() -> None:
    high = np.array([[10.0, 10.0], [12.0, 12.0]])
    low = np.array([[9.0, 9.0], [9.0, 9.01]])
    trend = parabolic_sar(high, low, 0.02, 0.2)
    assert trend.rising[1].tolist() == [False, True]
    assert trend.sar[1].tolist() == [12, 9]


@pytest.mark.parametrize(
    ("high", "low", "rising"),
    [(10.5, 8.5, True), (10.4, 8.5, False), (9.5, 8.9, False), (10.0, 9.5, True)],
)
def test_the_first_bar_falls_if_its_low_moved_further(
    high: float, low: float, *, rising: bool
) -> None:
    """A wide bar can reverse its own trend at once; `rising != reverses` shows how it began."""
    trend = parabolic_sar(np.array([[10.0], [high]]), np.array([[9.0], [low]]), 0.02, 0.2)
    assert (trend.rising[1, 0] != trend.reverses[1, 0]) == rising


def test_the_rise_of_aapl_goes_on_where_ta_falls() -> None:
    bars, day = real_bars("AAPL"), place("AAPL", date(2006, 12, 4))
    trend = parabolic_sar(bars.high, bars.low, 0.02, 0.2)
    of_ta = PSARIndicator(*(pd.Series(each[:, 0]) for each in (bars.high, bars.low, bars.close)))
    assert of_ta.psar_down()[day] == pytest.approx(93.159, abs=1e-3)
    assert trend.sar[day, 0] == pytest.approx(90.10)
    assert trend.rising[day, 0]
    assert bars.low[day - 1, 0] == 90.10  # no higher than the low of the bar before


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_it_is_what_ta_lib_computes(symbol: str) -> None:
    bars = real_bars(symbol)
    for step, most in ((0.02, 0.2), (0.1, 0.05)):
        ours = parabolic_sar(bars.high, bars.low, step, most).sar[:, 0]
        theirs = talib.SAR(bars.high[:, 0], bars.low[:, 0], step, most)
        assert np.allclose(ours, theirs, rtol=0, atol=1e-10, equal_nan=True)


@settings(deadline=None)
@given(
    middle=arrays(np.int64, (30, 2), elements=st.integers(-2, 2)),
    above=arrays(np.int64, (30, 2), elements=st.integers(0, 2)),
    below=arrays(np.int64, (30, 2), elements=st.integers(0, 2)),
    steps=st.sampled_from([(0.02, 0.2), (0.5, 2.5), (1.0, 0.25)]),
)
def test_it_is_what_ta_lib_computes_of_prices_that_touch_and_repeat(
    middle: np.ndarray, above: np.ndarray, below: np.ndarray, steps: tuple[float, float]
) -> None:
    price = 200.0 + np.cumsum(middle, axis=0)
    high, low = (price + above) / 4, (price - below) / 4
    ours = parabolic_sar(high, low, *steps).sar
    for symbol in range(2):
        theirs = talib.SAR(high[:, symbol].copy(), low[:, symbol].copy(), *steps)
        assert np.allclose(ours[:, symbol], theirs, rtol=0, atol=1e-9, equal_nan=True)


def test_each_trend_has_its_own_line_and_each_reversal_a_flag() -> None:
    high = np.array([[10.0], [12.0], [13.0], [11.0], [10.0], [9.5], [14.0]])
    low = np.array([[9.0], [10.0], [10.5], [10.0], [9.0], [8.5], [13.0]])
    bars = BarArrays(high, low, high, high)
    outputs = FORMULAS["PSARIndicator"](bars, Arguments({"step": 0.1, "max_step": 0.2}))
    values = {name: compute() for name, compute in outputs.items()}
    line = {name: each[1:, 0].tolist() for name, each in values.items()}

    sar = line["psar"]
    assert line["psar_up"] == [*sar[:2], sar[1], sar[1], sar[1], sar[5]]
    assert np.isnan(line["psar_down"][:2]).all()
    assert line["psar_down"][2:] == [*sar[2:5], sar[4]]
    assert line["psar_up_indicator"] == [0, 0, 0, 0, 0, 1]
    assert line["psar_down_indicator"] == [0, 0, 1, 0, 0, 0]
    assert all(np.isnan(each[0, 0]) for each in values.values())
