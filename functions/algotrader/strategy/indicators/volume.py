"""Owns the catalog of `ta.volume` and `ta.others`."""

from __future__ import annotations

from functools import partial

from algotrader.strategy.indicators.entries import (
    Kind,
    Parameter,
    flag,
    own_class,
    ta_class,
    windows,
)
from algotrader.strategy.indicators.warm_up import CUMULATIVE, DIFFERENCE, ema, settling

entry = partial(ta_class, "volume")
own_entry = partial(own_class, "volume")
other_entry = partial(ta_class, "others")

VOLUME = (
    entry(
        "AccDistIndexIndicator", "high low close volume", (), acc_dist_index=lambda _: CUMULATIVE
    ),
    own_entry(
        "OnBalanceVolumeIndicator",
        "close volume",
        (),
        on_balance_volume=lambda _: CUMULATIVE,
    ),
    entry(
        "ChaikinMoneyFlowIndicator",
        "high low close volume",
        windows(window=20),
        chaikin_money_flow=lambda p: p.window,
    ),
    entry(
        "ForceIndexIndicator",
        "close volume",
        windows(window=13),
        force_index=lambda p: 1 + settling(ema(p.window), weight=DIFFERENCE),
    ),
    entry(
        "EaseOfMovementIndicator",
        "high low volume",
        windows(window=14),
        ease_of_movement=lambda _: 2,
        sma_ease_of_movement=lambda p: p.window + 1,
    ),
    entry(
        "VolumePriceTrendIndicator",
        "close volume",
        (Parameter("smoothing_factor", Kind.WINDOW), flag("dropnans", default=False)),
        volume_price_trend=lambda p: CUMULATIVE + (p.smoothing_factor or 0),
    ),
    entry(
        "NegativeVolumeIndexIndicator",
        "close volume",
        (),
        negative_volume_index=lambda _: CUMULATIVE,
    ),
    own_entry(
        "MFIIndicator",
        "high low close volume",
        windows(window=14),
        money_flow_index=lambda p: p.window + 1,
    ),
    entry(
        "VolumeWeightedAveragePrice",
        "high low close volume",
        windows(window=14),
        volume_weighted_average_price=lambda p: p.window,
    ),
)

OTHERS = (
    other_entry("DailyReturnIndicator", "close", (), daily_return=lambda _: 2),
    other_entry("DailyLogReturnIndicator", "close", (), daily_log_return=lambda _: 2),
    other_entry("CumulativeReturnIndicator", "close", (), cumulative_return=lambda _: CUMULATIVE),
)
