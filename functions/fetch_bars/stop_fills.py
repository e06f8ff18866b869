"""Owns the choice of the stop fills that a run reports: those that no earlier run reported."""

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
    """Return the desk's stop fills that this run must report, and store that the run read them.

    A run that sends no orders stores nothing, so the next run reports the same fills again.
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
    # No order depends on this object, so if it is unreadable, the desk starts a new one.
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
        return kept  # an earlier attempt of this run read the fills but did not report them
    record = record_of_success(store, kept.journal)
    if record is None:
        return kept
    stopped = record.snapshot.stopped if record.snapshot else ()
    orders = record.submission.orders if record.submission else ()
    return kept.with_record(reported_sales(kept, stopped, orders))
