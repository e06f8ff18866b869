"""Owns where a formula that `ta` computes is 0/0, which rounding must not decide.

A denominator that is zero on paper is rarely zero in floating-point numbers. The ratio of two
rounding errors can be any number. So these functions compute the denominators themselves. A
denominator counts as zero if it is no larger than the rounding of the numbers that it was computed
from. Each formula of this package decides this in the same way for itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    BoolArray,
    FloatArray,
    exponential,
    highest,
    lowest,
    mean,
    recently,
    true_range,
    vanishes,
)
from algotrader.indicators.momentum import relative_strength_index
from algotrader.strategy.indicators.entries import Arguments
from algotrader.strategy.indicators.warm_up import DIFFERENCE, Smoothing, ema, settling


def _average(values: FloatArray, *stages: Smoothing) -> FloatArray:
    """Pass values through a chain of exponential averages."""
    for stage in stages:
        values = exponential(values, stage.alpha)
    return values


def _moves(close: FloatArray) -> FloatArray:
    """Compute how far each close is from the one before; 0 in the first row."""
    return np.abs(np.diff(close, axis=0, prepend=close[:1]))


def _unmoved(close: FloatArray, changes: int) -> BoolArray:
    """Whether the newest changes of the close are all zero."""
    return vanishes(mean(_moves(close), changes), mean(close, changes), changes)


def _no_true_range(bars: BarArrays, window: int) -> BoolArray:
    return vanishes(mean(true_range(bars), window), mean(bars.high, window), window)


def _tsi(bars: BarArrays, p: Arguments) -> BoolArray:
    stages = ema(p.window_slow), ema(p.window_fast)
    return vanishes(_average(_moves(bars.close), *stages), _average(bars.close, *stages))


def _ultimate_oscillator(bars: BarArrays, p: Arguments) -> BoolArray:
    shortest = min(p.window1, p.window2, p.window3)  # if it has a range, so have the longer ones
    return _no_true_range(bars, shortest)


def _stochrsi(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether the RSI has no range, or is itself undefined."""
    rsi = relative_strength_index(bars.close, p.window)
    spread = highest(rsi, p.window) - lowest(rsi, p.window)
    return np.isnan(spread) | vanishes(spread, 100, p.window)


def _stochrsi_k(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_stochrsi(bars, p), p.smooth1)


def _stochrsi_d(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_stochrsi_k(bars, p), p.smooth2)


def _pvo(bars: BarArrays, p: Arguments) -> BoolArray:
    return vanishes(_average(bars.volume, ema(p.window_slow)), 0)


def _pvo_signal(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_pvo(bars, p), settling(ema(p.window_sign), weight=DIFFERENCE))


def _mass_index(bars: BarArrays, p: Arguments) -> BoolArray:
    stages = ema(p.window_fast), ema(p.window_fast)
    width = _average(bars.high - bars.low, *stages)
    return recently(vanishes(width, _average(bars.high, *stages)), p.window_slow)


def _vortex(bars: BarArrays, p: Arguments) -> BoolArray:
    return _no_true_range(bars, p.window)


def _stc(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether a range of the MACD, or of its smoothed stochastic, was zero and still has weight.

    If no close moved within both cycles, the ranges do not come from prices: they show how the
    averages forget earlier prices.
    """
    fast, slow = _average(bars.close, ema(p.window_fast)), _average(bars.close, ema(p.window_slow))
    macd = fast - slow
    top, bottom = highest(macd, p.cycle), lowest(macd, p.cycle)
    flat = vanishes(top - bottom, highest(slow, p.cycle), max(p.window_fast, p.window_slow))
    with np.errstate(divide="ignore", invalid="ignore"):
        stochastic = np.where(flat, 0, 100 * (macd - bottom) / (top - bottom))
    smoothed = _average(stochastic, ema(p.smooth1))
    unsmooth = recently(flat, settling(ema(p.smooth1), weight=DIFFERENCE))
    spread = highest(smoothed, p.cycle) - lowest(smoothed, p.cycle)
    saturated = vanishes(spread, 100, p.smooth1)
    undefined = saturated | recently(unsmooth, p.cycle)
    unmoved = _unmoved(bars.close, max(2 * p.cycle - 2, 1))
    return unmoved | recently(undefined, settling(ema(p.smooth2), weight=DIFFERENCE))


def _acc_dist_index(bars: BarArrays, _: Arguments) -> BoolArray:
    """Whether no bar had a range so far; a single bar without one adds nothing, as in TA-Lib."""
    return np.logical_and.accumulate(vanishes(bars.high - bars.low, bars.high), axis=0)


def _chaikin_money_flow(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether no bar of the window had a range; a bar without one adds nothing, as in TA-Lib."""
    ranged = ~vanishes(bars.high - bars.low, bars.high)
    return ~recently(ranged, p.window)


#: For each output of `ta` that can be 0/0, where it is. Every other output has no denominator, or
#: its denominator is a price or a volume, which is either exactly zero or not.
UNDEFINED: dict[str, Callable[[BarArrays, Arguments], BoolArray]] = {
    "tsi": _tsi,
    "ultimate_oscillator": _ultimate_oscillator,
    "stochrsi": _stochrsi,
    "stochrsi_k": _stochrsi_k,
    "stochrsi_d": _stochrsi_d,
    "pvo_signal": _pvo_signal,
    "pvo_hist": _pvo_signal,
    "mass_index": _mass_index,
    "vortex_indicator_pos": _vortex,
    "vortex_indicator_neg": _vortex,
    "vortex_indicator_diff": _vortex,
    "stc": _stc,
    "acc_dist_index": _acc_dist_index,
    "chaikin_money_flow": _chaikin_money_flow,
}
