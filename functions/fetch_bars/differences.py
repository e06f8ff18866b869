"""Owns how the account at the bell is held against the desks' books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from algotrader.accounting import reconciliation as ownership
from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.model import CorporateAction, Position
from algotrader.services.books import Books

#: The account's statement is looked at so far back for what may explain a difference.
STATEMENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What the account has, and whose it is.

    Attributes
    ----------
    other_desks, causes : dict
        As in the snapshot.
    warnings : tuple of str
        One for each symbol of which the account lacks some, or that was turned into another.
    """

    positions: dict[str, Position]
    other_desks: dict[str, dict[str, Decimal]]
    causes: dict[str, str]
    warnings: tuple[str, ...]


def compare(
    broker: AlpacaBroker,
    books: Books,
    positions: dict[str, Position],
    symbols: Iterable[str],
    actions: Iterable[CorporateAction],
    today: date,
    stack: str,
) -> Reconciled:
    """Check positions against the books, and look for what may explain a difference.

    Parameters
    ----------
    positions : dict of str to Position
        As they were before the books were read.
    symbols : iterable of str
        Those that the desk manages.
    actions : iterable of CorporateAction
        Those since the last session.
    """
    managed = set(symbols)
    others = ownership.shares_of_others(books.others, managed)
    causes: dict[str, str] = {}
    lacking = ownership.missing_shares(managed, books.ledger, positions, others)
    if lacking:
        # Another desk may have bought between the two looks: the books knew of it, this did not.
        positions = broker.positions()
        lacking = ownership.missing_shares(managed, books.ledger, positions, others)
    if lacking:
        since = datetime.combine(today - timedelta(days=STATEMENT_DAYS), time(), UTC)
        statement = broker.statement(since) or ()
        moves = [each for each in statement if each.kind in ownership.MOVE_KINDS and each.qty]
        causes = ownership.probable_causes(lacking, books.orders, books.actions, moves)
        lacking = ownership.missing_shares(managed, books.ledger, positions, others, causes)
    return Reconciled(
        positions=positions,
        other_desks=others,
        causes=causes,
        warnings=(
            *ownership.describe_differences(lacking, stack),
            *ownership.describe_share_changes(actions, books.ledger, stack),
        ),
    )
