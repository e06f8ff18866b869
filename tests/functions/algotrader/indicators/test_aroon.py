"""Aroon uses the newest bar and the `window` before it, and takes the latest of equal extremes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import talib
from ta.trend import AroonIndicator

from algotrader.indicators.aroon import aroon_down, aroon_indicator, aroon_up
from tests.functions.algotrader.indicators.real_bars import SYMBOLS, place, real_bars


@pytest.mark.parametrize(
    ("highs", "up"),
    [
        ((1, 2, 3, 4, 5), 100),
        ((5, 4, 3, 2, 1), 0),  # the oldest of window + 1 bars
        ((1, 9, 3, 2, 4), 25),
        ((1, 9, 3, 9, 4), 75),  # the later of two equal highs
        ((7, 7, 7, 7, 7), 100),
    ],
)
def test_a_high_counts_by_its_age_and_a_low_likewise(highs: tuple[int, ...], up: float) -> None:
    values = np.array([highs], dtype=np.float64).T
    assert aroon_up(values, 4)[-1, 0] == up
    assert aroon_down(-values, 4)[-1, 0] == up
    assert np.isnan(aroon_up(values, 4)[:-1]).all()


def test_a_repeated_high_of_msft_is_new_where_ta_takes_the_old_one() -> None:
    bars, day = real_bars("MSFT"), place("MSFT", date(2007, 7, 17))
    of_ta = AroonIndicator(pd.Series(bars.high[:, 0]), pd.Series(bars.low[:, 0])).aroon_up()
    assert (
        bars.high[day, 0] == bars.high[day - 21, 0] == bars.high[day - 25 : day + 1].max() == 30.88
    )
    assert of_ta[day] == 16
    assert aroon_up(bars.high, 25)[day, 0] == 100


@pytest.mark.parametrize("window", [2, 5, 25])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_it_is_what_ta_lib_computes(symbol: str, window: int) -> None:
    bars = real_bars(symbol)
    high, low = bars.high[:, 0], bars.low[:, 0]
    down, up = talib.AROON(high, low, window)
    same = {"rtol": 0, "atol": 1e-12, "equal_nan": True}
    assert np.allclose(aroon_up(bars.high, window)[:, 0], up, **same)
    assert np.allclose(aroon_down(bars.low, window)[:, 0], down, **same)
    both = aroon_indicator(bars.high, bars.low, window)[:, 0]
    assert np.allclose(both, talib.AROONOSC(high, low, window), **same)
