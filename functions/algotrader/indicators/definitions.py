"""Owns which indicators of the catalog are computed here, and the version of all definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from algotrader.indicators.aroon import aroon_down, aroon_indicator, aroon_up
from algotrader.indicators.arrays import BarArrays, FloatArray, mean, pad
from algotrader.indicators.directional import directional_movement
from algotrader.indicators.momentum import (
    commodity_channel_index,
    rate_of_change,
    relative_strength_index,
    stochastic,
    williams_r,
)
from algotrader.indicators.moving_averages import adaptive_average, exponential_average, macd
from algotrader.indicators.parabolic_sar import last_of_trend, parabolic_sar
from algotrader.indicators.volatility import (
    Channel,
    average_true_range,
    bollinger_bands,
    donchian_channel,
    keltner_channel,
    keltner_channel_of_true_range,
)
from algotrader.indicators.volume import money_flow_index, on_balance_volume
from algotrader.strategy.indicators.entries import Arguments

#: The version of what the names of the catalog mean. Raise it with every change that gives an
#: indicator another value, or makes one undefined: the record of a run has it.
DEFINITIONS_VERSION = 1

#: Outputs that have a value in only one trend. In the other trend they keep their last value, which
#: is missing if the bars have no such trend.
OF_ONE_TREND = frozenset({"psar_up", "psar_down"})

#: By the name of an output: the function that computes it from the values that its class shares.
Outputs: TypeAlias = Mapping[str, Callable[[], FloatArray]]


def _aroon(bars: BarArrays, p: Arguments) -> Outputs:
    return {
        "aroon_up": lambda: aroon_up(bars.high, p.window),
        "aroon_down": lambda: aroon_down(bars.low, p.window),
        "aroon_indicator": lambda: aroon_indicator(bars.high, bars.low, p.window),
    }


def _parabolic_sar(bars: BarArrays, p: Arguments) -> Outputs:
    """``psar_up_indicator`` is 1 for a bar that turned a fall into a rise, else 0."""
    trend = parabolic_sar(bars.high, bars.low, p.step, p.max_step)

    def turns(*, rising: bool) -> FloatArray:
        flags = trend.reverses & (trend.rising == rising)
        return np.where(np.isnan(trend.sar), np.nan, flags)

    return {
        "psar": lambda: trend.sar,
        "psar_up": lambda: last_of_trend(trend, rising=True),
        "psar_down": lambda: last_of_trend(trend, rising=False),
        "psar_up_indicator": lambda: turns(rising=True),
        "psar_down_indicator": lambda: turns(rising=False),
    }


def _directional_movement(bars: BarArrays, p: Arguments) -> Outputs:
    movement = directional_movement(bars, p.window)
    return {
        "adx": lambda: movement.adx,
        "adx_pos": lambda: movement.rising,
        "adx_neg": lambda: movement.falling,
    }


def _on_balance_volume(bars: BarArrays, _: Arguments) -> Outputs:
    return {"on_balance_volume": lambda: on_balance_volume(bars.close, bars.volume)}


def _money_flow_index(bars: BarArrays, p: Arguments) -> Outputs:
    return {"money_flow_index": lambda: money_flow_index(bars, p.window)}


def _simple_average(bars: BarArrays, p: Arguments) -> Outputs:
    return {"sma_indicator": lambda: mean(bars.close, p.window)}


def _exponential_average(bars: BarArrays, p: Arguments) -> Outputs:
    return {"ema_indicator": lambda: exponential_average(bars.close, p.window)}


def _adaptive_average(bars: BarArrays, p: Arguments) -> Outputs:
    return {"kama": lambda: adaptive_average(bars.close, p.window, p.pow1, p.pow2)}


def _macd(bars: BarArrays, p: Arguments) -> Outputs:
    line, signal = macd(bars.close, p.window_fast, p.window_slow, p.window_sign)
    return {
        "macd": lambda: line,
        "macd_signal": lambda: signal,
        "macd_diff": lambda: line - signal,
    }


def _relative_strength_index(bars: BarArrays, p: Arguments) -> Outputs:
    return {"rsi": lambda: relative_strength_index(bars.close, p.window)}


def _rate_of_change(bars: BarArrays, p: Arguments) -> Outputs:
    return {"roc": lambda: rate_of_change(bars.close, p.window)}


def _stochastic(bars: BarArrays, p: Arguments) -> Outputs:
    position = stochastic(bars, p.window)
    return {"stoch": lambda: position, "stoch_signal": lambda: mean(position, p.smooth_window)}


def _williams_r(bars: BarArrays, p: Arguments) -> Outputs:
    return {"williams_r": lambda: williams_r(bars, p.lbp)}


def _commodity_channel_index(bars: BarArrays, p: Arguments) -> Outputs:
    return {"cci": lambda: commodity_channel_index(bars, p.window, p.constant)}


def _average_true_range(bars: BarArrays, p: Arguments) -> Outputs:
    return {"average_true_range": lambda: average_true_range(bars, p.window)}


def _bands(prefix: str, middle: str, channel: Channel, close: FloatArray) -> Outputs:
    """Name the outputs that the channels of Bollinger and of Keltner have in common."""
    return {
        f"{prefix}_{middle}": lambda: channel.middle,
        f"{prefix}_hband": lambda: channel.upper,
        f"{prefix}_lband": lambda: channel.lower,
        f"{prefix}_wband": lambda: channel.width(channel.middle),
        f"{prefix}_pband": lambda: channel.position(close),
        f"{prefix}_hband_indicator": lambda: channel.above(close),
        f"{prefix}_lband_indicator": lambda: channel.below(close),
    }


def _bollinger_bands(bars: BarArrays, p: Arguments) -> Outputs:
    channel = bollinger_bands(bars.close, p.window, p.window_dev)
    return _bands("bollinger", "mavg", channel, bars.close)


def _keltner_channel(bars: BarArrays, p: Arguments) -> Outputs:
    if p.original_version:
        channel = keltner_channel(bars, p.window)
    else:
        channel = keltner_channel_of_true_range(bars, p.window, p.window_atr, p.multiplier)
    return _bands("keltner_channel", "mband", channel, bars.close)


def _donchian_channel(bars: BarArrays, p: Arguments) -> Outputs:
    """Every output is the value from ``offset`` bars before."""
    channel = donchian_channel(bars, p.window)

    def earlier(values: FloatArray) -> FloatArray:
        time = len(values)
        return pad(values[: max(time - p.offset, 0)], time)

    return {
        "donchian_channel_hband": lambda: earlier(channel.upper),
        "donchian_channel_lband": lambda: earlier(channel.lower),
        "donchian_channel_mband": lambda: earlier(channel.middle),
        "donchian_channel_wband": lambda: earlier(channel.width(mean(bars.close, p.window))),
        "donchian_channel_pband": lambda: earlier(channel.position(bars.close)),
    }


#: By the class of `ta`: the function that computes its outputs, each an array of shape (time,
#: symbols).
FORMULAS: Mapping[str, Callable[[BarArrays, Arguments], Outputs]] = {
    "SMAIndicator": _simple_average,
    "EMAIndicator": _exponential_average,
    "KAMAIndicator": _adaptive_average,
    "MACD": _macd,
    "RSIIndicator": _relative_strength_index,
    "ROCIndicator": _rate_of_change,
    "StochasticOscillator": _stochastic,
    "WilliamsRIndicator": _williams_r,
    "CCIIndicator": _commodity_channel_index,
    "AverageTrueRange": _average_true_range,
    "BollingerBands": _bollinger_bands,
    "KeltnerChannel": _keltner_channel,
    "DonchianChannel": _donchian_channel,
    "AroonIndicator": _aroon,
    "ADXIndicator": _directional_movement,
    "PSARIndicator": _parabolic_sar,
    "OnBalanceVolumeIndicator": _on_balance_volume,
    "MFIIndicator": _money_flow_index,
}

#: Classes whose values depend only on the newest bars, as many as the catalog's warm-up counts.
WINDOWED = frozenset(
    {
        "SMAIndicator",
        "ROCIndicator",
        "StochasticOscillator",
        "WilliamsRIndicator",
        "CCIIndicator",
        "BollingerBands",
        "DonchianChannel",
        "AroonIndicator",
        "MFIIndicator",
    }
)
