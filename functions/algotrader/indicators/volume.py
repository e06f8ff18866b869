"""Owns the indicators of volume."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import FloatArray


def on_balance_volume(close: FloatArray, volume: FloatArray) -> FloatArray:
    """Compute the on-balance volume, which starts with the first bar's volume.

    A bar adds its volume if its close is above the close before, subtracts it if below, and changes
    nothing if both are equal.

    Parameters
    ----------
    close, volume : array of shape (time, symbols)
        Dollars and shares, without NaN.

    Returns
    -------
    array of shape (time, symbols)
        Shares; a value from the first bar on.

    Notes
    -----
    J. Granville, "Granville's New Key to Stock Market Profits" (1963). TA-Lib's ``OBV`` is the
    same.
    """
    signed = np.sign(np.diff(close, axis=0)) * volume[1:]
    total: FloatArray = np.cumsum(np.concatenate([volume[:1], signed]), axis=0)
    return total
