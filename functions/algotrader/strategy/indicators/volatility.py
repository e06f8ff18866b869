"""Owns the catalog of `ta.volatility`."""

from __future__ import annotations

from functools import partial

from algotrader.strategy.indicators.entries import (
    Arguments,
    Kind,
    Parameter,
    factor,
    flag,
    ta_class,
    windows,
)
from algotrader.strategy.indicators.warm_up import ema, settling, wilder

entry = partial(ta_class, "volatility")


def _true_range_average(bars: int) -> int:
    """Return the warm-up of ``ta``'s ATR, which starts from the plain mean of its first window."""
    return bars - 1 + settling(wilder(bars))


def _keltner_middle(p: Arguments) -> int:
    """Return the warm-up of the middle line: a rolling mean (original version) or an EMA.

    `ta` also computes the ATR for it, which fails on fewer bars than its own window.
    """
    return p.window if p.original_version else max(settling(ema(p.window)), p.window_atr)


def _keltner_band(p: Arguments) -> int:
    """Return the warm-up of the bands; except in the original version they depend on the ATR."""
    if p.original_version:
        return p.window
    return max(settling(ema(p.window)), _true_range_average(p.window_atr))


VOLATILITY = (
    entry(
        "AverageTrueRange",
        "high low close",
        windows(window=14),
        average_true_range=lambda p: _true_range_average(p.window),
    ),
    entry(
        "BollingerBands",
        "close",
        (*windows(window=20), factor("window_dev", 2)),
        **dict.fromkeys(
            (
                "bollinger_mavg",
                "bollinger_hband",
                "bollinger_lband",
                "bollinger_wband",
                "bollinger_pband",
                "bollinger_hband_indicator",
                "bollinger_lband_indicator",
            ),
            lambda p: p.window,
        ),
    ),
    entry(
        "KeltnerChannel",
        "high low close",
        (
            *windows(window=20, window_atr=10),
            flag("original_version", default=True),
            factor("multiplier", 2),
        ),
        **{
            "keltner_channel_mband": _keltner_middle,
            **dict.fromkeys(
                (
                    "keltner_channel_hband",
                    "keltner_channel_lband",
                    "keltner_channel_wband",
                    "keltner_channel_pband",
                    "keltner_channel_hband_indicator",
                    "keltner_channel_lband_indicator",
                ),
                _keltner_band,
            ),
        },
    ),
    entry(
        "DonchianChannel",
        "high low close",
        # A negative offset would look into the future.
        (*windows(window=20), Parameter("offset", Kind.OFFSET, 0)),
        **dict.fromkeys(
            (
                "donchian_channel_hband",
                "donchian_channel_lband",
                "donchian_channel_mband",
                "donchian_channel_wband",
                "donchian_channel_pband",
            ),
            lambda p: p.window + p.offset,
        ),
    ),
    entry(
        "UlcerIndex",
        "close",
        windows(window=14),
        # A rolling sum over drawdowns from a rolling maximum: two windows.
        ulcer_index=lambda p: 2 * p.window - 1,
    ),
)
