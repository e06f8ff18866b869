"""Owns the key of a run's record, and the part of the record that a later run reads."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from algotrader.adapters.store import Store
from algotrader.model import Order, Submission


class ReportedSnapshot(Struct, frozen=True):
    """The part of a record's snapshot that says which stops had sold."""

    stopped: tuple[Order, ...] = ()


class ReportedRun(Struct, frozen=True):
    """The part of ``record.json`` that says what a run reported."""

    failure: Any = None
    snapshot: ReportedSnapshot | None = None
    submission: Submission | None = None


def record_key(journal: str) -> str:
    """Return the key of a run's record below the prefix of the run's journal."""
    return f"{journal}record.json"


def record_of_success(store: Store, journal: str) -> ReportedRun | None:
    """Read a successful run's record.

    Return None if the run failed or the record is unreadable.
    """
    record = store.try_read(record_key(journal), ReportedRun).value
    return None if record is None or record.failure is not None else record
