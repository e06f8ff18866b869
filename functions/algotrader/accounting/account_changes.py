"""Owns the check for changes of account and settings between a decision and its take-over."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from algotrader.model import (
    Account,
    Decision,
    Order,
    Position,
    Settings,
    Side,
    Snapshot,
    parameter_of,
)
from algotrader.model.units import CENT, ZERO

# Brokers round an average price to a few decimals, and cash to cents.
_PRICE_ROUNDING = Decimal("0.0001")


def account_changes(
    decision: Decision,
    snapshot: Snapshot,
    account: Account,
    positions: dict[str, Position],
    orders: Iterable[Order],
) -> tuple[str, ...]:
    """Return an account's changes since a decision, except those that its orders explain.

    Parameters
    ----------
    snapshot : Snapshot
        The account at the decision.
    account, positions
        The current account and positions.
    orders : iterable of Order
        The account's current orders. Only orders that the decision names count.

    Returns
    -------
    tuple of str
        One phrase for each changed symbol, in shares, and one for changed cash, in dollars.
    """
    ids = {*decision.cancels, *(each.client_order_id for each in decision.stops)}
    ids |= {each.client_order_id for each in (*decision.exits, *decision.entries)}
    shares = {symbol: each.qty for symbol, each in snapshot.positions.items()}
    cash, slack = snapshot.account.cash, CENT
    for order in orders:
        if order.client_order_id not in ids:
            continue
        filled = order.filled_qty - decision.filled_before.get(order.client_order_id, ZERO)
        bought = filled if order.side is Side.BUY else -filled
        shares[order.symbol] = shares.get(order.symbol, ZERO) + bought
        cash -= bought * (order.filled_avg_price or ZERO)
        slack += CENT + filled * _PRICE_ROUNDING
    found = []
    for symbol in sorted({*shares, *positions}):
        there = positions[symbol].qty if symbol in positions else ZERO
        expected = shares.get(symbol, ZERO)
        if there != expected:
            found.append(f"{there:f} {symbol} instead of {expected:f}")
    if abs(account.cash - cash) > slack:
        found.append(f"cash {account.cash:.2f} instead of {cash:.2f}")
    return tuple(found)


def settings_changes(before: Settings, now: Settings) -> tuple[str, ...]:
    """Return the names of the template's parameters that changed since a run began.

    A changed comment in a list of symbols does not count.
    """
    return tuple(
        parameter_of(each)
        for each in Settings.__struct_fields__
        if each != "universes" and getattr(before, each) != getattr(now, each)
    )
