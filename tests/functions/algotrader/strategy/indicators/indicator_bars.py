"""Owns bars for the indicator tests: random ones from a seed, and real ones."""

from __future__ import annotations

from array import array
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from algotrader.indicators import BarArrays
from algotrader.model import Bars
from local.paper_broker.data.history import load

COLUMNS = ("open", "high", "low", "close", "volume")


def random_frame(seed: int, bars: int, volatility: float = 0.02) -> pd.DataFrame:
    """Return a random walk with overnight gaps, whose range extends beyond open and close."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0003, volatility, bars)))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0, volatility / 3, bars))
    beyond = np.exp(np.abs(rng.normal(0, volatility / 3, (2, bars))))
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * beyond[0],
            "low": np.minimum(opened, close) / beyond[1],
            "close": close,
            "volume": np.round(np.exp(rng.normal(15, 0.5, bars))),
        }
    )


def real_frame(symbol: str, end: date, bars: int) -> pd.DataFrame:
    """Return a symbol's committed bars up to a session."""
    rows = [bar for bar in load().bars[symbol] if bar.session <= end][-bars:]
    return pd.DataFrame({name: [float(getattr(bar, name)) for bar in rows] for name in COLUMNS})


def columns(frame: pd.DataFrame) -> Bars:
    """Convert a frame to Bars with one session a day from 2001."""
    return Bars(
        timeframe="1Day",
        at=tuple(
            datetime(2001, 1, 1, 14, 30, tzinfo=UTC) + timedelta(days=day)
            for day in range(len(frame))
        ),
        **{name: array("d", frame[name].tolist()) for name in COLUMNS},
    )


def arrays(*frames: pd.DataFrame) -> BarArrays:
    """Put frames of equal length next to each other, one column per symbol."""
    return BarArrays(
        *(np.column_stack([each[name] for each in frames]) for name in COLUMNS if name != "open")
    )
