"""Owns what the desk owns: a fold over its own orders and the splits between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

from algotrader.ids import desk_prefix
from algotrader.model import CorporateAction, Holding, Ledger, Order, Side
from algotrader.sizing import FRACTION_STEP, MONEY, tidy

# An order may be listed a little later than it was submitted: a checkpoint stays behind by this
# much, and whatever came after it is folded again the next time.
LISTING_LAG = timedelta(hours=1)

# Far above what a ratio of 28 digits is off by, far below the finest quantity.
_RATIO_NOISE = Decimal("1e-14")

_NOTHING = Holding(qty=Decimal(0), cost=Decimal(0))


def empty(desk: str) -> Ledger:
    """Give the ledger of a desk that never traded."""
    return Ledger(desk=desk, through=None, holdings={})


def fold(
    ledger: Ledger,
    orders: Iterable[Order],
    splits: Iterable[CorporateAction],
    through: datetime,
) -> Ledger:
    """Carry a ledger on over orders and splits.

    Parameters
    ----------
    ledger : Ledger
        Where to start: the last checkpoint, or an empty one.
    orders : iterable of Order
        The account's orders in any sequence. Those of other desks or of the user, those submitted
        up to ``ledger.through`` and those submitted after ``through`` count for nothing.
    splits : iterable of CorporateAction
        Those with a ratio multiply quantities on their ex-date, before that day's fills. Each
        counts once: from the day after ``ledger.through`` up to the day of ``through``.
    through : datetime
        The instant up to which the ledger is told.

    Returns
    -------
    Ledger
        Quantities in shares, cost in dollars. A quantity below zero means that the desk sold more
        than it bought; it is kept, so that the difference is seen and reported.
    """
    holdings, realized = dict(ledger.holdings), dict(ledger.realized)
    fills = sorted(own_fills(ledger, orders, through), key=_filled_at)
    for split in sorted(_splits_between(ledger, splits, through), key=lambda each: each.ex_date):
        while fills and _filled_at(fills[0]).date() < split.ex_date:
            _apply_fill(holdings, realized, fills.pop(0))
        _apply_split(holdings, split)
    for order in fills:
        _apply_fill(holdings, realized, order)
    return replace(ledger, through=through, holdings=holdings, realized=realized)


def own_fills(ledger: Ledger, orders: Iterable[Order], through: datetime) -> list[Order]:
    """Pick the desk's own orders with fills that a fold from this ledger must count."""
    prefix = desk_prefix(ledger.desk)
    return [
        order
        for order in orders
        if order.client_order_id.startswith(prefix)
        and order.filled_qty > 0
        and (ledger.through is None or order.submitted_at > ledger.through)
        and order.submitted_at <= through
    ]


def settled_through(ledger: Ledger, orders: Iterable[Order], now: datetime) -> datetime | None:
    """Give the instant that a checkpoint may be told up to.

    An order that may still fill must be folded again, and so must one that was not listed yet; None
    when no checkpoint newer than ``ledger`` can be made.
    """
    prefix = desk_prefix(ledger.desk)
    open_since = [
        order.submitted_at - timedelta(microseconds=1)
        for order in orders
        if order.client_order_id.startswith(prefix) and not order.is_terminal
    ]
    through = min([now - LISTING_LAG, *open_since])
    return None if ledger.through is not None and through <= ledger.through else through


def _filled_at(order: Order) -> datetime:
    return order.filled_at or order.submitted_at


def _splits_between(
    ledger: Ledger, splits: Iterable[CorporateAction], through: datetime
) -> list[CorporateAction]:
    return [
        split
        for split in splits
        if split.ratio is not None
        and (ledger.through is None or split.ex_date > ledger.through.date())
        and split.ex_date <= through.date()
    ]


def _apply_split(holdings: dict[str, Holding], split: CorporateAction) -> None:
    held = holdings.get(split.symbol)
    if held is None or split.ratio is None:
        return
    with localcontext(MONEY):
        # A third has no end: 9 shares of it are 3 again, and no broker holds finer fractions.
        exact = (held.qty * split.ratio).quantize(_RATIO_NOISE, ROUND_HALF_EVEN)
        qty = tidy(exact.quantize(FRACTION_STEP, ROUND_FLOOR))
    if qty:
        holdings[split.symbol] = replace(held, qty=qty)
    else:
        del holdings[split.symbol]


def _apply_fill(holdings: dict[str, Holding], realized: dict[str, Decimal], order: Order) -> None:
    held = holdings.get(order.symbol, _NOTHING)
    price = order.filled_avg_price or Decimal(0)
    if order.side is Side.BUY:
        # What makes up for shares that were sold beyond the holding is not held, and costs nothing.
        kept = max(order.filled_qty + min(held.qty, Decimal(0)), Decimal(0))
        after = Holding(held.qty + order.filled_qty, held.cost + kept * price)
    else:
        left = held.qty - order.filled_qty
        after = Holding(left, held.cost * left / held.qty if left > 0 else Decimal(0))
        # Of what was sold beyond the holding nobody knows the cost: it realizes nothing.
        proceeds = min(order.filled_qty, max(held.qty, Decimal(0))) * price
        gain = proceeds - (held.cost - after.cost)
        realized[order.symbol] = realized.get(order.symbol, Decimal(0)) + gain
    if after.qty:
        holdings[order.symbol] = after
    else:
        holdings.pop(order.symbol, None)
