"""Owns the form of bars as arrays, and the windows over them.

Every array has the shape (time, symbols), oldest bar first. NaN means that there is no value yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Roundings, each of at most one part in 2**53, that a term of a sum or an average may have had.
_ROUNDINGS = 16

#: The most numbers of windows that are copied at once: 32 MB.
_COPIED = 4_000_000

#: Rows of an exponential average that are computed at once.
_BLOCK = 32


@dataclass(frozen=True, slots=True)
class BarArrays:
    """The bars of many symbols: one float64 array of shape (time, symbols) for each column.

    All symbols have the same number of bars. A row need not be the same session for all of them:
    an indicator counts bars.
    """

    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def windows(values: FloatArray, bars: int) -> FloatArray:
    """Return every window of ``bars`` bars, as a view of shape (time - bars + 1, symbols, bars).

    With fewer bars than that there is no window, and the first axis has length 0.
    """
    if len(values) < bars:
        return np.empty((0, values.shape[1], bars))
    return sliding_window_view(values, bars, axis=0)


def pad(values: FloatArray, time: int) -> FloatArray:
    """Put NaN before the first value, so that the result has this many rows."""
    missing = np.full((time - len(values), *values.shape[1:]), np.nan)
    return np.concatenate([missing, values])


def over_windows(
    compute: Callable[[FloatArray], FloatArray], values: FloatArray, bars: int
) -> FloatArray:
    """Compute one number of every window, a few symbols at a time.

    Minimum, maximum, sum and mean of `windows` need no memory, but other functions copy them: every
    number as many times as there are bars in a window.

    Parameters
    ----------
    compute : callable
        From windows, of shape (time, symbols, bars), to an array of shape (time, symbols).

    Returns
    -------
    array of shape (time, symbols)
        NaN in the first ``bars - 1`` rows.
    """
    time, symbols = values.shape
    together = max(_COPIED // (time * bars), 1)
    parts = [
        compute(windows(values[:, first : first + together], bars))
        for first in range(0, symbols, together)
    ]
    return pad(np.concatenate(parts, axis=1), time)


def exponential(values: FloatArray, alpha: float) -> FloatArray:
    """Compute ``y[t] = y[t-1] + alpha * (x[t] - y[t-1])``, starting at the first value.

    Parameters
    ----------
    values : array of shape (time, symbols)
        NaN only in the first rows, in the same ones for all symbols.
    """
    average = values.copy()
    first = int(np.isnan(values).any(axis=1).sum())
    ages = np.arange(_BLOCK)
    fading = (1 - alpha) ** (ages + 1)
    weights = alpha * np.tril((1 - alpha) ** np.maximum(ages[:, np.newaxis] - ages, 0))
    for start in range(first + 1, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        size = len(block)
        before = np.outer(fading[:size], average[start - 1])
        # einsum, since a product of matrices starts threads that wait for longer than they compute
        recent = np.einsum("ij,jk->ik", weights[:size, :size], block)
        average[start : start + size] = before + recent
    return average


def wilder_average(values: FloatArray, window: int) -> FloatArray:
    """Compute Wilder's average, which begins with the mean of its first values.

    Parameters
    ----------
    values : array of shape (time, symbols)
        NaN only in the first rows, in the same ones for all symbols.
    window : int
        Values of the first mean; each later value weighs ``1 / window``.
    """
    first = int(np.isnan(values).any(axis=1).sum())
    begun = np.full_like(values, np.nan)
    begins = first + window - 1
    if begins < len(values):
        begun[begins] = values[first : first + window].mean(axis=0)
        begun[begins + 1 :] = values[begins + 1 :]
    return exponential(begun, 1 / window)


def true_range(bars: BarArrays) -> FloatArray:
    """Compute Wilder's true range; NaN in the first row, which has no close before it."""
    before = bars.close[:-1]
    highest = np.maximum(bars.high[1:], before)
    lowest = np.minimum(bars.low[1:], before)
    return pad(highest - lowest, len(bars.close))


def typical_price(bars: BarArrays) -> FloatArray:
    """Compute the mean of high, low and close."""
    typical: FloatArray = (bars.high + bars.low + bars.close) / 3
    return typical


def recently(flags: BoolArray, bars: int) -> BoolArray:
    """Whether a flag was set in the newest bars up to each row, the row itself included."""
    rows = np.arange(len(flags))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(flags, rows, -bars), axis=0)
    recent: BoolArray = rows - latest < bars
    return recent


def carry(values: FloatArray) -> FloatArray:
    """Replace each NaN by the last value before it; those before the first value stay."""
    rows = np.arange(len(values))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.take_along_axis(values, latest, axis=0)


def vanishes(difference: FloatArray, size: FloatArray | float, terms: int = 1) -> BoolArray:
    """Whether a difference is no larger than rounding makes it.

    Parameters
    ----------
    difference : array of shape (time, symbols)
        NaN vanishes nowhere.
    size : array or float
        How large the numbers are whose difference it is, as a sum of them or as an average.
    terms : int
        How many numbers were added up, each with roundings of its own.
    """
    rounding = _ROUNDINGS * terms * (np.finfo(np.float64).eps / 2)
    zero: BoolArray = np.abs(difference) <= rounding * np.abs(size)
    return zero
