"""Owns the catalog of `ta.momentum`."""

from __future__ import annotations

from algotrader.strategy.indicators.entries import TaClass, factor, window
from algotrader.strategy.indicators.warm_up import DIFFERENCE, ema, kaufman, settling, wilder

MOMENTUM = (
    TaClass(
        "momentum",
        "RSIIndicator",
        ("close",),
        (window("window", 14),),
        {"rsi": lambda p: settling(wilder(p.window, p.window))},
    ),
    TaClass(
        "momentum",
        "TSIIndicator",
        ("close",),
        (window("window_slow", 25), window("window_fast", 13)),
        {"tsi": lambda p: 1 + settling(ema(p.window_slow), ema(p.window_fast), weight=DIFFERENCE)},
    ),
    TaClass(
        "momentum",
        "UltimateOscillator",
        ("high", "low", "close"),
        (
            window("window1", 7),
            window("window2", 14),
            window("window3", 28),
            factor("weight1", 4.0),
            factor("weight2", 2.0),
            factor("weight3", 1.0),
        ),
        {"ultimate_oscillator": lambda p: 1 + max(p.window1, p.window2, p.window3)},
    ),
    TaClass(
        "momentum",
        "StochasticOscillator",
        ("high", "low", "close"),
        (window("window", 14), window("smooth_window", 3)),
        {"stoch": lambda p: p.window, "stoch_signal": lambda p: p.window + p.smooth_window - 1},
    ),
    TaClass(
        "momentum",
        "KAMAIndicator",
        ("close",),
        (window("window", 10), window("pow1", 2), window("pow2", 30)),
        {"kama": lambda p: kaufman(p.window, p.pow1, p.pow2)},
    ),
    TaClass(
        "momentum",
        "ROCIndicator",
        ("close",),
        (window("window", 12),),
        {"roc": lambda p: p.window + 1},
    ),
    TaClass(
        "momentum",
        "AwesomeOscillatorIndicator",
        ("high", "low"),
        (window("window1", 5), window("window2", 34)),
        {"awesome_oscillator": lambda p: max(p.window1, p.window2)},
    ),
    TaClass(
        "momentum",
        "WilliamsRIndicator",
        ("high", "low", "close"),
        (window("lbp", 14),),
        {"williams_r": lambda p: p.lbp},
    ),
    TaClass(
        "momentum",
        "StochRSIIndicator",
        ("close",),
        (window("window", 14), window("smooth1", 3), window("smooth2", 3)),
        {
            # An RSI's range in a window is small next to the RSI, so its error weighs more.
            "stochrsi": lambda p: (
                settling(wilder(p.window, p.window), weight=DIFFERENCE) + p.window - 1
            ),
            "stochrsi_k": lambda p: (
                settling(wilder(p.window, p.window), weight=DIFFERENCE) + p.window + p.smooth1 - 2
            ),
            "stochrsi_d": lambda p: (
                settling(wilder(p.window, p.window), weight=DIFFERENCE)
                + (p.window + p.smooth1 + p.smooth2 - 3)
            ),
        },
    ),
    *(
        TaClass(
            "momentum",
            name,
            (column,),
            (window("window_slow", 26), window("window_fast", 12), window("window_sign", 9)),
            {
                short: lambda p: settling(
                    ema(max(p.window_slow, p.window_fast)), weight=DIFFERENCE
                ),
                f"{short}_signal": lambda p: settling(
                    ema(max(p.window_slow, p.window_fast)), ema(p.window_sign), weight=DIFFERENCE
                ),
                f"{short}_hist": lambda p: settling(
                    ema(max(p.window_slow, p.window_fast)), ema(p.window_sign), weight=DIFFERENCE
                ),
            },
        )
        for name, column, short in (
            ("PercentagePriceOscillator", "close", "ppo"),
            ("PercentageVolumeOscillator", "volume", "pvo"),
        )
    ),
)
