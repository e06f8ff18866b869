"""Owns Wilder's directional movement: which way prices moved, and how strongly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    FloatArray,
    pad,
    ratio,
    recently,
    true_range,
    vanishes,
    wilder_average,
)
from algotrader.strategy.indicators.warm_up import settling, wilder


class DirectionalMovement(NamedTuple):
    """The average directional index and the two directional indicators.

    Attributes
    ----------
    adx : array of float, of shape (time, symbols)
        Percent. NaN in the first ``2 * window - 1`` rows, and while a directional index of 0/0
        still has a weight in the average that is not negligible.
    rising, falling : array of float, of shape (time, symbols)
        +DI and -DI in percent. NaN in the first ``window`` rows, and where the average true range
        is zero but for rounding.
    """

    adx: FloatArray
    rising: FloatArray
    falling: FloatArray


def directional_movement(bars: BarArrays, window: int) -> DirectionalMovement:
    """Compute ADX, +DI and -DI.

    A bar's move up is the distance of its high above the previous high. Its move down is the
    distance of its low below the previous low. Only the larger move counts; if both are equal but
    for rounding, neither does. Each average begins with the mean of its first ``window`` values. A
    directional index of 0/0, without a move up or down, counts as 0.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars, at least 1.

    Notes
    -----
    J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), section 4. ``ta`` and TA-Lib
    compare the two moves without allowing for rounding: in floats, 10.3 - 10.2 < 10.0 - 9.9.
    """
    up, down = np.diff(bars.high, axis=0), -np.diff(bars.low, axis=0)
    differs = ~vanishes(up - down, bars.high[1:])
    time = len(bars.high)
    gains = pad(np.maximum(up, 0) * (differs & (up > down)), time)
    losses = pad(np.maximum(down, 0) * (differs & (down > up)), time)
    size = wilder_average(true_range(bars), window)
    price = wilder_average(bars.high, window)
    up, down = wilder_average(gains, window), wilder_average(losses, window)
    unmoved = vanishes(up + down, price, window)
    index = 100 * ratio(np.abs(up - down), up + down, where=~unmoved)
    index[unmoved] = 0
    adx = wilder_average(index, window)
    adx[recently(unmoved, settling(wilder(window)))] = np.nan
    ranged = ~vanishes(size, price, window)
    return DirectionalMovement(
        adx, 100 * ratio(up, size, where=ranged), 100 * ratio(down, size, where=ranged)
    )
