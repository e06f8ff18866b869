"""Owns Aroon: how long ago a window had its highest high and its lowest low."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import FloatArray, window_rows


def aroon_up(high: FloatArray, window: int) -> FloatArray:
    """Compute Aroon Up: 100 if the highest high is the newest bar's, 0 if it is the oldest one's.

    The window has ``window + 1`` bars: the newest and the ``window`` before it. Of equal highs the
    latest counts.

    Parameters
    ----------
    high : array of shape (time, symbols)
        Dollars, without NaN.
    window : int
        Bars before the newest one, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Percent, 0 to 100; NaN in the first ``window`` rows.

    Notes
    -----
    T. Chande, "A Time Price Oscillator", Stocks & Commodities 13:9 (1995). TA-Lib's ``AROON`` is
    the same, ties included.
    """
    result = np.full_like(high, np.nan)
    place = result[window:]
    highest = np.full_like(place, -np.inf)
    for bar, row in enumerate(window_rows(high, window + 1)):
        np.copyto(place, bar, where=row >= highest)
        np.maximum(highest, row, out=highest)
    return 100 * result / window


def aroon_down(low: FloatArray, window: int) -> FloatArray:
    """Compute Aroon Down: 100 if the lowest low is the newest bar's, 0 if it is the oldest one's.

    Window, ties, result and source are those of `aroon_up`.
    """
    return aroon_up(-low, window)


def aroon_indicator(high: FloatArray, low: FloatArray, window: int) -> FloatArray:
    """Compute the Aroon Oscillator: Aroon Up minus Aroon Down, from -100 to 100.

    Window, ties, NaN and source are those of `aroon_up`; TA-Lib's name is ``AROONOSC``.
    """
    return aroon_up(high, window) - aroon_down(low, window)
