"""Owns the market data: real daily bars, symbols computed from them, and synthetic minutes."""

from local.paper_broker.data.computed import FUND, MAX_SYNTHETIC, sample_history, synthetic_symbol
from local.paper_broker.data.history import DailyBar, Dividend, History, Hours, Listing, Split, load
from local.paper_broker.data.minutes import MinuteBar, synthetic_minutes

__all__ = [
    "FUND",
    "MAX_SYNTHETIC",
    "DailyBar",
    "Dividend",
    "History",
    "Hours",
    "Listing",
    "MinuteBar",
    "Split",
    "load",
    "sample_history",
    "synthetic_minutes",
    "synthetic_symbol",
]
