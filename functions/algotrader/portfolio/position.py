"""Owns the desk's position in a symbol: what its books say of it, and what it may sell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from algotrader.model import Holding, Position
from algotrader.model.units import ZERO, finite

NO_OTHERS: Mapping[str, Decimal] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DeskPosition:
    """What the desk has of a symbol, beside what the account has; shares.

    Attributes
    ----------
    book_qty, account_qty : Decimal
        What the desk's books say, and the account's position; short is negative.
    held : Decimal
        The desk's part of the position: its ledger, or what other desks leave of the position when
        that is less; never below 0.
    sellable : Decimal
        The part of ``held`` that no open order keeps but the desk's own stops.
    others : Mapping of str to Decimal
        By desk: what other desks own by their own orders, above 0.
    cause : str
        What may have made the account differ from the books; empty if nothing tells.
    """

    symbol: str
    book_qty: Decimal
    account_qty: Decimal
    held: Decimal
    sellable: Decimal
    others: Mapping[str, Decimal] = field(default_factory=dict)
    cause: str = ""

    @property
    def theirs(self) -> Decimal:
        """What all other desks own together."""
        return sum(self.others.values(), ZERO)

    @property
    def differs(self) -> bool:
        """Whether the account lacks what the desks' books say; what it has beyond is the user's."""
        return self.book_qty < 0 or self.book_qty + self.theirs > self.account_qty


def desk_position(
    symbol: str,
    holdings: Mapping[str, Holding],
    positions: Mapping[str, Position],
    others: Mapping[str, Decimal] = NO_OTHERS,
    cause: str = "",
    released: Decimal = ZERO,
) -> DeskPosition:
    """Tell the desk's stake in a symbol; numbers that are not finite count as 0.

    Parameters
    ----------
    others : Mapping of str to Decimal
        By desk: shares of the symbol that other desks own. When the account lacks some, nobody
        knows whose they were: no desk then sells what may be another's.
    released : Decimal
        Shares that the desk's own resting stops keep: they are free once these are canceled.
    """
    holding, position = holdings.get(symbol), positions.get(symbol)
    ledger = finite(holding.qty) if holding else ZERO
    broker = finite(position.qty) if position else ZERO
    available = (finite(position.qty_available) if position else ZERO) + released
    theirs = {desk: shares for desk, qty in others.items() if (shares := finite(qty)) > 0}
    held = max(min(ledger, broker - sum(theirs.values(), ZERO)), ZERO)
    tradable = max(min(held, available), ZERO)
    return DeskPosition(symbol, ledger, broker, held, tradable, theirs, cause)
