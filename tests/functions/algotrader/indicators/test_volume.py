"""On-balance volume is Granville's: an unchanged close moves no volume."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import talib
from ta.volume import OnBalanceVolumeIndicator

from algotrader.indicators.volume import on_balance_volume
from tests.functions.algotrader.indicators.real_bars import SYMBOLS, place, real_bars


def test_volume_is_added_on_a_rise_subtracted_on_a_fall_and_left_out_between() -> None:
    close = np.array([[10.0], [11.0], [11.0], [10.5], [12.0]])
    volume = np.array([[5.0], [7.0], [100.0], [3.0], [2.0]])
    assert on_balance_volume(close, volume)[:, 0].tolist() == [5, 12, 12, 9, 11]


def test_an_unchanged_close_of_msft_moves_nothing_where_ta_adds_the_volume() -> None:
    bars, day = real_bars("MSFT"), place("MSFT", date(2013, 2, 26))
    ours = on_balance_volume(bars.close, bars.volume)[:, 0]
    of_ta = OnBalanceVolumeIndicator(
        pd.Series(bars.close[:, 0]), pd.Series(bars.volume[:, 0])
    ).on_balance_volume()
    assert bars.close[day, 0] == bars.close[day - 1, 0] == 27.37
    assert ours[day] - ours[day - 1] == 0
    assert of_ta[day] - of_ta[day - 1] == 49_923_300


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_it_is_what_ta_lib_computes(symbol: str) -> None:
    bars = real_bars(symbol)
    ours = on_balance_volume(bars.close, bars.volume)[:, 0]
    assert np.array_equal(ours, talib.OBV(bars.close[:, 0], bars.volume[:, 0]))
