"""Owns the check that a flatten runs alone, so that no two runs sell the same shares."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from algotrader.adapters.run_lock import active_holder, claimed_since
from algotrader.adapters.store import Store
from algotrader.errors import InvalidInputError
from algotrader.model import Run
from algotrader.model.run import REPORT_SLOT
from algotrader.orders.ids import run_id


def check_alone(run: Run, store: Store) -> None:
    """Refuse a flatten during any run of its session, and any run during a flatten.

    Neither run could see the orders that the other has not sent yet. They might sell the same
    shares twice, the second time from the user's own. Each run claims its slot before this check.
    If two runs start at the same moment, at least one of them finds the other's claim and stops.

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
                "That run is under way or has just ended. Two runs at the same time could sell "
                "the same shares twice, so nothing was traded. Start again one minute after it "
                "ends, or two and a half minutes after it was stopped. algo-trader flatten waits "
                "by itself.",
                run=other.run_id,
                execution=holder.rsplit(":", 1)[-1],
            )


def is_overtaken(run: Run, store: Store) -> bool:
    """Return whether another run of the session may have traded after this run read its data.

    The other run may have sold the shares that this run decided to sell. Any that remain may be the
    user's own.
    """
    return any(claimed_since(store, each, run.started_at) for each in _others(run, store))


def _others(run: Run, store: Store) -> Iterator[Run]:
    """Return the session's other runs whose slot lets them send orders."""
    first = f"runs/{run.session}/{run_id(run.session, '')}"
    for folder in store.folders(f"runs/{run.session}/"):
        slot = folder.removeprefix(first).removesuffix("/")
        if folder.startswith(first) and slot not in {run.slot, REPORT_SLOT}:
            yield replace(run, run_id=run_id(run.session, slot), slot=slot, journal=folder)
