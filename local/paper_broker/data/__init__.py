"""Owns real market data to run on: daily bars, splits and dividends of a few stocks."""

from local.paper_broker.data.history import DailyBar, Dividend, History, Hours, Listing, Split, load

__all__ = ["DailyBar", "Dividend", "History", "Hours", "Listing", "Split", "load"]
