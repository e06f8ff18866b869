"""Owns how a run learns which sales of stops the runs before it have told."""

from __future__ import annotations

from algotrader.accounting.stop_fills import (
    Told,
    bell_before,
    first_told,
    kept_for_next,
    sold_by,
    untold,
)
from algotrader.adapters.store import Artifacts
from algotrader.errors import InvalidInputError
from algotrader.model import Order
from algotrader.services.books import Books
from fetch_bars.opening import Opening
from fetch_bars.records import record_of_success


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
    kept = _read(artifacts, run.desk)
    if kept is None:
        before = bell_before(
            opening.clock.now, run.session, rung.previous_session, run.slot, opening.settings.slots
        )
        return first_told(books.orders, run.desk, before)
    if kept.journal == run.journal:
        return kept  # this very run looked before, and has told nothing
    record = record_of_success(artifacts, kept.journal)
    if record is None:
        return kept
    stopped = record.snapshot.stopped if record.snapshot else ()
    orders = record.submission.orders if record.submission else ()
    return kept.with_record(sold_by(kept, stopped, orders))


def _read(artifacts: Artifacts, desk: str) -> Told | None:
    """Read what was reported; None if it is unreadable, since no order depends on it."""
    try:
        return artifacts.read(told_key(desk), Told)
    except (InvalidInputError, ValueError):
        return None
