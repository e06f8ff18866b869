"""Owns the market data: real daily bars of a few stocks, and symbols computed from them."""

from local.paper_broker.data.computed import FUND, MAX_SYNTHETIC, sample_history, synthetic_symbol
from local.paper_broker.data.history import DailyBar, Dividend, History, Hours, Listing, Split, load

__all__ = [
    "FUND",
    "MAX_SYNTHETIC",
    "DailyBar",
    "Dividend",
    "History",
    "Hours",
    "Listing",
    "Split",
    "load",
    "sample_history",
    "synthetic_symbol",
]
