"""Owns the names by which a strategy may declare an indicator, and their outputs."""

from __future__ import annotations

from algotrader.strategy.indicators.entries import TA_PREFIX, TaClass
from algotrader.strategy.indicators.momentum import MOMENTUM
from algotrader.strategy.indicators.trend import TREND
from algotrader.strategy.indicators.volatility import VOLATILITY
from algotrader.strategy.indicators.volume import OTHERS, VOLUME

_BY_GROUP = (*MOMENTUM, *VOLATILITY, *TREND, *VOLUME, *OTHERS)

#: Every class of ``ta``; one whose published definition differs appears twice.
CLASSES: tuple[TaClass, ...] = tuple(
    entry for each in _BY_GROUP for entry in ((each, each.as_of_ta()) if each.own else (each,))
)

#: The class of every output, by the output's name; no two entries share a name.
OUTPUTS: dict[str, TaClass] = {output: each for each in CLASSES for output in each.outputs}

#: Other names that `ta` uses, for its functions, the series that they return, and the columns that
#: ``add_all_ta_features`` adds, without their group.
ALIASES: dict[str, str] = {
    "wma_indicator": "wma",
    "atr": "average_true_range",
    "bbm": "bollinger_mavg",
    "bbh": "bollinger_hband",
    "bbl": "bollinger_lband",
    "bbw": "bollinger_wband",
    "bbp": "bollinger_pband",
    "bbhi": "bollinger_hband_indicator",
    "bbli": "bollinger_lband_indicator",
    "kcc": "keltner_channel_mband",
    "kch": "keltner_channel_hband",
    "kcl": "keltner_channel_lband",
    "kcw": "keltner_channel_wband",
    "kcp": "keltner_channel_pband",
    "kchi": "keltner_channel_hband_indicator",
    "kcli": "keltner_channel_lband_indicator",
    "dcm": "donchian_channel_mband",
    "dch": "donchian_channel_hband",
    "dcl": "donchian_channel_lband",
    "dcw": "donchian_channel_wband",
    "dcp": "donchian_channel_pband",
    "ui": "ulcer_index",
    "uo": "ultimate_oscillator",
    "ao": "awesome_oscillator",
    "wr": "williams_r",
    "stoch_rsi": "stochrsi",
    "stoch_rsi_k": "stochrsi_k",
    "stoch_rsi_d": "stochrsi_d",
    "aroon_ind": "aroon_indicator",
    "vortex_ind_pos": "vortex_indicator_pos",
    "vortex_ind_neg": "vortex_indicator_neg",
    "vortex_ind_diff": "vortex_indicator_diff",
    "ichimoku_conv": "ichimoku_conversion_line",
    "ichimoku_base": "ichimoku_base_line",
    "adi": "acc_dist_index",
    "obv": "on_balance_volume",
    "cmf": "chaikin_money_flow",
    "fi": "force_index",
    "em": "ease_of_movement",
    "eom": "ease_of_movement",
    "sma_em": "sma_ease_of_movement",
    "sma_eom": "sma_ease_of_movement",
    "vpt": "volume_price_trend",
    "nvi": "negative_volume_index",
    "mfi": "money_flow_index",
    "vwap": "volume_weighted_average_price",
    "dr": "daily_return",
    "dlr": "daily_log_return",
    "cr": "cumulative_return",
}

_SUFFIX = "_indicator"

#: A method's name without ``_indicator`` (sma, ema, aroon), unless another method has that name:
#: ``bollinger_hband`` is the band, never the 0 or 1 of ``bollinger_hband_indicator``.
SHORTENED: dict[str, str] = {
    output.removesuffix(_SUFFIX): output
    for output in OUTPUTS
    if output.endswith(_SUFFIX) and output.removesuffix(_SUFFIX) not in OUTPUTS
}

#: The other names of `ta`'s own values: ``ta_obv`` as well as ``ta_on_balance_volume``.
_ALIASES_OF_TA: dict[str, str] = {
    TA_PREFIX + name: TA_PREFIX + output
    for name, output in ALIASES.items()
    if TA_PREFIX + output in OUTPUTS
}

#: Every name that a strategy may declare, and its output.
NAMES: dict[str, str] = {
    **SHORTENED,
    **ALIASES,
    **_ALIASES_OF_TA,
    **{output: output for output in OUTPUTS},
}
