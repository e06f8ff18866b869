"""Owns moving averages: the exponential one, Kaufman's adaptive one, and the MACD.

The simple one is `algotrader.indicators.arrays.mean`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from algotrader.indicators.arrays import (
    FloatArray,
    count_missing,
    exponential,
    over_windows,
    pad,
    vanishes,
)


def exponential_average(values: FloatArray, window: int) -> FloatArray:
    """Compute the EMA of weight ``2 / (window + 1)``, which begins with the first value.

    Parameters
    ----------
    values : array of shape (time, symbols)
        NaN only in the first rows, which are the same for all symbols.
    window : int
        Values, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        In the unit of the values. NaN before value number ``window``.

    Notes
    -----
    In common use. ``ta`` begins as this does; TA-Lib's ``EMA`` begins with the mean of the first
    ``window`` values.
    """
    average = exponential(values, 2 / (window + 1))
    average[: count_missing(values) + window - 1] = np.nan
    return average


class Macd(NamedTuple):
    """The moving average convergence/divergence, arrays of shape (time, symbols) in dollars.

    Attributes
    ----------
    line : array of float
        The fast average minus the slow one; NaN before both have a value.
    signal : array of float
        The average of the line; NaN before it has a value.
    """

    line: FloatArray
    signal: FloatArray


def macd(close: FloatArray, fast: int, slow: int, sign: int) -> Macd:
    """Compute the MACD and its signal from three exponential averages.

    Parameters
    ----------
    close : array of shape (time, symbols)
        Dollars, without NaN.
    fast, slow, sign : int
        The windows of the averages of the close, and of the signal.

    Notes
    -----
    G. Appel, "The Moving Average Convergence-Divergence Trading Method" (1985). ``ta`` is the same;
    TA-Lib's ``MACD`` begins its averages differently.
    """
    line = exponential_average(close, fast) - exponential_average(close, slow)
    return Macd(line, exponential_average(line, sign))


def adaptive_average(close: FloatArray, window: int, fast: int, slow: int) -> FloatArray:
    """Compute Kaufman's adaptive moving average.

    The efficiency ratio is how far the close moved in ``window`` bars, divided by the sum of its
    moves. The weight of the newest close is the square of a number between ``2 / (slow + 1)``, at
    a ratio of 0, and ``2 / (fast + 1)``, at 1.

    Parameters
    ----------
    close : array of shape (time, symbols)
        Dollars, without NaN.
    window : int
        Bars of the efficiency ratio, at least 1; the average begins with the close of the last one.
    fast, slow : int
        Bars of the fastest and the slowest average.

    Returns
    -------
    array of shape (time, symbols)
        Dollars. NaN in the first ``window - 1`` rows, and where the ratio is 0/0 but for rounding,
        unless the price never moved: then the average is the price. For the averages of later bars
        a ratio of 0/0 counts as 0.

    Notes
    -----
    P. Kaufman, "Smarter Trading" (1995). ``ta`` is the same; TA-Lib's ``KAMA`` takes 1 for 0/0.
    """
    time = len(close)
    distance = pad(np.abs(close[window:] - close[:-window]), time)
    moves = pad(np.abs(np.diff(close, axis=0)), time)
    path = over_windows(np.add, moves, window)
    unmoved = vanishes(path, over_windows(np.add, close, window), window)
    efficiency = np.divide(distance, path, out=np.zeros_like(path), where=~unmoved)
    fastest, slowest = 2 / (fast + 1), 2 / (slow + 1)
    begun = close.copy()
    begun[: window - 1] = np.nan
    average = exponential(begun, np.square(efficiency * (fastest - slowest) + slowest))
    if unmoved.any():
        since = begun[window - 1 :]
        top, bottom = np.maximum.accumulate(since, axis=0), np.minimum.accumulate(since, axis=0)
        has_moved = ~vanishes(top - bottom, top)
        average[window - 1 :][unmoved[window - 1 :] & has_moved] = np.nan
    return average
