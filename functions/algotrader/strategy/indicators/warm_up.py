"""Owns the number of bars that an indicator needs before its value is usable.

A rolling mean over n bars needs n bars. A recursive average never quite forgets its start, so its
value is usable once the start's weight is negligible.
docs/decisions/0020-indicator-warm-up.md has the derivations.
"""

from __future__ import annotations

import math

from msgspec import Struct

from algotrader.strategy.indicators.entries import Arguments

#: Largest weight of the start in a level, such as an average of prices or of true ranges.
LEVEL = 1e-4

#: Largest weight of the start in a difference of averages, or in an average of values that jump.
#: The result is small compared with the averages, so the same error weighs a hundred times more.
DIFFERENCE = 1e-6

#: Bars of a running total, which has no natural warm-up: one year.
CUMULATIVE = 252

#: The most bars that an indicator may need: forty years of daily bars, more than a feed has.
LONGEST = 10_000


class Smoothing(Struct, frozen=True):
    """One recursive average ``y[t] = (1 - alpha) * y[t-1] + alpha * x[t]``.

    Attributes
    ----------
    alpha : float
        Weight of the newest value.
    first : int
        Inputs that ``ta`` needs before it returns a value.
    """

    alpha: float
    first: int = 1


def ema(window: int) -> Smoothing:
    """Build ``ta``'s exponential average: ``alpha = 2 / (window + 1)``."""
    return Smoothing(2 / (window + 1), window)


def wilder(window: int, first: int = 1) -> Smoothing:
    """Build Wilder's average: ``alpha = 1 / window``."""
    return Smoothing(1 / window, first)


def settling(*stages: Smoothing, weight: float = LEVEL) -> int:
    """Count the bars until a chain of averages no longer depends on its start.

    Parameters
    ----------
    *stages : Smoothing
        The averages; each average's output is the next one's input.
    weight : float
        The weight of all starts together in the last stage must be less than this.

    Returns
    -------
    int
        Bars, counted from the first input of the first stage; ``LONGEST + 1`` if it takes more
        than ``LONGEST``.
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


def macd(p: Arguments) -> int:
    """Count the bars until the difference between a slow and a fast average is usable."""
    return settling(ema(max(p.window_slow, p.window_fast)), weight=DIFFERENCE)


def macd_signal(p: Arguments) -> int:
    """Count the bars until an average of that difference is usable."""
    slowest = ema(max(p.window_slow, p.window_fast))
    return settling(slowest, ema(p.window_sign), weight=DIFFERENCE)


def kaufman(window: int, fast: int, slow: int) -> int:
    """Count the bars until Kaufman's adaptive average no longer depends on its start.

    Its alpha follows the efficiency ratio, about ``1 / sqrt(window)`` on a random walk. The count
    uses three quarters of that, to cover choppy years too.
    """
    efficiency = 0.75 / math.sqrt(window)
    fastest, slowest = 2 / (fast + 1), 2 / (slow + 1)
    alpha = (efficiency * (fastest - slowest) + slowest) ** 2
    return window - 1 + settling(Smoothing(alpha))


def parabolic(step: float, maximum: float) -> int:
    """Count the bars until a parabolic SAR no longer depends on its start.

    A parabolic SAR loses its history at each reversal, not gradually. Two series started on
    different bars agree after a few reversals; smaller steps mean fewer reversals. The formula is
    fitted to measurements: docs/decisions/0020-indicator-warm-up.md has them.
    """
    return 20 + math.ceil(10 / math.pow(min(step, maximum), 0.75))
