"""Owns the start of the desk's current strategy, which each run passes on to the next."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from algotrader.model import Leg, Order, Run, StrategyStart
from algotrader.orders.ids import parse_client_order_id


def carry_start(
    known: StrategyStart | None, run: Run, strategy: str, orders: Iterable[Order]
) -> StrategyStart:
    """Return the strategy's known start, or a new start if the strategy has changed.

    If no start is known, the strategy starts now, so that a lost journal never shortens a ramp.

    Parameters
    ----------
    known : StrategyStart or None
        The start that earlier runs stored, or None if unknown.
    orders : iterable of Order
        The account's orders, at least those of the last few days.
    """
    if known is None or known.strategy != strategy:
        replaced = "" if known is None else known.strategy
        return StrategyStart(strategy, run.started_at, None, replaced, run.journal)
    if known.replaced:
        known = replace(known, journal=run.journal)
    if known.first_buy is not None:
        return known
    places = (
        parse_client_order_id(each.client_order_id)
        for each in orders
        if each.filled_qty > 0 and each.submitted_at >= known.at
    )
    buys = [
        place.session
        for place in places
        if place is not None and place.desk == run.desk and place.leg is Leg.ENTRY
    ]
    return replace(known, first_buy=min(buys, default=None))
