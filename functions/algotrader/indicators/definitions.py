"""Owns which indicators of the catalog are computed here, and the version of all definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from algotrader.indicators.aroon import aroon_down, aroon_indicator, aroon_up
from algotrader.indicators.arrays import BarArrays, FloatArray
from algotrader.indicators.directional import directional_movement
from algotrader.indicators.parabolic_sar import last_of_trend, parabolic_sar
from algotrader.indicators.volume import money_flow_index, on_balance_volume
from algotrader.strategy.indicators.entries import Arguments

#: The version of what the names of the catalog mean. Raise it with every change that gives an
#: indicator another value, or makes one undefined: the record of a run has it.
DEFINITIONS_VERSION = 1


def _aroon(bars: BarArrays, p: Arguments) -> dict[str, FloatArray]:
    return {
        "aroon_up": aroon_up(bars.high, p.window),
        "aroon_down": aroon_down(bars.low, p.window),
        "aroon_indicator": aroon_indicator(bars.high, bars.low, p.window),
    }


def _parabolic_sar(bars: BarArrays, p: Arguments) -> dict[str, FloatArray]:
    """``psar_up_indicator`` is 1 for a bar that turned a fall into a rise, else 0."""
    trend = parabolic_sar(bars.high, bars.low, p.step, p.max_step)
    known = ~np.isnan(trend.sar)
    return {
        "psar": trend.sar,
        "psar_up": last_of_trend(trend, rising=True),
        "psar_down": last_of_trend(trend, rising=False),
        "psar_up_indicator": np.where(known, trend.reverses & trend.rising, np.nan),
        "psar_down_indicator": np.where(known, trend.reverses & ~trend.rising, np.nan),
    }


def _directional_movement(bars: BarArrays, p: Arguments) -> dict[str, FloatArray]:
    movement = directional_movement(bars, p.window)
    return {"adx": movement.adx, "adx_pos": movement.rising, "adx_neg": movement.falling}


def _on_balance_volume(bars: BarArrays, _: Arguments) -> dict[str, FloatArray]:
    return {"on_balance_volume": on_balance_volume(bars.close, bars.volume)}


def _money_flow_index(bars: BarArrays, p: Arguments) -> dict[str, FloatArray]:
    return {"money_flow_index": money_flow_index(bars, p.window)}


#: By the class of `ta`: all its outputs, each an array of shape (time, symbols).
OWN: Mapping[str, Callable[[BarArrays, Arguments], dict[str, FloatArray]]] = {
    "AroonIndicator": _aroon,
    "ADXIndicator": _directional_movement,
    "PSARIndicator": _parabolic_sar,
    "OnBalanceVolumeIndicator": _on_balance_volume,
    "MFIIndicator": _money_flow_index,
}
