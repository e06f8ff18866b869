"""Owns what a run reads of the record of a run before it: whether it ended well, and its stops."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from algotrader.adapters.store import Store
from algotrader.errors import InvalidInputError
from algotrader.model import Order, Submission


class PriorSnapshot(Struct, frozen=True):
    """What a run's snapshot says of stops."""

    stopped: tuple[Order, ...] = ()


class PriorRecord(Struct, frozen=True):
    """What a run's ``record.json`` says of what it reported."""

    failure: Any = None
    snapshot: PriorSnapshot | None = None
    submission: Submission | None = None


def record_of_success(store: Store, journal: str) -> PriorRecord | None:
    """Read the record of a run that ended well; None if it failed, or its record is unreadable."""
    try:
        record = store.read(f"{journal}record.json", PriorRecord)
    except (InvalidInputError, ValueError):
        return None
    return None if record is None or record.failure is not None else record
