"""Owns the list of shares that people gave to a stack's desks or took from them."""

from __future__ import annotations

from algotrader.adapters.store import Store
from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.model import Adjustment

#: One list for all of a stack's desks, so that one write can move shares between desks.
ADJUSTMENTS_KEY = "ledger/adjustments.json"


def read_adjustments(store: Store, at_least: int = 0) -> tuple[tuple[Adjustment, ...], str | None]:
    """Read the list, possibly empty, and the tag that `add_adjustments` needs.

    Parameters
    ----------
    at_least : int
        The number of entries that the list had before; no entry is ever removed.

    Raises
    ------
    ConfigurationError
        ``ADJUSTMENTS_UNREADABLE``: without the list the desk might sell shares that it does not
        own.
    """
    try:
        found = store.read_with_tag(ADJUSTMENTS_KEY, tuple[Adjustment, ...])
    except (InvalidInputError, ValueError) as error:
        raise _unreadable(str(error)) from error
    adjustments, tag = found or ((), None)
    if len(adjustments) < at_least:
        raise _unreadable(f"it had {at_least} entries and now has {len(adjustments)}")
    for each in adjustments:
        if not each.qty.is_finite() or not each.qty or not each.price.is_finite():
            raise _unreadable(f"{each.id} is not a number of shares")
    return adjustments, tag


def add_adjustments(
    store: Store, known: tuple[Adjustment, ...], tag: str | None, added: tuple[Adjustment, ...]
) -> bool:
    """Add all entries to the list, or none; return False if the list has changed since the read."""
    whole = (*known, *added)
    if tag is None:
        written = store.create(ADJUSTMENTS_KEY, whole)
    else:
        written = store.replace(ADJUSTMENTS_KEY, whole, tag)
    # If a retry follows a successful write, the retry's condition fails, but our entries are there.
    return written or set(added) <= set(read_adjustments(store)[0])


def _unreadable(problem: str) -> ConfigurationError:
    return ConfigurationError(
        "ADJUSTMENTS_UNREADABLE",
        "It lists the shares that you gave to the desk and took from it. Restore an earlier "
        "version with algo-trader restore adjustments.json.",
        key=ADJUSTMENTS_KEY,
        problem=f'"{problem}"',
    )
