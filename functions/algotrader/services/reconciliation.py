"""Owns the check of the account's positions against its desks' books."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from msgspec import Struct

from algotrader.accounting.reconciliation import (
    MOVE_KINDS,
    describe_differences,
    describe_share_changes,
    missing_shares,
    probable_causes,
    shares_of_others,
)
from algotrader.broker import Broker
from algotrader.model import CorporateAction, Position
from algotrader.services.books import Books

#: The run searches this many days of the account's statement for the cause of a difference.
STATEMENT_DAYS = 30


class Reconciliation(Struct, frozen=True):
    """The account's holdings and their owners.

    Attributes
    ----------
    other_desks, causes : dict
        As in the snapshot.
    warnings : tuple of str
        One for each symbol whose shares are missing or became another symbol's shares.
    """

    positions: dict[str, Position]
    other_desks: dict[str, dict[str, Decimal]]
    causes: dict[str, str]
    warnings: tuple[str, ...]


def reconcile(
    broker: Broker,
    books: Books,
    positions: dict[str, Position],
    symbols: Iterable[str],
    actions: Iterable[CorporateAction],
    today: date,
    stack: str,
) -> Reconciliation:
    """Check positions against the books, and find the probable cause of a difference.

    Parameters
    ----------
    positions : dict of str to Position
        Positions read before the books.
    symbols : iterable of str
        Symbols that the desk manages.
    actions : iterable of CorporateAction
        Actions since the last session.
    """
    managed = set(symbols)
    others = shares_of_others(books.others, managed)
    causes: dict[str, str] = {}
    missing = missing_shares(managed, books.ledger, positions, others)
    if missing:
        # Another desk may have bought after this read of the positions but before the books.
        positions = broker.positions()
        missing = missing_shares(managed, books.ledger, positions, others)
    if missing:
        since = datetime.combine(today - timedelta(days=STATEMENT_DAYS), time(), UTC)
        statement = broker.statement(since) or ()
        moves = [each for each in statement if each.kind in MOVE_KINDS and each.qty]
        past = [each for each in books.actions if each.ex_date <= today]
        causes = probable_causes(missing, books.orders, past, moves)
        missing = missing_shares(managed, books.ledger, positions, others, causes)
    return Reconciliation(
        positions=positions,
        other_desks=others,
        causes=causes,
        warnings=(
            *describe_differences(missing, stack),
            *describe_share_changes(actions, books.ledger, stack),
        ),
    )
