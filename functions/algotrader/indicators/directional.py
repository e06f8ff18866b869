"""Owns Wilder's directional movement: which way prices moved, and how strongly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    FloatArray,
    pad,
    true_range,
    vanishes,
    wilder_average,
)


class DirectionalMovement(NamedTuple):
    """The average directional index and the two directional indicators.

    Attributes
    ----------
    adx : array of float, of shape (time, symbols)
        Percent; NaN in the first ``2 * window - 1`` rows.
    rising, falling : array of float, of shape (time, symbols)
        +DI and -DI in percent; NaN in the first ``window`` rows.
    """

    adx: FloatArray
    rising: FloatArray
    falling: FloatArray


def directional_movement(bars: BarArrays, window: int) -> DirectionalMovement:
    """Compute ADX, +DI and -DI.

    A bar moves up by what its high is above the high before, and down by what its low is below the
    low before. Only the larger move counts; if both are equal but for rounding, neither does. Each
    average begins with the mean of its first ``window`` values. A ratio of 0/0 is 0 here:
    `algotrader.indicators.rounding` says where that is.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1.

    Notes
    -----
    J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), section 4. ``ta`` and TA-Lib
    compare the two moves with their rounding: 10.3 - 10.2 is less than 10.0 - 9.9.
    """
    up, down = np.diff(bars.high, axis=0), -np.diff(bars.low, axis=0)
    differs = ~vanishes(up - down, bars.high[1:])
    time = len(bars.high)
    gains = pad(np.where(differs & (up > down), np.maximum(up, 0), 0), time)
    losses = pad(np.where(differs & (down > up), np.maximum(down, 0), 0), time)
    size = wilder_average(true_range(bars), window)
    rising = 100 * _ratio(wilder_average(gains, window), size)
    falling = 100 * _ratio(wilder_average(losses, window), size)
    index = 100 * _ratio(np.abs(rising - falling), rising + falling)
    return DirectionalMovement(wilder_average(index, window), rising, falling)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; 0/0 is 0."""
    return np.divide(part, whole, out=np.where(np.isnan(whole), np.nan, 0.0), where=whole != 0)
