"""Owns the catalog of `ta.trend`."""

from __future__ import annotations

from algotrader.strategy.indicators.entries import (
    Arguments,
    Kind,
    Parameter,
    TaClass,
    factor,
    flag,
    window,
)
from algotrader.strategy.indicators.warm_up import DIFFERENCE, ema, parabolic, settling, wilder


def _macd_signal(p: Arguments) -> int:
    """Return the warm-up of an average of the difference of two averages."""
    slowest = ema(max(p.window_slow, p.window_fast))
    return settling(slowest, ema(p.window_sign), weight=DIFFERENCE)


def _ichimoku_span(p: Arguments, bars: int) -> int:
    """Return the warm-up of a span; `visual` draws it `window2` bars later."""
    return bars + (p.window2 if p.visual else 0)


def _kst(p: Arguments) -> int:
    """Return the warm-up of the sum; until then `ta` fills in the mean of all closes."""
    return max(p.roc1 + p.window1, p.roc2 + p.window2, p.roc3 + p.window3, p.roc4 + p.window4)


def _stc(p: Arguments) -> int:
    """Return the warm-up of a MACD that passes twice through a stochastic and an average."""
    slowest = ema(max(p.window_slow, p.window_fast))
    averages = settling(slowest, ema(p.smooth1), ema(p.smooth2), weight=DIFFERENCE)
    return averages + 2 * (p.cycle - 1)


def _directional(p: Arguments) -> int:
    """Return the warm-up of a directional line; its sums start after the first window."""
    return p.window + settling(wilder(p.window))


TREND = (
    TaClass(
        "trend",
        "AroonIndicator",
        ("high", "low"),
        (window("window", 25),),
        dict.fromkeys(("aroon_up", "aroon_down", "aroon_indicator"), lambda p: p.window + 1),
    ),
    TaClass(
        "trend",
        "MACD",
        ("close",),
        (window("window_slow", 26), window("window_fast", 12), window("window_sign", 9)),
        {
            "macd": lambda p: settling(ema(max(p.window_slow, p.window_fast)), weight=DIFFERENCE),
            "macd_signal": _macd_signal,
            "macd_diff": _macd_signal,
        },
    ),
    TaClass(
        "trend",
        "EMAIndicator",
        ("close",),
        (window("window", 14),),
        {"ema_indicator": lambda p: settling(ema(p.window))},
    ),
    TaClass(
        "trend",
        "SMAIndicator",
        ("close",),
        (Parameter("window", Kind.WINDOW, required=True),),
        {"sma_indicator": lambda p: p.window},
    ),
    TaClass(
        "trend", "WMAIndicator", ("close",), (window("window", 9),), {"wma": lambda p: p.window}
    ),
    TaClass(
        "trend",
        "TRIXIndicator",
        ("close",),
        (window("window", 15),),
        {"trix": lambda p: 1 + settling(*[ema(p.window)] * 3, weight=DIFFERENCE)},
    ),
    TaClass(
        "trend",
        "MassIndex",
        ("high", "low"),
        (window("window_fast", 9), window("window_slow", 25)),
        {"mass_index": lambda p: settling(*[ema(p.window_fast)] * 2) + p.window_slow - 1},
    ),
    TaClass(
        "trend",
        "IchimokuIndicator",
        ("high", "low"),
        (
            window("window1", 9),
            window("window2", 26),
            window("window3", 52),
            flag("visual", default=False),
        ),
        {
            "ichimoku_conversion_line": lambda p: p.window1,
            "ichimoku_base_line": lambda p: p.window2,
            "ichimoku_a": lambda p: _ichimoku_span(p, max(p.window1, p.window2)),
            "ichimoku_b": lambda p: _ichimoku_span(p, p.window3),
        },
    ),
    TaClass(
        "trend",
        "KSTIndicator",
        ("close",),
        (
            window("roc1", 10),
            window("roc2", 15),
            window("roc3", 20),
            window("roc4", 30),
            window("window1", 10),
            window("window2", 10),
            window("window3", 10),
            window("window4", 15),
            window("nsig", 9),
        ),
        {
            "kst": _kst,
            "kst_sig": lambda p: _kst(p) + p.nsig - 1,
            "kst_diff": lambda p: _kst(p) + p.nsig - 1,
        },
    ),
    TaClass(
        "trend",
        "DPOIndicator",
        ("close",),
        (window("window", 20),),
        {"dpo": lambda p: max(p.window, int(0.5 * p.window + 1) + 1)},
    ),
    TaClass(
        "trend",
        "CCIIndicator",
        ("high", "low", "close"),
        (window("window", 20), factor("constant", 0.015)),
        {"cci": lambda p: p.window},
    ),
    TaClass(
        "trend",
        "ADXIndicator",
        ("high", "low", "close"),
        (window("window", 14),),
        {
            "adx": lambda p: p.window + settling(wilder(p.window, p.window), wilder(p.window)),
            "adx_pos": _directional,
            "adx_neg": _directional,
        },
    ),
    TaClass(
        "trend",
        "VortexIndicator",
        ("high", "low", "close"),
        (window("window", 14),),
        dict.fromkeys(
            ("vortex_indicator_pos", "vortex_indicator_neg", "vortex_indicator_diff"),
            lambda p: p.window + 1,
        ),
    ),
    TaClass(
        "trend",
        "PSARIndicator",
        ("high", "low", "close"),
        (factor("step", 0.02), factor("max_step", 0.2)),
        dict.fromkeys(
            ("psar", "psar_up", "psar_down", "psar_up_indicator", "psar_down_indicator"),
            lambda p: parabolic(p.step, p.max_step),
        ),
    ),
    TaClass(
        "trend",
        "STCIndicator",
        ("close",),
        (
            window("window_slow", 50),
            window("window_fast", 23),
            window("cycle", 10),
            window("smooth1", 3),
            window("smooth2", 3),
        ),
        {"stc": _stc},
    ),
)
