"""Owns which stop fills a run reports: those that no earlier run has reported."""

from __future__ import annotations

from algotrader.accounting.stop_fills import (
    ReportedFills,
    initial_report,
    previous_bell,
    report_for_next_run,
    reported_sales,
    unreported_fills,
)
from algotrader.adapters.store import Store
from algotrader.model import Order
from algotrader.services.books import Books, reported_key
from algotrader.services.records import record_of_success
from fetch_bars.opening import Opening


def stop_fills_to_report(opening: Opening, books: Books, store: Store) -> tuple[Order, ...]:
    """Return the fills of the desk's stops that the run must report; note that it read them.

    A run that sends no orders shows them too, but the next one that does reports them again.
    """
    run = opening.run
    reported = _reported(opening, books, store)
    stopped = unreported_fills(books.orders, run.desk, reported)
    if run.sends_orders:
        kept = report_for_next_run(reported, books.orders, run.desk, run.journal, opening.clock.now)
        store.write(reported_key(run.desk), kept)
    return stopped


def _reported(opening: Opening, books: Books, store: Store) -> ReportedFills:
    run, opened = opening.run, opening.opened
    # No order depends on it, so the desk starts again from an object that it cannot read.
    kept = store.try_read(reported_key(run.desk), ReportedFills).value
    if kept is None:
        before = previous_bell(
            opening.clock.now,
            run.session,
            opened.previous_session,
            run.slot,
            opening.settings.slots,
        )
        return initial_report(books.orders, run.desk, before)
    if kept.journal == run.journal:
        return kept  # this run has read them before, and has reported nothing yet
    record = record_of_success(store, kept.journal)
    if record is None:
        return kept
    stopped = record.snapshot.stopped if record.snapshot else ()
    orders = record.submission.orders if record.submission else ()
    return kept.with_record(reported_sales(kept, stopped, orders))
