"""Owns the rounding of features, so that every machine decides on the same numbers."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import FloatArray

#: The last digits may differ between builds of numpy, but a decision must not.
SIGNIFICANT_DIGITS = 10

_SMALLEST, _LARGEST = 10.0 ** (SIGNIFICANT_DIGITS - 1), 10.0**SIGNIFICANT_DIGITS

#: The powers of ten that a float holds exactly.
_POWERS = 10.0 ** np.arange(23)

#: How close to the middle between two digits a scaled value may be. Scaling moves it by 2e-6.
_MIDDLE = 1e-5


def round_values(values: FloatArray) -> FloatArray:
    """Round to ten significant digits; minus zero becomes zero.

    The result has the same bits as ``float(f"{value:.10g}")``. A value is scaled to an integer of
    ten digits, rounded, and scaled back: an exact integer over an exact power of ten is the float
    that is nearest to the decimal number (W. D. Clinger, "How to Read Floating Point Numbers
    Accurately", 1990). Python's own formatting rounds the few values for which this is not certain.

    Parameters
    ----------
    values : array of float
        Of any shape; NaN and infinity stay as they are.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponents = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        is_scalable = np.abs(exponents) < len(_POWERS)
        powers = _POWERS[np.where(is_scalable, np.abs(exponents), 0).astype(np.intp)]
        scaled = np.where(exponents < 0, values / powers, values * powers)
        whole = np.rint(scaled)
        size = np.abs(scaled)
        is_certain = (
            is_scalable
            & (size >= _SMALLEST)
            & (size < _LARGEST)
            & (np.abs(np.abs(scaled - whole) - 0.5) > _MIDDLE)
        )
        result: FloatArray = np.where(exponents < 0, whole * powers, whole / powers)
    for place in zip(*np.nonzero(~is_certain), strict=True):
        result[place] = round_value(float(values[place]))
    return result


def round_value(value: float) -> float:
    """Round one value as `round_values` does."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
