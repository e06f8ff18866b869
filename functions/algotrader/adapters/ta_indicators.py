"""Owns the indicators that `ta` computes; only this module imports `ta`."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from algotrader.indicators import UNDEFINED, BarArrays, FloatArray, carry
from algotrader.indicators.definitions import OF_ONE_TREND
from algotrader.strategy.indicators import ResolvedIndicator
from algotrader.strategy.indicators.entries import TA_PREFIX, Arguments


class TaIndicators:
    """The indicators of `ta` over some bars; outputs of one class share its objects.

    Parameters
    ----------
    bars : BarArrays
        Completed bars, oldest first, of shape (time, symbols).
    """

    def __init__(self, bars: BarArrays) -> None:
        self._bars = bars
        self._made: dict[tuple[object, ...], list[Any]] = {}

    def of(self, wanted: ResolvedIndicator) -> FloatArray:
        """Let `ta` compute an indicator, one symbol at a time, over a RangeIndex from 0.

        With any other index, `ta` appends rows.

        Returns
        -------
        array of shape (time, symbols)
            NaN where the indicator has no value yet, or where its formula does not define one.
        """
        ta_class = wanted.ta_class
        output = wanted.output.removeprefix(TA_PREFIX)
        key = (ta_class.name, *wanted.arguments.values())
        with warnings.catch_warnings():
            # numpy warns of 0/0 in some formulas; the caller checks every value that it uses.
            warnings.simplefilter("ignore", RuntimeWarning)
            if key not in self._made:
                make = getattr(importlib.import_module(f"ta.{ta_class.group}"), ta_class.name)
                self._made[key] = [
                    make(**inputs, **wanted.arguments)
                    for inputs in self._columns_of_symbols(ta_class.inputs)
                ]
            series = [getattr(each, output)() for each in self._made[key]]
        time = range(len(self._bars.close))
        values = np.array([each.reindex(time) for each in series], dtype=np.float64).T
        if output in OF_ONE_TREND:
            values = carry(values)
        if wanted.output in UNDEFINED:
            undefined = UNDEFINED[wanted.output](self._bars, Arguments(wanted.arguments))
            values = np.where(undefined, np.nan, values)
        return values

    def _columns_of_symbols(self, names: tuple[str, ...]) -> Iterator[dict[str, pd.Series]]:
        for symbol in range(self._bars.close.shape[1]):
            yield {name: pd.Series(getattr(self._bars, name)[:, symbol]) for name in names}
