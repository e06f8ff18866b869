"""Owns which sales of the desk's stops nobody has been told of yet.

A sale is told by the text of the next trading run that ends well. A run that fails tells by e-mail
alone, so the run after it tells again: rather twice than never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from algotrader.model import Order
from algotrader.orders.ids import desk_prefix
from algotrader.orders.own_orders import is_stop
from algotrader.orders.statuses import is_terminal
from algotrader.session.trigger import DAY_SLOT, NEW_YORK

#: An order may show its fill later than the fill's own instant.
SHOWS_LATE = timedelta(days=1)
_ZERO = Decimal(0)
_UNKNOWN = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReportedFills:
    """What the user had been told of before a run.

    Attributes
    ----------
    journal : str
        Where that run's own record lies, which says what it told.
    looked_at : datetime
        When that run looked, by the broker's clock.
    since : datetime
        All that was sold longer than `SHOWS_LATE` before is told.
    sold : dict of str to Decimal
        By client order id: the shares that were told as sold by stops with a later fill.
    """

    journal: str
    looked_at: datetime
    since: datetime
    sold: dict[str, Decimal]

    def with_record(self, sold: dict[str, Decimal]) -> ReportedFills:
        """Add what that run has told, as `sold_by` gives it."""
        return replace(self, since=self.looked_at, sold=self.sold | sold)


def initial_report(orders: Iterable[Order], desk: str, bell_before: datetime) -> ReportedFills:
    """Take what sold up to the bell before for told, where nothing says what was."""
    early = [each for each in _sales(orders, desk) if _filled_at(each) <= bell_before]
    sold = {each.client_order_id: each.filled_qty for each in early}
    return ReportedFills(journal="", looked_at=bell_before, since=bell_before, sold=sold)


def unreported_fills(
    orders: Iterable[Order], desk: str, reported: ReportedFills
) -> tuple[Order, ...]:
    """Find the desk's stops that sold what nobody was told of, oldest first.

    Returns
    -------
    tuple of Order
        With the untold shares alone as filled.
    """
    found = [
        replace(order, filled_qty=order.filled_qty - before)
        for order in _sales(orders, desk)
        if (before := reported.sold.get(order.client_order_id, _ZERO)) < order.filled_qty
        and _filled_at(order) > reported.since - SHOWS_LATE
    ]
    return tuple(sorted(found, key=lambda each: (_filled_at(each), each.symbol)))


def reported_by(
    reported: ReportedFills, stopped: Iterable[Order], orders: Iterable[Order]
) -> dict[str, Decimal]:
    """Return what a run's text says that stops sold, by client order id; shares, since ever.

    Parameters
    ----------
    told : ReportedFills
        What had been told before it.
    stopped : iterable of Order
        As `untold` gave them to it.
    orders : iterable of Order
        Its own orders, among them stops that sold while it was about to cancel them.
    """
    sold = {
        each.client_order_id: reported.sold.get(each.client_order_id, _ZERO) + each.filled_qty
        for each in stopped
    }
    for order in orders:
        if is_stop(order) and order.filled_qty > 0:
            sold[order.client_order_id] = max(
                order.filled_qty, sold.get(order.client_order_id, _ZERO)
            )
    return sold


def report_for_next_run(
    reported: ReportedFills, orders: Iterable[Order], desk: str, journal: str, looked_at: datetime
) -> ReportedFills:
    """Return what the run after this one begins with; what is over and long told is dropped."""
    needed = {
        each.client_order_id
        for each in _sales(orders, desk)
        if not is_terminal(each) or _filled_at(each) > reported.since - SHOWS_LATE
    }
    sold = {each: qty for each, qty in reported.sold.items() if each in needed}
    return replace(reported, journal=journal, looked_at=looked_at, sold=sold)


def bell_before(
    now: datetime, session: date, previous_session: date, slot: str, slots: tuple[str, ...]
) -> datetime:
    """Return the instant of the bell before this one.

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


def _sales(orders: Iterable[Order], desk: str) -> list[Order]:
    prefix = desk_prefix(desk)
    return [
        order
        for order in orders
        if order.client_order_id.startswith(prefix) and is_stop(order) and order.filled_qty > 0
    ]


def _filled_at(order: Order) -> datetime:
    """Return the last fill's instant; where the broker tells none, one that is never too old."""
    return order.filled_at or _UNKNOWN
