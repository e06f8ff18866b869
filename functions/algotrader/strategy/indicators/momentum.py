"""Owns the catalog of `ta.momentum`."""

from __future__ import annotations

from functools import partial

from algotrader.strategy.indicators.entries import Arguments, factor, ta_class, windows
from algotrader.strategy.indicators.warm_up import (
    DIFFERENCE,
    ema,
    kaufman,
    macd,
    macd_signal,
    settling,
    wilder,
)

entry = partial(ta_class, "momentum")


def _stoch_rsi(p: Arguments) -> int:
    # An RSI's range in a window is small next to the RSI, so its error weighs more.
    return settling(wilder(p.window, p.window), weight=DIFFERENCE) + p.window - 1


MOMENTUM = (
    entry(
        "RSIIndicator",
        "close",
        windows(window=14),
        rsi=lambda p: settling(wilder(p.window, p.window)),
    ),
    entry(
        "TSIIndicator",
        "close",
        windows(window_slow=25, window_fast=13),
        tsi=lambda p: 1 + settling(ema(p.window_slow), ema(p.window_fast), weight=DIFFERENCE),
    ),
    entry(
        "UltimateOscillator",
        "high low close",
        (
            *windows(window1=7, window2=14, window3=28),
            factor("weight1", 4.0),
            factor("weight2", 2.0),
            factor("weight3", 1.0),
        ),
        ultimate_oscillator=lambda p: 1 + max(p.window1, p.window2, p.window3),
    ),
    entry(
        "StochasticOscillator",
        "high low close",
        windows(window=14, smooth_window=3),
        stoch=lambda p: p.window,
        stoch_signal=lambda p: p.window + p.smooth_window - 1,
    ),
    entry(
        "KAMAIndicator",
        "close",
        windows(window=10, pow1=2, pow2=30),
        kama=lambda p: kaufman(p.window, p.pow1, p.pow2),
    ),
    entry("ROCIndicator", "close", windows(window=12), roc=lambda p: p.window + 1),
    entry(
        "AwesomeOscillatorIndicator",
        "high low",
        windows(window1=5, window2=34),
        awesome_oscillator=lambda p: max(p.window1, p.window2),
    ),
    entry("WilliamsRIndicator", "high low close", windows(lbp=14), williams_r=lambda p: p.lbp),
    entry(
        "StochRSIIndicator",
        "close",
        windows(window=14, smooth1=3, smooth2=3),
        stochrsi=_stoch_rsi,
        stochrsi_k=lambda p: _stoch_rsi(p) + p.smooth1 - 1,
        stochrsi_d=lambda p: _stoch_rsi(p) + p.smooth1 + p.smooth2 - 2,
    ),
    *(
        entry(
            name,
            column,
            windows(window_slow=26, window_fast=12, window_sign=9),
            **{short: macd, f"{short}_signal": macd_signal, f"{short}_hist": macd_signal},
        )
        for name, column, short in (
            ("PercentagePriceOscillator", "close", "ppo"),
            ("PercentageVolumeOscillator", "volume", "pvo"),
        )
    ),
)
