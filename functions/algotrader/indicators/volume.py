"""Owns the indicators of volume."""

from __future__ import annotations

import numpy as np

from algotrader.indicators.arrays import (
    BarArrays,
    FloatArray,
    over_windows,
    pad,
    typical_price,
    vanishes,
)


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


def money_flow_index(bars: BarArrays, window: int) -> FloatArray:
    """Compute the money flow index: 100 if all money flowed in, 0 if all flowed out.

    A bar's money flow is its typical price times its volume. It flows in if the typical price is
    above that of the bar before, out if below, and not at all if both are equal but for rounding.

    Parameters
    ----------
    bars : BarArrays
        Without NaN.
    window : int
        Bars whose money flows count, at least 1.

    Returns
    -------
    array of shape (time, symbols)
        Percent, 0 to 100. NaN in the first ``window`` rows, and where no money flowed.

    Notes
    -----
    G. Quong and A. Soudack, "Volume-Weighted RSI: Money Flow", Stocks & Commodities 7:3 (1989).
    ``ta`` and TA-Lib compare typical prices without allowing for rounding: in floats, prices of
    10.1, 10.2 and 10.0 can add up to more than 10.3, 9.9 and 10.1.
    """
    price = typical_price(bars)
    change = np.diff(price, axis=0)
    direction = np.where(vanishes(change, price[1:]), 0, np.sign(change))
    flow = price[1:] * bars.volume[1:]
    inflow = over_windows(np.add, flow * (direction > 0), window)
    outflow = over_windows(np.add, flow * (direction < 0), window)
    with np.errstate(invalid="ignore"):
        return pad(100 * inflow / (inflow + outflow), len(price))
