"""Directional movement is Wilder's and starts as in `ta`; rounding never decides a tie."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import talib
from ta.trend import ADXIndicator

from algotrader.indicators import BarArrays
from algotrader.indicators.directional import directional_movement
from tests.functions.algotrader.indicators.real_bars import place, real_bars
from tests.functions.algotrader.strategy.indicators.indicator_bars import arrays, random_frame


def of_ta(bars: BarArrays) -> ADXIndicator:
    return ADXIndicator(*(pd.Series(each[:, 0]) for each in (bars.high, bars.low, bars.close)))


def test_three_bars_of_a_window_of_two_worked_out_by_hand() -> None:
    """The second bar moves up 1, the third down 2, the fourth up 3; their ranges are 3, 4 and 4.

    +DI: means 0.5 and (0.5 + 3) / 2 over ranges 3.5 and 3.75; -DI: 1 and 0.5 over the same.
    DX: |0.5 - 1| / 1.5 and |1.75 - 0.5| / 2.25. ADX is their mean.
    """
    high = np.array([[10.0], [11.0], [10.0], [13.0]])
    low = np.array([[8.0], [8.0], [6.0], [9.0]])
    close = np.array([[9.0], [10.0], [9.0], [12.0]])
    adx, rising, falling = directional_movement(BarArrays(high, low, close, close), 2)
    assert np.isnan(rising[:2]).all()
    assert rising[2:, 0] == pytest.approx([50 / 3.5, 175 / 3.75])
    assert falling[2:, 0] == pytest.approx([100 / 3.5, 50 / 3.75])
    assert np.isnan(adx[:3]).all()
    assert adx[3, 0] == pytest.approx(100 * (0.5 / 1.5 + 1.25 / 2.25) / 2)


def test_equal_moves_of_msft_count_as_neither_where_rounding_decides_in_ta_and_ta_lib() -> None:
    bars, day = real_bars("MSFT"), place("MSFT", date(2002, 5, 13))
    up = bars.high[day, 0] - bars.high[day - 1, 0]
    down = bars.low[day - 1, 0] - bars.low[day, 0]
    assert up == pytest.approx(0.24)
    assert down == pytest.approx(0.24)
    assert down > up
    falling = directional_movement(bars, 14).falling[day, 0]
    assert falling == pytest.approx(25.36, abs=0.01)
    assert of_ta(bars).adx_neg()[day] == pytest.approx(26.05, abs=0.01)
    columns = (each[:, 0] for each in (bars.high, bars.low, bars.close))
    assert talib.MINUS_DI(*columns, 14)[day] == pytest.approx(26.05, abs=0.01)


def test_an_index_without_moves_long_ago_counts_as_zero_as_in_ta() -> None:
    frame = random_frame(4, 400)
    frame.loc[frame.index[:60], ["high", "low", "close"]] = frame["close"].iloc[60]
    bars = arrays(frame)
    adx = directional_movement(bars, 14).adx[:, 0]
    assert np.isnan(adx[:180]).all()
    assert np.allclose(adx[200:], of_ta(bars).adx()[200:], rtol=0, atol=1e-9)


@pytest.mark.parametrize("symbol", ["AAPL", "GOOG"])
def test_without_such_a_tie_it_is_what_ta_computes(symbol: str) -> None:
    bars = real_bars(symbol)
    theirs = of_ta(bars)
    adx, rising, falling = (each[15:, 0] for each in directional_movement(bars, 14))
    assert np.isnan(adx[:12]).all()
    assert np.allclose(adx[12:], theirs.adx()[27:], rtol=0, atol=1e-9)
    assert np.allclose(rising, theirs.adx_pos()[15:], rtol=0, atol=1e-9)
    assert np.allclose(falling, theirs.adx_neg()[15:], rtol=0, atol=1e-9)
