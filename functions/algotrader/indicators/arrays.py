"""Owns the form of bars as arrays, and the windows over them.

Every array has the shape (time, symbols), oldest bar first. NaN means that there is no value yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: The number of roundings, each of at most one part in 2**53, that may affect a term of a sum or an
#: average.
_ROUNDINGS = 16


class BarArrays(Struct, frozen=True):
    """The bars of many symbols: one float64 array of shape (time, symbols) for each column.

    All symbols have the same number of bars. A row need not be the same session for all of them:
    an indicator counts bars.
    """

    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def newest(self, count: int) -> BarArrays:
        """Return at most this many of the newest bars, as views."""
        return BarArrays(
            self.high[-count:], self.low[-count:], self.close[-count:], self.volume[-count:]
        )


def pad(values: FloatArray, time: int) -> FloatArray:
    """Put NaN before the first value, so that the result has this many rows."""
    return np.concatenate([np.full((time - len(values), values.shape[1]), np.nan), values])


def window_rows(values: FloatArray, bars: int) -> Iterator[FloatArray]:
    """Return the bars of every window: first the oldest bar of each, last the newest of each.

    Each array is a view of shape (time - bars + 1, symbols), or (0, symbols) with fewer bars.
    """
    count = max(len(values) - bars + 1, 0)
    return (values[age : age + count] for age in range(bars))


def over_windows(combine: np.ufunc, values: FloatArray, bars: int) -> FloatArray:
    """Combine the bars of every window, from the oldest to the newest.

    numpy's own reductions add in an order that depends on the number of symbols.

    Parameters
    ----------
    combine : ufunc
        ``np.add``, ``np.maximum`` or ``np.minimum``.

    Returns
    -------
    array of shape (time, symbols)
        NaN in the first ``bars - 1`` rows, and in windows that contain NaN.
    """
    result = np.full_like(values, np.nan)
    found = result[bars - 1 :]
    rows = window_rows(values, bars)
    found[:] = next(rows)
    for row in rows:
        combine(found, row, out=found)
    return result


def highest(values: FloatArray, bars: int) -> FloatArray:
    """Return the highest value of every window; NaN in the first ``bars - 1`` rows."""
    return over_windows(np.maximum, values, bars)


def lowest(values: FloatArray, bars: int) -> FloatArray:
    """Return the lowest value of every window; NaN in the first ``bars - 1`` rows."""
    return over_windows(np.minimum, values, bars)


def mean(values: FloatArray, bars: int) -> FloatArray:
    """Compute the mean of every window; NaN in the first ``bars - 1`` rows."""
    result = over_windows(np.add, values, bars)
    result /= bars
    return result


def mean_distance(size: np.ufunc, values: FloatArray, bars: int) -> FloatArray:
    """Compute the mean size of the distances between a window's values and their mean.

    Parameters
    ----------
    size : ufunc
        ``np.abs`` for the mean absolute deviation, ``np.square`` for the variance.

    Returns
    -------
    array of shape (time, symbols)
        NaN in the first ``bars - 1`` rows.
    """
    result = np.full_like(values, np.nan)
    total, center = result[bars - 1 :], mean(values, bars)[bars - 1 :]
    total[:] = 0
    distance = np.empty_like(total)
    for row in window_rows(values, bars):
        np.subtract(row, center, out=distance)
        size(distance, out=distance)
        total += distance
    total /= bars
    return result


def exponential(values: FloatArray, alpha: float | FloatArray) -> FloatArray:
    """Compute ``y[t] = y[t-1] + alpha * (x[t] - y[t-1])``, starting at the first value.

    Parameters
    ----------
    values : array of shape (time, symbols)
        NaN only in the first rows, which are the same for all symbols.
    alpha : float or array of shape (time, symbols)
        The weight of the newest value.
    """
    average = values.copy()
    first = count_missing(values)
    alphas = alpha[first + 1 :] if isinstance(alpha, np.ndarray) else repeat(alpha)
    for before, row, weight in zip(average[first:], average[first + 1 :], alphas, strict=False):
        np.subtract(row, before, out=row)
        np.multiply(row, weight, out=row)
        np.add(row, before, out=row)
    return average


def count_missing(values: FloatArray) -> int:
    """Count the first rows without a value; they are the same for all symbols."""
    return int(np.isnan(values[:, 0]).sum())


def wilder_average(values: FloatArray, window: int) -> FloatArray:
    """Compute Wilder's average, which begins with the mean of its first values.

    Parameters
    ----------
    values : array of shape (time, symbols)
        NaN only in the first rows, which are the same for all symbols.
    window : int
        Number of values in the first mean; each later value has the weight ``1 / window``.
    """
    begins = count_missing(values) + window - 1
    begun = values.copy()
    begun[:begins] = np.nan
    begun[begins : begins + 1] = mean(values[begins - window + 1 : begins + 1], window)[-1:]
    return exponential(begun, 1 / window)


def true_range(bars: BarArrays) -> FloatArray:
    """Compute Wilder's true range; NaN in the first row, which has no close before it."""
    before = bars.close[:-1]
    upper = np.maximum(bars.high[1:], before)
    lower = np.minimum(bars.low[1:], before)
    return pad(upper - lower, len(bars.close))


def typical_price(bars: BarArrays) -> FloatArray:
    """Compute the mean of high, low and close."""
    typical: FloatArray = (bars.high + bars.low + bars.close) / 3
    return typical


def recently(flags: BoolArray, bars: int) -> BoolArray:
    """Whether a flag was set in the newest bars up to each row, the row itself included."""
    if not flags.any():
        return flags
    rows = np.arange(len(flags))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(flags, rows, -bars), axis=0)
    recent: BoolArray = rows - latest < bars
    return recent


def carry(values: FloatArray) -> FloatArray:
    """Replace each NaN with the last value before it; a NaN before the first value stays."""
    rows = np.arange(len(values))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.take_along_axis(values, latest, axis=0)


def vanishes(difference: FloatArray, size: FloatArray | float, terms: int = 1) -> BoolArray:
    """Whether a difference is no larger than rounding alone can make it.

    Parameters
    ----------
    difference : array of shape (time, symbols)
        NaN never vanishes.
    size : array or float
        The size of the numbers that were subtracted, as their sum or their average.
    terms : int
        How many numbers were added up, each with its own roundings.
    """
    rounding = _ROUNDINGS * terms * (np.finfo(np.float64).eps / 2)
    zero: BoolArray = np.abs(difference) <= rounding * np.abs(size)
    return zero


def ratio(part: FloatArray, whole: FloatArray, *, where: BoolArray) -> FloatArray:
    """Divide where the flag is set; NaN elsewhere."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=where)
