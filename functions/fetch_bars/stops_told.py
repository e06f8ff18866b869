"""Owns how a run learns which sales of stops the runs before it have told."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct

from algotrader.adapters.artifacts import Artifacts
from algotrader.errors import InvalidInputError
from algotrader.model import Order, Submission
from algotrader.stop_sales import Told, bell_before, first_told, kept_for_next, sold_by, untold
from fetch_bars.books import Books
from fetch_bars.opening import Opening

T = TypeVar("T")


class _Looked(Struct, frozen=True):
    """What a run's snapshot says of stops."""

    stopped: tuple[Order, ...] = ()


class _Record(Struct, frozen=True):
    """What a run's ``record.json`` says of what it told."""

    failure: Any = None
    snapshot: _Looked | None = None
    submission: Submission | None = None


def told_key(desk: str) -> str:
    """Give the key of what a desk's user has been told of its stops."""
    return f"ledger/{desk}-told.json"


def stops_to_tell(opening: Opening, books: Books, artifacts: Artifacts) -> tuple[Order, ...]:
    """Give the sales of the desk's stops that the run is to tell, and note that it looked.

    A run that sends nothing shows them, and leaves the telling to the next one that does.
    """
    run = opening.run
    told = _told(opening, books, artifacts)
    stopped = untold(books.orders, run.desk, told)
    if run.sends_orders:
        kept = kept_for_next(told, books.orders, run.desk, run.journal, opening.clock.now)
        artifacts.write(told_key(run.desk), kept)
    return stopped


def _told(opening: Opening, books: Books, artifacts: Artifacts) -> Told:
    run, rung = opening.run, opening.rung
    kept = _read(artifacts, told_key(run.desk), Told)
    if kept is None:
        before = bell_before(
            opening.clock.now, run.session, rung.previous_session, run.slot, opening.settings.slots
        )
        return first_told(books.orders, run.desk, before)
    if kept.journal == run.journal:
        return kept  # this very run looked before, and has told nothing
    record = _read(artifacts, f"{kept.journal}record.json", _Record)
    if record is None or record.failure is not None:
        return kept
    stopped = record.snapshot.stopped if record.snapshot else ()
    orders = record.submission.orders if record.submission else ()
    return kept.with_record(sold_by(kept, stopped, orders))


def _read(artifacts: Artifacts, key: str, kind: type[T]) -> T | None:
    """Read an object; one that cannot be understood says nothing, and no order depends on it."""
    try:
        return artifacts.read(key, kind)
    except (InvalidInputError, ValueError):
        return None
