"""Owns the catalog of `ta.volume` and `ta.others`."""

from __future__ import annotations

from algotrader.strategy.indicators.entries import Kind, Parameter, TaClass, flag, window
from algotrader.strategy.indicators.warm_up import CUMULATIVE, DIFFERENCE, ema, settling

VOLUME = (
    TaClass(
        "volume",
        "AccDistIndexIndicator",
        ("high", "low", "close", "volume"),
        (),
        {"acc_dist_index": lambda _: CUMULATIVE},
    ),
    TaClass(
        "volume",
        "OnBalanceVolumeIndicator",
        ("close", "volume"),
        (),
        {"on_balance_volume": lambda _: CUMULATIVE},
    ),
    TaClass(
        "volume",
        "ChaikinMoneyFlowIndicator",
        ("high", "low", "close", "volume"),
        (window("window", 20),),
        {"chaikin_money_flow": lambda p: p.window},
    ),
    TaClass(
        "volume",
        "ForceIndexIndicator",
        ("close", "volume"),
        (window("window", 13),),
        {"force_index": lambda p: 1 + settling(ema(p.window), weight=DIFFERENCE)},
    ),
    TaClass(
        "volume",
        "EaseOfMovementIndicator",
        ("high", "low", "volume"),
        (window("window", 14),),
        {"ease_of_movement": lambda _: 2, "sma_ease_of_movement": lambda p: p.window + 1},
    ),
    TaClass(
        "volume",
        "VolumePriceTrendIndicator",
        ("close", "volume"),
        (Parameter("smoothing_factor", Kind.WINDOW), flag("dropnans", default=False)),
        {"volume_price_trend": lambda p: CUMULATIVE + (p.smoothing_factor or 0)},
    ),
    TaClass(
        "volume",
        "NegativeVolumeIndexIndicator",
        ("close", "volume"),
        (),
        {"negative_volume_index": lambda _: CUMULATIVE},
    ),
    TaClass(
        "volume",
        "MFIIndicator",
        ("high", "low", "close", "volume"),
        (window("window", 14),),
        {"money_flow_index": lambda p: p.window + 1},
    ),
    TaClass(
        "volume",
        "VolumeWeightedAveragePrice",
        ("high", "low", "close", "volume"),
        (window("window", 14),),
        {"volume_weighted_average_price": lambda p: p.window},
    ),
)

OTHERS = (
    TaClass("others", "DailyReturnIndicator", ("close",), (), {"daily_return": lambda _: 2}),
    TaClass("others", "DailyLogReturnIndicator", ("close",), (), {"daily_log_return": lambda _: 2}),
    TaClass(
        "others",
        "CumulativeReturnIndicator",
        ("close",),
        (),
        {"cumulative_return": lambda _: CUMULATIVE},
    ),
)
