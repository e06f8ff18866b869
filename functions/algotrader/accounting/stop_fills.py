"""Owns the sales by the desk's stops that no run has reported yet.

The next successful trading run reports a sale by text message. A failed run reports it only by
e-mail, so the next run reports it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from algotrader.model import Order
from algotrader.model.run import DAY_SLOT
from algotrader.model.units import ZERO
from algotrader.orders.ids import desk_prefix
from algotrader.orders.own_orders import is_stop
from algotrader.orders.statuses import is_terminal
from algotrader.session.trigger import NEW_YORK

#: The broker may show a fill up to this long after it happened.
SHOWS_LATE = timedelta(days=1)


class ReportedFills(Struct, frozen=True):
    """The sales by stops that earlier runs have reported.

    Attributes
    ----------
    journal : str
        Journal of the previous run; its record says what that run reported.
    looked_at : datetime
        When that run read the orders, by the broker's clock.
    since : datetime
        Every sale more than `SHOWS_LATE` before this instant has been reported.
    sold : dict of str to Decimal
        By client order id: the reported shares of stops with a later fill.
    """

    journal: str
    looked_at: datetime
    since: datetime
    sold: dict[str, Decimal]

    def with_record(self, sold: dict[str, Decimal]) -> ReportedFills:
        """Return these fills plus those that the run reported, as `reported_sales` returns them."""
        return replace(self, since=self.looked_at, sold=self.sold | sold)


def initial_report(orders: Iterable[Order], desk: str, previous_bell: datetime) -> ReportedFills:
    """Return all fills up to the previous bell, for a desk without a record of reported fills."""
    early = [each for each in _sales(orders, desk) if _filled_at(each) <= previous_bell]
    sold = {each.client_order_id: each.filled_qty for each in early}
    return ReportedFills(journal="", looked_at=previous_bell, since=previous_bell, sold=sold)


def unreported_fills(
    orders: Iterable[Order], desk: str, reported: ReportedFills
) -> tuple[Order, ...]:
    """Return the desk's stops with sales that no run has reported, oldest first.

    Returns
    -------
    tuple of Order
        Orders with only the unreported shares in ``filled_qty``.
    """
    found = [
        replace(order, filled_qty=order.filled_qty - before)
        for order in _sales(orders, desk)
        if (before := reported.sold.get(order.client_order_id, ZERO)) < order.filled_qty
        and _filled_at(order) > reported.since - SHOWS_LATE
    ]
    return tuple(sorted(found, key=lambda each: (_filled_at(each), each.symbol)))


def reported_sales(
    reported: ReportedFills, stopped: Iterable[Order], orders: Iterable[Order]
) -> dict[str, Decimal]:
    """Return each stop's total sold shares, including those in a run's message, by order id.

    Parameters
    ----------
    reported : ReportedFills
        The fills reported before the run.
    stopped : iterable of Order
        As `unreported_fills` returned them.
    orders : iterable of Order
        The run's own orders, and stops that sold while the run was canceling them.
    """
    sold = {
        each.client_order_id: reported.sold.get(each.client_order_id, ZERO) + each.filled_qty
        for each in stopped
    }
    for order in orders:
        if is_stop(order) and order.filled_qty > 0:
            sold[order.client_order_id] = max(
                order.filled_qty, sold.get(order.client_order_id, ZERO)
            )
    return sold


def report_for_next_run(
    reported: ReportedFills, orders: Iterable[Order], desk: str, journal: str, looked_at: datetime
) -> ReportedFills:
    """Return the reported fills for the next run, without ended stops that are fully reported."""
    needed = {
        each.client_order_id
        for each in _sales(orders, desk)
        if not is_terminal(each) or _filled_at(each) > reported.since - SHOWS_LATE
    }
    sold = {each: qty for each, qty in reported.sold.items() if each in needed}
    return replace(reported, journal=journal, looked_at=looked_at, sold=sold)


def previous_bell(
    now: datetime, session: date, previous_session: date, slot: str, slots: tuple[str, ...]
) -> datetime:
    """Return the instant of the previous bell.

    Parameters
    ----------
    now : datetime
        The instant of this bell. With one slot per session, the previous bell is assumed to be
        at the same time of day.
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


def _sales(orders: Iterable[Order], desk: str) -> list[Order]:
    prefix = desk_prefix(desk)
    return [
        order
        for order in orders
        if order.client_order_id.startswith(prefix) and is_stop(order) and order.filled_qty > 0
    ]


def _filled_at(order: Order) -> datetime:
    """Return the last fill's instant; without a fill, an instant that is never too old."""
    return order.filled_at or datetime.max.replace(tzinfo=UTC)
