"""The committed bars of one symbol as arrays, and the position of a session in them."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from algotrader.indicators import BarArrays
from local.paper_broker.data.history import load

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@cache
def real_bars(symbol: str) -> BarArrays:
    """Return all committed bars of a symbol in shape (time, 1); callers must not change them."""
    bars = load().bars[symbol]
    return BarArrays(
        *(
            np.array([[float(getattr(each, name))] for each in bars])
            for name in ("high", "low", "close", "volume")
        )
    )


def place(symbol: str, session: date) -> int:
    return [bar.session for bar in load().bars[symbol]].index(session)
