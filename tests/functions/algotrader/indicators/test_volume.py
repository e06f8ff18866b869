"""An unchanged close moves no volume, and an unchanged typical price moves no money."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import talib
from ta.volume import MFIIndicator, OnBalanceVolumeIndicator

from algotrader.indicators import BarArrays
from algotrader.indicators.volume import money_flow_index, on_balance_volume
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


def test_money_flows_in_on_a_rise_and_out_on_a_fall() -> None:
    """Of the last three bars, one rises (flow 11 x 2), one falls (9 x 2), and one is unchanged."""
    price = np.array([[10.0], [10.0], [11.0], [9.0], [9.0]])
    volume = np.array([[5.0], [5.0], [2.0], [2.0], [7.0]])
    values = money_flow_index(BarArrays(price, price, price, volume), 3)[:, 0]
    assert np.isnan(values[:3]).all()
    assert values[3:] == pytest.approx([100 * 22 / 40] * 2)


def test_an_unchanged_typical_price_of_msft_moves_no_money_where_rounding_decides_in_ta() -> None:
    bars, day = real_bars("MSFT"), place("MSFT", date(2009, 11, 24))
    prices = (bars.high, bars.low, bars.close)
    assert sum(round(100 * each[day, 0]) - round(100 * each[day - 1, 0]) for each in prices) == 0
    of_ta = MFIIndicator(*(pd.Series(each[:, 0]) for each in (*prices, bars.volume)))
    assert of_ta.money_flow_index()[day] == pytest.approx(69.33, abs=0.01)
    assert money_flow_index(bars, 14)[day, 0] == pytest.approx(73.10, abs=0.01)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_money_flow_index_is_what_ta_lib_computes(symbol: str) -> None:
    bars = real_bars(symbol)
    ours = money_flow_index(bars, 14)[:, 0]
    columns = (each[:, 0] for each in (bars.high, bars.low, bars.close, bars.volume))
    assert np.allclose(ours, talib.MFI(*columns, 14), rtol=0, atol=1e-9, equal_nan=True)
