"""Owns the catalog of `ta.trend`."""

from __future__ import annotations

from functools import partial

from algotrader.strategy.indicators.entries import (
    Arguments,
    Kind,
    Parameter,
    factor,
    flag,
    own_class,
    ta_class,
    windows,
)
from algotrader.strategy.indicators.warm_up import (
    DIFFERENCE,
    ema,
    macd,
    macd_signal,
    parabolic,
    settling,
    wilder,
)

entry = partial(ta_class, "trend")
own_entry = partial(own_class, "trend")


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
    own_entry(
        "AroonIndicator",
        "high low",
        windows(window=25),
        **dict.fromkeys(("aroon_up", "aroon_down", "aroon_indicator"), lambda p: p.window + 1),
    ),
    entry(
        "MACD",
        "close",
        windows(window_slow=26, window_fast=12, window_sign=9),
        macd=macd,
        macd_signal=macd_signal,
        macd_diff=macd_signal,
    ),
    entry(
        "EMAIndicator", "close", windows(window=14), ema_indicator=lambda p: settling(ema(p.window))
    ),
    entry(
        "SMAIndicator",
        "close",
        (Parameter("window", Kind.WINDOW, required=True),),
        sma_indicator=lambda p: p.window,
    ),
    entry("WMAIndicator", "close", windows(window=9), wma=lambda p: p.window),
    entry(
        "TRIXIndicator",
        "close",
        windows(window=15),
        trix=lambda p: 1 + settling(*[ema(p.window)] * 3, weight=DIFFERENCE),
    ),
    entry(
        "MassIndex",
        "high low",
        windows(window_fast=9, window_slow=25),
        mass_index=lambda p: settling(*[ema(p.window_fast)] * 2) + p.window_slow - 1,
    ),
    entry(
        "IchimokuIndicator",
        "high low",
        (*windows(window1=9, window2=26, window3=52), flag("visual", default=False)),
        ichimoku_conversion_line=lambda p: p.window1,
        ichimoku_base_line=lambda p: p.window2,
        ichimoku_a=lambda p: _ichimoku_span(p, max(p.window1, p.window2)),
        ichimoku_b=lambda p: _ichimoku_span(p, p.window3),
    ),
    entry(
        "KSTIndicator",
        "close",
        windows(
            roc1=10,
            roc2=15,
            roc3=20,
            roc4=30,
            window1=10,
            window2=10,
            window3=10,
            window4=15,
            nsig=9,
        ),
        kst=_kst,
        kst_sig=lambda p: _kst(p) + p.nsig - 1,
        kst_diff=lambda p: _kst(p) + p.nsig - 1,
    ),
    entry(
        "DPOIndicator",
        "close",
        windows(window=20),
        dpo=lambda p: max(p.window, int(0.5 * p.window + 1) + 1),
    ),
    entry(
        "CCIIndicator",
        "high low close",
        (*windows(window=20), factor("constant", 0.015)),
        cci=lambda p: p.window,
    ),
    own_entry(
        "ADXIndicator",
        "high low close",
        windows(window=14),
        adx=lambda p: p.window + settling(wilder(p.window, p.window), wilder(p.window)),
        adx_pos=_directional,
        adx_neg=_directional,
    ),
    entry(
        "VortexIndicator",
        "high low close",
        windows(window=14),
        **dict.fromkeys(
            ("vortex_indicator_pos", "vortex_indicator_neg", "vortex_indicator_diff"),
            lambda p: p.window + 1,
        ),
    ),
    own_entry(
        "PSARIndicator",
        "high low close",
        (factor("step", 0.02), factor("max_step", 0.2)),
        **dict.fromkeys(
            ("psar", "psar_up", "psar_down", "psar_up_indicator", "psar_down_indicator"),
            lambda p: parabolic(p.step, p.max_step),
        ),
    ),
    entry(
        "STCIndicator",
        "close",
        windows(window_slow=50, window_fast=23, cycle=10, smooth1=3, smooth2=3),
        stc=_stc,
    ),
)
