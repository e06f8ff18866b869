"""Owns the desk's position in a symbol: the shares that it owns, and those that it may sell."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct, field

from algotrader.model import Holding, Position
from algotrader.model.units import NO_SHARES, ZERO, Shares, finite

NO_OTHERS: Mapping[str, Shares] = MappingProxyType({})


class DeskPosition(Struct, frozen=True):
    """The desk's shares of a symbol, and the account's.

    Attributes
    ----------
    book_qty, account_qty : Decimal
        Shares in the desk's books, and in the account; negative if short.
    held : Decimal
        The shares in the desk's books, but at most the account's shares less other desks' shares;
        never below 0.
    sellable : Decimal
        The part of ``held`` that no open order other than the desk's own stops reserves.
    others : Mapping of str to Decimal
        By desk: shares that other desks own; only quantities above 0.
    cause : str
        Possible cause of a difference between account and books, or an empty string if unknown.
    """

    symbol: str
    book_qty: Shares
    account_qty: Shares
    held: Shares
    sellable: Shares
    others: Mapping[str, Shares] = field(default_factory=dict)
    cause: str = ""

    @property
    def theirs(self) -> Shares:
        """Shares of all other desks together."""
        return Shares(sum(self.others.values(), ZERO))

    @property
    def differs(self) -> bool:
        """Whether the account has fewer shares than the desks' books; a surplus is the user's."""
        return self.book_qty < 0 or self.book_qty + self.theirs > self.account_qty


def desk_position(
    symbol: str,
    holdings: Mapping[str, Holding],
    positions: Mapping[str, Position],
    others: Mapping[str, Decimal] = NO_OTHERS,
    cause: str = "",
    released: Shares = NO_SHARES,
) -> DeskPosition:
    """Compute the desk's position in a symbol; numbers that are not finite count as 0.

    Parameters
    ----------
    others : Mapping of str to Decimal
        By desk: shares of the symbol that other desks own. If shares are missing, nobody knows
        whose they were, so no desk sells shares that may belong to another desk.
    released : Shares
        Shares that the desk's own resting stops reserve; canceling the stops frees them.
    """
    holding, position = holdings.get(symbol), positions.get(symbol)
    book = finite(holding.qty) if holding else ZERO
    account = finite(position.qty) if position else ZERO
    available = (finite(position.qty_available) if position else ZERO) + released
    theirs = {desk: Shares(owned) for desk, qty in others.items() if (owned := finite(qty)) > 0}
    held = max(min(book, account - sum(theirs.values(), ZERO)), ZERO)
    return DeskPosition(
        symbol=symbol,
        book_qty=Shares(book),
        account_qty=Shares(account),
        held=Shares(held),
        sellable=Shares(max(min(held, available), ZERO)),
        others=theirs,
        cause=cause,
    )
