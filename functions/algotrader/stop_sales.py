"""Owns which of the desk's stops sold since the run before, so that the text can tell of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from algotrader.bell import DAY_SLOT, NEW_YORK
from algotrader.ids import desk_prefix
from algotrader.model import Leg, Order
from algotrader.own_orders import leg_of


def bell_before(
    now: datetime, session: date, previous_session: date, slot: str, slots: tuple[str, ...]
) -> datetime:
    """Give the instant of the bell before this one.

    Parameters
    ----------
    now : datetime
        This bell's. Where a session has one slot, the one before is taken to have rung at the same
        time of day.
    slots : tuple of str
        As in the settings, ascending.
    """
    earlier = [each for each in slots if each < slot] if slot != DAY_SLOT else []
    day = session if earlier else previous_session
    if slots == (DAY_SLOT,):
        there = now.astimezone(NEW_YORK)
        return there.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
    at = time.fromisoformat((earlier or slots)[-1])
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


def stops_sold(orders: Iterable[Order], desk: str, since: datetime) -> tuple[Order, ...]:
    """Find the desk's stops with a fill after an instant, oldest first."""
    prefix = desk_prefix(desk)
    found = [
        order
        for order in orders
        if order.client_order_id.startswith(prefix)
        and leg_of(order.client_order_id) is Leg.STOP
        and order.filled_at is not None
        and order.filled_at > since
    ]
    return tuple(sorted(found, key=lambda each: (each.filled_at or since, each.symbol)))
