"""Owns how many bars an indicator needs before its value is fit to use.

Windows that end need no theory: a rolling mean over n bars needs n. A recursive average never quite
forgets where it started, so it is fit to use once the start's weight has become negligible. The
derivations stand in docs/decisions/0020-indicator-warm-up.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Start's weight allowed in a level, such as an average of prices or of true ranges.
LEVEL = 1e-4

#: Start's weight allowed where averages are subtracted, or fed with values that jump: what remains
#: is a small part of what was averaged, so the same error weighs a hundred times more in it.
DIFFERENCE = 1e-6

#: The look-back of a running total, which has no warm-up of its own: one year.
CUMULATIVE = 252

#: No indicator may need more: forty years of daily bars, more than a feed has.
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Smoothing:
    """One recursive average ``y[t] = (1 - alpha) * y[t-1] + alpha * x[t]``.

    Attributes
    ----------
    alpha : float
        Weight of the newest value.
    first : int
        Inputs that ``ta`` waits for before it shows a value.
    """

    alpha: float
    first: int = 1


def ema(window: int) -> Smoothing:
    """Describe ``ta``'s exponential average: alpha is ``2 / (window + 1)``."""
    return Smoothing(2 / (window + 1), window)


def wilder(window: int, first: int = 1) -> Smoothing:
    """Describe Wilder's average: ``alpha = 1 / window``."""
    return Smoothing(1 / window, first)


def settling(*stages: Smoothing, weight: float = LEVEL) -> int:
    """Count the bars until no stage of a chain of averages feels its start any more.

    Parameters
    ----------
    *stages : Smoothing
        Averages, each of the one before.
    weight : float
        What is left of all starts together in the last stage must be less than this.

    Returns
    -------
    int
        Bars, counted from the first input of the first stage; more than ``LONGEST`` when it would
        take longer than that.
    """
    felt = [1.0] * len(stages)
    inputs = [0] * len(stages)
    for bar in range(1, LONGEST + 1):
        incoming = 0.0
        for place, stage in enumerate(stages):
            inputs[place] += 1
            if inputs[place] > 1:
                felt[place] = (1 - stage.alpha) * felt[place] + stage.alpha * incoming
            incoming = felt[place]
            if inputs[place] < stage.first:
                break
        else:
            if incoming < weight:
                return bar
    return LONGEST + 1


def kaufman(window: int, fast: int, slow: int) -> int:
    """Count the bars until Kaufman's adaptive average no longer feels its start.

    Its alpha follows the efficiency ratio, which is about ``1 / sqrt(window)`` on a random walk;
    three quarters of that are taken, so that a choppy year is covered as well.
    """
    efficiency = 0.75 / math.sqrt(window)
    fastest, slowest = 2 / (fast + 1), 2 / (slow + 1)
    alpha = (efficiency * (fastest - slowest) + slowest) ** 2
    return window - 1 + settling(Smoothing(alpha))


def parabolic(step: float, maximum: float) -> int:
    """Count the bars until a parabolic SAR no longer feels its start.

    It forgets at reversals, not by weight: two that began on different bars are one after a few
    reversals, which are the rarer the smaller the step. Fitted to measurements, see the decision.
    """
    return 20 + math.ceil(8 / math.pow(min(step, maximum), 0.75))
