"""Owns the indicators' formulas on arrays of shape (time, symbols), and where they are undefined.

`algotrader.strategy.indicators` has their names, parameters and warm-ups, and does not need numpy.
"""

from algotrader.indicators.arrays import BarArrays, FloatArray, carry
from algotrader.indicators.definitions import DEFINITIONS_VERSION, FORMULAS
from algotrader.indicators.rounding import UNDEFINED

__all__ = ["DEFINITIONS_VERSION", "FORMULAS", "UNDEFINED", "BarArrays", "FloatArray", "carry"]
