"""Owns how a run learns which sales of stops the runs before it have told."""

from __future__ import annotations

from algotrader.accounting.stop_fills import (
    ReportedFills,
    bell_before,
    initial_report,
    report_for_next_run,
    reported_by,
    unreported_fills,
)
from algotrader.adapters.store import Store
from algotrader.errors import InvalidInputError
from algotrader.model import Order
from algotrader.services.books import Books
from fetch_bars.opening import Opening
from fetch_bars.records import record_of_success


def reported_key(desk: str) -> str:
    """Return the key of what a desk's user has been told of its stops."""
    return f"ledger/{desk}-told.json"


def stops_to_tell(opening: Opening, books: Books, store: Store) -> tuple[Order, ...]:
    """Return the sales of the desk's stops that the run is to tell, and note that it looked.

    A run that sends nothing shows them, and leaves the telling to the next one that does.
    """
    run = opening.run
    told = _reported(opening, books, store)
    stopped = unreported_fills(books.orders, run.desk, told)
    if run.sends_orders:
        kept = report_for_next_run(told, books.orders, run.desk, run.journal, opening.clock.now)
        store.write(reported_key(run.desk), kept)
    return stopped


def _reported(opening: Opening, books: Books, store: Store) -> ReportedFills:
    run, rung = opening.run, opening.rung
    kept = _read(store, run.desk)
    if kept is None:
        before = bell_before(
            opening.clock.now, run.session, rung.previous_session, run.slot, opening.settings.slots
        )
        return initial_report(books.orders, run.desk, before)
    if kept.journal == run.journal:
        return kept  # this very run looked before, and has told nothing
    record = record_of_success(store, kept.journal)
    if record is None:
        return kept
    stopped = record.snapshot.stopped if record.snapshot else ()
    orders = record.submission.orders if record.submission else ()
    return kept.with_record(reported_by(kept, stopped, orders))


def _read(store: Store, desk: str) -> ReportedFills | None:
    """Read what was reported; None if it is unreadable, since no order depends on it."""
    try:
        return store.read(reported_key(desk), ReportedFills)
    except (InvalidInputError, ValueError):
        return None
