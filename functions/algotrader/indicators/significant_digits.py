"""Owns the rounding of features, so that every machine decides on the same numbers."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import FloatArray

#: The last digits may differ between builds of numpy, but a decision must not.
SIGNIFICANT_DIGITS = 10

#: The powers of ten that a float holds exactly.
_POWERS = np.array([float(10**each) for each in range(23)])


def round_values(values: FloatArray) -> FloatArray:
    """Round to ten significant digits; minus zero becomes zero.

    The result has the same bits as ``float(f"{value:.10g}")``. A value is scaled to ten digits
    before the point, rounded to an integer, and scaled back. An exact integer over an exact power
    of ten is the float that is nearest to the decimal number (W. D. Clinger, "How to Read Floating
    Point Numbers Accurately", 1990). Scaling rounds only once, so it moves no value past the middle
    between two integers. Python's own formatting rounds the values that scaling moves onto the
    middle, and those that need another power of ten, such as 0.

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
        is_certain = is_scalable & (np.abs(scaled - whole) != 0.5)  # noqa: PLR2004 - the middle
        result: FloatArray = np.where(exponents < 0, whole * powers, whole / powers)
    for place in zip(*np.nonzero(~is_certain), strict=True):
        result[place] = round_value(float(values[place]))
    return result


def round_value(value: float) -> float:
    """Round one value as `round_values` does."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
