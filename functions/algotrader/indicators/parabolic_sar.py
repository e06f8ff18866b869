"""Owns Wilder's parabolic SAR, "stop and reverse"."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from algotrader.indicators.arrays import BoolArray, FloatArray, carry


class ParabolicSar(NamedTuple):
    """A parabolic SAR over some bars; each array has the shape (time, symbols).

    Attributes
    ----------
    sar : array of float
        Dollars; NaN in the first row.
    rising : array of bool
        The direction after the bar; the first row means nothing.
    reverses : array of bool
        Whether the bar changed the direction; false in the first row.
    """

    sar: FloatArray
    rising: BoolArray
    reverses: BoolArray


def parabolic_sar(high: FloatArray, low: FloatArray, step: float, max_step: float) -> ParabolicSar:
    """Compute the parabolic SAR.

    The second bar sets the first direction: falling if its low is below the first bar's by more
    than its high is above, otherwise rising. The first SAR is the first bar's extreme on the other
    side. A bar whose low touches a rising SAR, or whose high touches a falling one, reverses the
    direction, and its SAR is the last extreme price. A SAR never lies inside the range of the bar
    before or of its own bar: the reversal is tested against the SAR after that clamp.

    Parameters
    ----------
    high, low : array of shape (time, symbols)
        Dollars, without NaN; at least two bars.
    step : float
        The acceleration at a reversal, and what each new extreme adds to it.
    max_step : float
        The largest acceleration; it also limits ``step``.

    Notes
    -----
    J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), section 2. He leaves the first
    direction to the trader. This function chooses as TA-Lib's ``SAR`` does, and returns the same
    values.
    """
    step = min(step, max_step)
    up, down = high[1] - high[0], low[0] - low[1]
    rising = ~((down > 0) & (down > up))
    extreme = np.where(rising, high[1], low[1])
    sar = np.where(rising, low[0], high[0])
    acceleration = np.full_like(sar, step)
    sars = np.full_like(high, np.nan)
    directions = np.zeros(high.shape, dtype=np.bool_)
    turns = np.zeros(high.shape, dtype=np.bool_)
    for bar in range(1, len(high)):
        before = max(bar - 1, 1)  # the first step looks at its own bar only
        highest = np.maximum(high[before], high[bar])
        lowest = np.minimum(low[before], low[bar])
        turns[bar] = reverses = np.where(rising, low[bar] <= sar, high[bar] >= sar)
        turned = np.where(rising, np.maximum(extreme, highest), np.minimum(extreme, lowest))
        sars[bar] = np.where(reverses, turned, sar)
        rising = rising ^ reverses
        directions[bar] = rising

        newest = np.where(rising, high[bar], low[bar])
        beyond = np.where(rising, newest > extreme, newest < extreme)
        faster = np.minimum(acceleration + step, max_step)
        acceleration = np.where(reverses, step, np.where(beyond, faster, acceleration))
        extreme = np.where(reverses | beyond, newest, extreme)
        following = sars[bar] + acceleration * (extreme - sars[bar])
        sar = np.where(rising, np.minimum(following, lowest), np.maximum(following, highest))
    return ParabolicSar(sars, directions, turns)


def last_of_trend(trend: ParabolicSar, *, rising: bool) -> FloatArray:
    """Return the SAR of the current rise (or fall), or else of the last one; NaN before the first.

    Parameters
    ----------
    rising : bool
        True for rises, False for falls.
    """
    return carry(np.where(trend.rising == rising, trend.sar, np.nan))
