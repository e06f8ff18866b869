"""Owns the mutual exclusion of a flatten and other runs, so that no two sell the same shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from algotrader.adapters.run_lock import active_holder, claimed_since
from algotrader.adapters.store import Store
from algotrader.errors import InvalidInputError
from algotrader.model import Run
from algotrader.model.run import REPORT_SLOT
from algotrader.orders.ids import run_id


def check_alone(run: Run, store: Store) -> None:
    """Refuse a flatten during any run of its session, and any run during a flatten.

    Neither would see the orders that the other has yet to send. Both would sell the same shares,
    and so also the user's own. The run has its claim by now: if two start at the same instant, each
    sees the other's claim. Both may give up, but at least one does.

    Raises
    ------
    InvalidInputError
        ``RUN_UNDER_WAY``.
    """
    for other in _others(run, store):
        if not (run.is_flatten or other.is_flatten):
            continue
        holder = active_holder(store, other)
        if holder is not None:
            raise InvalidInputError(
                "RUN_UNDER_WAY",
                "It is under way or has just ended. Two runs at once would sell the same shares "
                "twice, so nothing was traded. Wait one minute after its end, or two and a half "
                "if it was stopped, then start again. algo-trader flatten waits by itself.",
                run=other.run_id,
                execution=holder.rsplit(":", 1)[-1],
            )


def is_overtaken(run: Run, store: Store) -> bool:
    """Return whether another run of the session has traded since this one gathered.

    The shares that this run decided to sell may be sold by now, and the rest may be the user's own.
    """
    return any(claimed_since(store, each, run.started_at) for each in _others(run, store))


def _others(run: Run, store: Store) -> Iterator[Run]:
    """Return the other runs of the session that may send orders, judging by their names."""
    first = f"runs/{run.session}/{run_id(run.session, '')}"
    for folder in store.folders(f"runs/{run.session}/"):
        slot = folder.removeprefix(first).removesuffix("/")
        if folder.startswith(first) and slot not in {run.slot, REPORT_SLOT}:
            yield replace(run, run_id=run_id(run.session, slot), slot=slot, journal=folder)
