"""Owns the oscillators of momentum: RSI, rate of change, stochastic, Williams %R and CCI."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    FloatArray,
    exponential,
    highest,
    lowest,
    mean,
    mean_distance,
    pad,
    ratio,
    typical_price,
    vanishes,
)


def relative_strength_index(close: FloatArray, window: int) -> FloatArray:
    """Compute the RSI: 100 if the close only rose, 0 if it only fell.

    Gains and losses each pass through an exponential average of weight ``1 / window``, which begins
    with 0 at the first bar.

    Parameters
    ----------
    close : array of shape (time, symbols)
        Dollars, without NaN.
    window : int
        Bars, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Percent, 0 to 100. NaN in the first ``window - 1`` rows, and where both averages are zero
        but for rounding.

    Notes
    -----
    J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), section 6. ``ta`` begins as
    this does; Wilder and TA-Lib begin with the mean of the first ``window`` changes.
    """
    change = np.diff(close, axis=0, prepend=close[:1])
    gains = exponential(np.maximum(change, 0), 1 / window)
    moves = exponential(np.abs(change), 1 / window)
    unmoved = vanishes(moves, exponential(close, 1 / window))
    result = 100 * ratio(gains, moves, where=~unmoved)
    result[: window - 1] = np.nan
    return result


def rate_of_change(close: FloatArray, window: int) -> FloatArray:
    """Compute by how many percent the close is above the close ``window`` bars before.

    Parameters
    ----------
    close : array of shape (time, symbols)
        Dollars, above 0.
    window : int
        Bars, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Percent; NaN in the first ``window`` rows.

    Notes
    -----
    In common use; ``ta`` and TA-Lib's ``ROC`` are the same.
    """
    before = close[:-window]
    return pad(100 * (close[window:] - before) / before, len(close))


def stochastic(bars: BarArrays, window: int) -> FloatArray:
    """Compute the fast %K: where the close is between a window's lowest low and highest high.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Percent, 0 to 100. NaN in the first ``window - 1`` rows, and where the highest high equals
        the lowest low but for rounding.

    Notes
    -----
    G. Lane. ``ta`` and TA-Lib's ``STOCHF`` are the same. The simple average of this is %D.
    """
    upper, lower = highest(bars.high, window), lowest(bars.low, window)
    return 100 * ratio(bars.close - lower, upper - lower, where=~vanishes(upper - lower, upper))


def williams_r(bars: BarArrays, window: int) -> FloatArray:
    """Compute Williams %R: the `stochastic` minus 100, so from -100 to 0.

    Parameters, shape and NaN are those of `stochastic`.

    Notes
    -----
    L. Williams, "How I Made One Million Dollars Last Year Trading Commodities" (1973). ``ta`` and
    TA-Lib's ``WILLR`` are the same.
    """
    return stochastic(bars, window) - 100


def commodity_channel_index(bars: BarArrays, window: int, constant: float) -> FloatArray:
    """Compute the CCI: how far the typical price is from its mean, in mean absolute deviations.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1.
    constant : float
        The factor of the deviation; Lambert's 0.015 puts most values between -100 and 100.

    Returns
    -------
    array of shape (time, symbols)
        NaN in the first ``window - 1`` rows, and where the deviation is zero but for rounding.

    Notes
    -----
    D. Lambert, "Commodity Channel Index", Commodities 9:10 (1980). ``ta`` and TA-Lib's ``CCI`` are
    the same.
    """
    price = typical_price(bars)
    center = mean(price, window)
    deviation = mean_distance(np.abs, price, window)
    flat = vanishes(deviation, center, window)
    return ratio(price - center, constant * deviation, where=~flat)
