"""Owns what rounding must not decide: where a formula is 0/0, and where a price equals a band.

A denominator that is zero on paper is rarely zero in floating-point numbers. The ratio of two
rounding errors can be any number. So these functions compute the denominators themselves. A
denominator counts as zero if it is no larger than the rounding of the numbers that it was computed
from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    BoolArray,
    FloatArray,
    exponential,
    over_windows,
    pad,
    recently,
    true_range,
    typical_price,
    vanishes,
    windows,
)
from algotrader.strategy.indicators.entries import Arguments
from algotrader.strategy.indicators.warm_up import (
    DIFFERENCE,
    Smoothing,
    ema,
    settling,
    wilder,
)


def _highest(values: FloatArray, bars: int) -> FloatArray:
    return pad(windows(values, bars).max(axis=-1), len(values))


def _lowest(values: FloatArray, bars: int) -> FloatArray:
    return pad(windows(values, bars).min(axis=-1), len(values))


def _mean(values: FloatArray, bars: int) -> FloatArray:
    return pad(windows(values, bars).mean(axis=-1), len(values))


def _average(values: FloatArray, *stages: Smoothing) -> FloatArray:
    """Pass values through a chain of exponential averages."""
    for stage in stages:
        values = exponential(values, stage.alpha)
    return values


def _moves(close: FloatArray) -> FloatArray:
    """Compute how far each close is from the one before; 0 in the first row."""
    return np.abs(np.diff(close, axis=0, prepend=close[:1]))


def _still(bars: BarArrays, window: int) -> BoolArray:
    """Whether the price had no range: highest high and lowest low of a window are equal."""
    highest = _highest(bars.high, window)
    return vanishes(highest - _lowest(bars.low, window), highest)


def _unmoved(close: FloatArray, changes: int) -> BoolArray:
    """Whether the newest changes of the close are all zero."""
    return vanishes(_mean(_moves(close), changes), _mean(close, changes), changes)


def _no_true_range(bars: BarArrays, window: int) -> BoolArray:
    return vanishes(_mean(true_range(bars), window), _mean(bars.high, window), window)


def _rsi(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether gains and losses both average to zero; if losses alone do, the RSI is 100."""
    stage = wilder(p.window)
    return vanishes(_average(_moves(bars.close), stage), _average(bars.close, stage))


def _tsi(bars: BarArrays, p: Arguments) -> BoolArray:
    stages = ema(p.window_slow), ema(p.window_fast)
    return vanishes(_average(_moves(bars.close), *stages), _average(bars.close, *stages))


def _ultimate_oscillator(bars: BarArrays, p: Arguments) -> BoolArray:
    shortest = min(p.window1, p.window2, p.window3)  # if it has a range, so have the longer ones
    return _no_true_range(bars, shortest)


def _stoch(bars: BarArrays, p: Arguments) -> BoolArray:
    return _still(bars, p.window)


def _stoch_signal(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_stoch(bars, p), p.smooth_window)


def _williams_r(bars: BarArrays, p: Arguments) -> BoolArray:
    return _still(bars, p.lbp)


def _kama(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether the efficiency ratio is 0/0, and the price has moved since the average began.

    If the price never moved, the average is the price, whatever the ratio is.
    """
    close = bars.close
    since = close[p.window - 1 :]
    highest = pad(np.maximum.accumulate(since, axis=0), len(close))
    lowest = pad(np.minimum.accumulate(since, axis=0), len(close))
    return _unmoved(close, p.window) & ~vanishes(highest - lowest, highest)


def _stochrsi(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether the RSI has no range, or is itself undefined."""
    changes = np.diff(bars.close, axis=0, prepend=bars.close[:1])
    gains = _average(np.maximum(changes, 0), wilder(p.window))
    losses = _average(np.maximum(-changes, 0), wilder(p.window))
    with np.errstate(divide="ignore", invalid="ignore"):
        rsi = 100 - 100 / (1 + gains / losses)
    still = vanishes(_highest(rsi, p.window) - _lowest(rsi, p.window), 100, p.window)
    return still | recently(_rsi(bars, p), p.window)


def _stochrsi_k(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_stochrsi(bars, p), p.smooth1)


def _stochrsi_d(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_stochrsi_k(bars, p), p.smooth2)


def _pvo(bars: BarArrays, p: Arguments) -> BoolArray:
    return vanishes(_average(bars.volume, ema(p.window_slow)), 0)


def _pvo_signal(bars: BarArrays, p: Arguments) -> BoolArray:
    return recently(_pvo(bars, p), settling(ema(p.window_sign), weight=DIFFERENCE))


def _bollinger_pband(bars: BarArrays, p: Arguments) -> BoolArray:
    deviation = over_windows(_standard_deviation, bars.close, p.window)
    return vanishes(deviation, _mean(bars.close, p.window), p.window)


def _standard_deviation(prices: FloatArray) -> FloatArray:
    deviation: FloatArray = prices.std(axis=-1)
    return deviation


def _keltner_pband(bars: BarArrays, p: Arguments) -> BoolArray:
    if p.original_version:
        width = _mean(bars.high - bars.low, p.window)
        return vanishes(width, _mean(bars.high, p.window), p.window)
    stage = wilder(p.window_atr)
    return vanishes(_average(true_range(bars), stage), _average(bars.high, stage), p.window_atr)


def _donchian_pband(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether the price had no range ``offset`` bars before."""
    still = _still(bars, p.window)
    earlier = still[: len(still) - p.offset]
    return np.concatenate([np.zeros((p.offset, still.shape[1]), dtype=np.bool_), earlier])


def _mass_index(bars: BarArrays, p: Arguments) -> BoolArray:
    stages = ema(p.window_fast), ema(p.window_fast)
    width = _average(bars.high - bars.low, *stages)
    return recently(vanishes(width, _average(bars.high, *stages)), p.window_slow)


def _cci(bars: BarArrays, p: Arguments) -> BoolArray:
    prices = typical_price(bars)
    deviation = over_windows(_mean_deviation, prices, p.window)
    return vanishes(deviation, _mean(prices, p.window), p.window)


def _mean_deviation(prices: FloatArray) -> FloatArray:
    deviation: FloatArray = np.abs(prices - prices.mean(axis=-1, keepdims=True)).mean(axis=-1)
    return deviation


def _directional(bars: BarArrays, p: Arguments) -> BoolArray:
    stage = wilder(p.window)
    return vanishes(_average(true_range(bars), stage), _average(bars.high, stage), p.window)


def _adx(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether a directional index is 0/0 whose weight in the average is not negligible yet."""
    up, down = np.diff(bars.high, axis=0), -np.diff(bars.low, axis=0)
    larger = np.maximum(np.maximum(up, down), 0)
    equal = vanishes(up - down, bars.high[1:])
    movement = pad(np.where(equal, 0, larger), len(bars.high))
    stage = wilder(p.window)
    neither = vanishes(_average(movement, stage), _average(bars.high, stage), p.window)
    return recently(neither | _directional(bars, p), settling(stage))


def _vortex(bars: BarArrays, p: Arguments) -> BoolArray:
    return _no_true_range(bars, p.window)


def _stc(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether the MACD, or its smoothed stochastic, had no range and that still has weight.

    If no close moved within both cycles, the ranges are not those of prices: they show how the
    averages forget the prices before.
    """
    fast, slow = _average(bars.close, ema(p.window_fast)), _average(bars.close, ema(p.window_slow))
    macd = fast - slow
    highest, lowest = _highest(macd, p.cycle), _lowest(macd, p.cycle)
    flat = vanishes(highest - lowest, _highest(slow, p.cycle), max(p.window_fast, p.window_slow))
    with np.errstate(divide="ignore", invalid="ignore"):
        stochastic = np.where(flat, 0, 100 * (macd - lowest) / (highest - lowest))
    smoothed = _average(stochastic, ema(p.smooth1))
    unsmooth = recently(flat, settling(ema(p.smooth1), weight=DIFFERENCE))
    spread = _highest(smoothed, p.cycle) - _lowest(smoothed, p.cycle)
    saturated = vanishes(spread, 100, p.smooth1)
    undefined = saturated | recently(unsmooth, p.cycle)
    unmoved = _unmoved(bars.close, max(2 * p.cycle - 2, 1))
    return unmoved | recently(undefined, settling(ema(p.smooth2), weight=DIFFERENCE))


def _acc_dist_index(bars: BarArrays, _: Arguments) -> BoolArray:
    """Whether no bar had a range so far; a single bar without one adds nothing, as in TA-Lib."""
    return np.logical_and.accumulate(vanishes(bars.high - bars.low, bars.high), axis=0)


def _chaikin_money_flow(bars: BarArrays, p: Arguments) -> BoolArray:
    """Whether no bar of the window had a range; a single one without adds nothing, as in TA-Lib."""
    ranged = ~vanishes(bars.high - bars.low, bars.high)
    return ~recently(ranged, p.window)


#: For each output that can be 0/0, where it is. Every other output either has no denominator, or
#: one that is a price or a volume: that is exactly zero, or not.
UNDEFINED: dict[str, Callable[[BarArrays, Arguments], BoolArray]] = {
    "rsi": _rsi,
    "tsi": _tsi,
    "ultimate_oscillator": _ultimate_oscillator,
    "stoch": _stoch,
    "stoch_signal": _stoch_signal,
    "kama": _kama,
    "williams_r": _williams_r,
    "stochrsi": _stochrsi,
    "stochrsi_k": _stochrsi_k,
    "stochrsi_d": _stochrsi_d,
    "pvo_signal": _pvo_signal,
    "pvo_hist": _pvo_signal,
    "bollinger_pband": _bollinger_pband,
    "keltner_channel_pband": _keltner_pband,
    "donchian_channel_pband": _donchian_pband,
    "mass_index": _mass_index,
    "cci": _cci,
    "adx": _adx,
    "adx_pos": _directional,
    "adx_neg": _directional,
    "vortex_indicator_pos": _vortex,
    "vortex_indicator_neg": _vortex,
    "vortex_indicator_diff": _vortex,
    "stc": _stc,
    "acc_dist_index": _acc_dist_index,
    "chaikin_money_flow": _chaikin_money_flow,
}


def _bollinger_band(sign: int) -> Callable[[BarArrays, Arguments], BoolArray]:
    def equal(bars: BarArrays, p: Arguments) -> BoolArray:
        deviation = over_windows(_standard_deviation, bars.close, p.window)
        band = _mean(bars.close, p.window) + sign * p.window_dev * deviation
        return vanishes(bars.close - band, band, p.window)

    return equal


def _keltner_band(sign: int) -> Callable[[BarArrays, Arguments], BoolArray]:
    def equal(bars: BarArrays, p: Arguments) -> BoolArray:
        if p.original_version:
            width = _mean(bars.high - bars.low, p.window)
            band = _mean(typical_price(bars), p.window) + sign * width
        else:
            width = p.multiplier * _average(true_range(bars), wilder(p.window_atr))
            band = _average(bars.close, ema(p.window)) + sign * width
        return vanishes(bars.close - band, band, p.window)

    return equal


#: For each output that says with 1 that the close is beyond a band, where both are equal: it is 0.
EQUAL: dict[str, Callable[[BarArrays, Arguments], BoolArray]] = {
    "bollinger_hband_indicator": _bollinger_band(1),
    "bollinger_lband_indicator": _bollinger_band(-1),
    "keltner_channel_hband_indicator": _keltner_band(1),
    "keltner_channel_lband_indicator": _keltner_band(-1),
}
