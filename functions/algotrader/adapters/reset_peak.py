"""Owns the object by which a person asks for a new peak to count the drawdown from."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

RESET_KEY = "ledger/reset-peak.json"


class ResetPeak(Struct, frozen=True):
    """When a person asked; `algo-trader resume --reset-peak` writes it, Fetch Bars reads it."""

    at: datetime
