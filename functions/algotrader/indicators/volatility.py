"""Owns the average true range, and the channels of Bollinger, Keltner and Donchian."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from algotrader.indicators.arrays import (
    BarArrays,
    BoolArray,
    FloatArray,
    highest,
    lowest,
    mean,
    mean_distance,
    ratio,
    true_range,
    typical_price,
    vanishes,
    wilder_average,
)
from algotrader.indicators.moving_averages import exponential_average


class Channel(Struct, frozen=True):
    """Two bands around a middle line; each array has the shape (time, symbols).

    Attributes
    ----------
    middle, upper, lower : array of float
        Dollars; NaN before the first value.
    flat : array of bool
        Whether the two bands are equal but for rounding.
    terms : int
        How many numbers were added up for a band, as in `vanishes`.
    """

    middle: FloatArray
    upper: FloatArray
    lower: FloatArray
    flat: BoolArray
    terms: int

    def width(self, base: FloatArray) -> FloatArray:
        """Compute the distance between the bands in percent of a base."""
        return 100 * (self.upper - self.lower) / base

    def position(self, close: FloatArray) -> FloatArray:
        """Compute where the close is: 0 on the lower band, 1 on the upper; NaN if flat."""
        return ratio(close - self.lower, self.upper - self.lower, where=~self.flat)

    def above(self, close: FloatArray) -> FloatArray:
        """Return 1 where the close is above the upper band by more than rounding, otherwise 0."""
        return self._beyond(close - self.upper, self.upper)

    def below(self, close: FloatArray) -> FloatArray:
        """Return 1 where the close is below the lower band by more than rounding, otherwise 0."""
        return self._beyond(self.lower - close, self.lower)

    def _beyond(self, distance: FloatArray, band: FloatArray) -> FloatArray:
        beyond = (distance > 0) & ~vanishes(distance, band, self.terms)
        return np.where(np.isnan(band), np.nan, beyond)


def bollinger_bands(close: FloatArray, window: int, factor: float) -> Channel:
    """Compute Bollinger bands: the mean of the closes and some standard deviations around it.

    Parameters
    ----------
    close : array of shape (time, symbols)
        Dollars, without NaN.
    window : int
        Bars, at least 1; all bands are NaN in the first ``window - 1`` rows.
    factor : float
        Population standard deviations from the middle to a band.

    Notes
    -----
    J. Bollinger, "Bollinger on Bollinger Bands" (2001). ``ta`` and TA-Lib's ``BBANDS`` are the
    same.
    """
    middle = mean(close, window)
    deviation = np.sqrt(mean_distance(np.square, close, window))
    flat = vanishes(deviation, middle, window)
    distance = factor * deviation
    return Channel(middle, middle + distance, middle - distance, flat, window)


def keltner_channel(bars: BarArrays, window: int) -> Channel:
    """Compute Keltner's original channel: the mean typical price and the mean range around it.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1; all bands are NaN in the first ``window - 1`` rows.

    Notes
    -----
    C. Keltner, "How to Make Money in Commodities" (1960), his ten-day moving average rule. ``ta``
    is the same, but begins its bands with shorter windows.
    """
    middle = mean(typical_price(bars), window)
    distance = mean(bars.high - bars.low, window)
    flat = vanishes(distance, mean(bars.high, window), window)
    return Channel(middle, middle + distance, middle - distance, flat, window)


def keltner_channel_of_true_range(
    bars: BarArrays, window: int, window_atr: int, factor: float
) -> Channel:
    """Compute the later Keltner channel: an EMA of the close and some ATRs around it.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window, window_atr : int
        Bars of the EMA and of the ATR, at least 1.
    factor : float
        ATRs from the middle to a band.

    Notes
    -----
    L. B. Raschke, as in common use. ``ta`` is the same. TA-Lib's ``KC`` takes an EMA of the typical
    price.
    """
    middle = exponential_average(bars.close, window)
    size = average_true_range(bars, window_atr)
    flat = vanishes(size, wilder_average(bars.high, window_atr), window_atr)
    return Channel(middle, middle + factor * size, middle - factor * size, flat, window)


def donchian_channel(bars: BarArrays, window: int) -> Channel:
    """Compute Donchian's channel: the highest high, the lowest low, and the price between them.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1; all bands are NaN in the first ``window - 1`` rows.

    Notes
    -----
    R. Donchian. ``ta`` and TA-Lib's ``DONCHIAN`` are the same.
    """
    upper, lower = highest(bars.high, window), lowest(bars.low, window)
    height = upper - lower
    return Channel(height / 2 + lower, upper, lower, vanishes(height, upper), 1)


def average_true_range(bars: BarArrays, window: int) -> FloatArray:
    """Compute the ATR, Wilder's average of the true range.

    It begins with the mean of the first ``window`` ranges. The first range is high minus low, since
    no close is before it.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Dollars; NaN in the first ``window - 1`` rows.

    Notes
    -----
    J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), section 3. ``ta`` begins as
    this does; TA-Lib's ``ATR`` leaves the first range out.
    """
    ranges = true_range(bars)
    ranges[:1] = bars.high[:1] - bars.low[:1]
    return wilder_average(ranges, window)
