"""Owns a desk's holdings, computed from its own orders, splits and a person's adjustments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

from msgspec import Struct
from msgspec.structs import replace

from algotrader.model import Adjustment, CorporateAction, Holding, Ledger, Leg, Order, Side
from algotrader.model.units import FRACTION_STEP, MONEY, tidy
from algotrader.orders.ids import desk_prefix, parse_client_order_id
from algotrader.orders.statuses import is_terminal
from algotrader.session.trigger import NEW_YORK

# The broker may list a split days after its ex-date, show an order late, and correct a fill. So a
# checkpoint stays this far behind, and every run folds all later events again.
LISTING_LAG = timedelta(days=10)

# Orders of these legs last one day. Others may fill weeks after their submission.
_DAY_LEGS = frozenset({Leg.ENTRY, Leg.EXIT, Leg.FLATTEN})

# Far above the rounding error of a 28-digit ratio, and far below the smallest quantity.
_RATIO_NOISE = Decimal("1e-14")

_NOTHING = Holding(qty=Decimal(0), cost=Decimal(0))

Event = Order | CorporateAction | Adjustment


def empty_ledger(desk: str) -> Ledger:
    """Return the ledger of a desk that never traded."""
    return Ledger(desk=desk, through=None, holdings={})


def fold(
    ledger: Ledger,
    orders: Iterable[Order],
    splits: Iterable[CorporateAction],
    through: datetime,
    adjustments: Iterable[Adjustment] = (),
) -> Ledger:
    """Fold orders, splits and adjustments into a ledger, in chronological order.

    Parameters
    ----------
    ledger : Ledger
        The last checkpoint, or an empty ledger.
    orders : iterable of Order
        The account's orders, in any sequence. Only the desk's own orders submitted after
        ``ledger.through`` and up to ``through`` count.
    splits : iterable of CorporateAction
        A split with a ratio multiplies quantities on its ex-date, before the day's other events.
        Only ex-dates after the day of ``ledger.through``, up to the day of ``through``, count.
        Days are dates in New York.
    through : datetime
        The last instant that counts.
    adjustments : iterable of Adjustment
        Only this desk's adjustments after ``ledger.through`` and up to ``through`` count.

    Returns
    -------
    Ledger
        Quantities in shares; cost and realized profit in dollars. A negative quantity means that
        the desk sold more than it bought; the ledger keeps it, so that a run reports it.
        An adjustment moves shares at their market value and realizes the difference from their
        cost. So the move itself makes no profit, and earlier profit remains.
    """
    book = _Book(dict(ledger.holdings), dict(ledger.realized))
    for event in _events(ledger, orders, splits, through, adjustments):
        match event:
            case Order():
                book.fill(event)
            case CorporateAction():
                book.split(event)
            case Adjustment():
                book.adjust(event)
    return replace(ledger, through=through, holdings=book.holdings, realized=book.realized)


def own_fills(ledger: Ledger, orders: Iterable[Order], through: datetime) -> list[Order]:
    """Return the desk's own orders with fills that a fold from this ledger must count."""
    prefix = desk_prefix(ledger.desk)
    return [
        order
        for order in orders
        if order.client_order_id.startswith(prefix)
        and order.filled_qty > 0
        and (ledger.through is None or order.submitted_at > ledger.through)
        and order.submitted_at <= through
    ]


def checkpoint_instant(ledger: Ledger, orders: Iterable[Order], now: datetime) -> datetime:
    """Return the latest instant at which a checkpoint loses nothing.

    Later runs must fold an order again if it may still fill, or if it filled after the checkpoint,
    because a split may come between its submission and its fill. So the instant may be earlier than
    the previous checkpoint's.
    """
    prefix = desk_prefix(ledger.desk)
    own = (each for each in orders if each.client_order_id.startswith(prefix))
    through = now - LISTING_LAG
    for order in sorted(own, key=lambda each: each.submitted_at, reverse=True):
        lives = not is_terminal(order) or (order.filled_qty > 0 and _filled_at(order) > through)
        if order.submitted_at <= through and lives:
            through = order.submitted_at - timedelta(microseconds=1)
    return through


def _events(
    ledger: Ledger,
    orders: Iterable[Order],
    splits: Iterable[CorporateAction],
    through: datetime,
    adjustments: Iterable[Adjustment],
) -> list[Event]:
    """Return the events that a fold must count, oldest first."""
    start = ledger.through
    first_day = date.min if start is None else _day(start) + timedelta(days=1)
    timed: list[tuple[tuple[date, int, datetime, str], Event]] = [
        ((split.ex_date, 0, through, split.symbol), split)
        for split in splits
        if split.ratio is not None and first_day <= split.ex_date <= _day(through)
    ]
    timed += [
        ((_day_of_fill(order), 1, _filled_at(order), order.broker_id), order)
        for order in own_fills(ledger, orders, through)
    ]
    timed += [
        ((_day(each.at), 1, each.at, each.id), each)
        for each in adjustments
        if each.desk == ledger.desk and (start is None or each.at > start) and each.at <= through
    ]
    return [event for _, event in sorted(timed, key=lambda pair: pair[0])]


def _filled_at(order: Order) -> datetime:
    return order.filled_at or order.submitted_at


def _day(instant: datetime) -> date:
    return instant.astimezone(NEW_YORK).date()


def _day_of_fill(order: Order) -> date:
    """Return the session of an order's fills.

    For a partly filled order the broker reports only the time of the last change. That time may be
    in the following night, on a split's ex-date. So a day order counts on the day it was submitted.
    """
    place = parse_client_order_id(order.client_order_id)
    if place is not None and place.leg in _DAY_LEGS:
        return min(_day(_filled_at(order)), _day(order.submitted_at))
    return _day(_filled_at(order))


def _price_paid(order: Order) -> Decimal:
    """Return a buy's average price; without one, the highest price that its terms allow.

    A market order allows any price, so it counts as bought for 0. The loss limits then act too
    early, never too late.
    """
    if order.filled_avg_price is not None:
        return order.filled_avg_price
    if order.notional is not None:
        return order.notional / order.filled_qty
    return order.limit_price or Decimal(0)


class _Book(Struct):
    """The holdings and realized profits that a fold updates, by symbol."""

    holdings: dict[str, Holding]
    realized: dict[str, Decimal]

    def split(self, split: CorporateAction) -> None:
        held = self.holdings.get(split.symbol)
        if held is None or split.ratio is None:
            return
        with localcontext(MONEY):
            # A ratio such as 1/3 is periodic. Rounding turns 9 shares into exactly 3.
            exact = (held.qty * split.ratio).quantize(_RATIO_NOISE, ROUND_HALF_EVEN)
            qty = tidy(exact.quantize(FRACTION_STEP, ROUND_FLOOR))
        self._put(split.symbol, replace(held, qty=qty))

    def fill(self, order: Order) -> None:
        if order.side is Side.BUY:
            self._add(order.symbol, order.filled_qty, _price_paid(order))
        else:
            self._take(order.symbol, order.filled_qty, order.filled_avg_price)

    def adjust(self, given: Adjustment) -> None:
        if given.qty > 0:
            self._add(given.symbol, given.qty, given.price)
            if given.worth is not None:
                self._realize(given.symbol, given.qty * (given.price - given.worth))
        else:
            self._take(given.symbol, -given.qty, given.worth)

    def _add(self, symbol: str, qty: Decimal, price: Decimal) -> None:
        held = self.holdings.get(symbol, _NOTHING)
        # Shares that cover an oversold quantity are not held, so they cost nothing.
        kept = max(qty + min(held.qty, Decimal(0)), Decimal(0))
        self._put(symbol, Holding(held.qty + qty, held.cost + kept * price))

    def _take(self, symbol: str, qty: Decimal, price: Decimal | None) -> None:
        """Remove shares at their average cost; realize nothing without a price."""
        held = self.holdings.get(symbol, _NOTHING)
        left = held.qty - qty
        cost = held.cost * left / held.qty if left > 0 else Decimal(0)
        if price is not None:
            # The cost of oversold shares is unknown, so they realize nothing.
            proceeds = min(qty, max(held.qty, Decimal(0))) * price
            self._realize(symbol, proceeds - (held.cost - cost))
        self._put(symbol, Holding(left, cost))

    def _realize(self, symbol: str, gain: Decimal) -> None:
        self.realized[symbol] = self.realized.get(symbol, Decimal(0)) + gain

    def _put(self, symbol: str, holding: Holding) -> None:
        if holding.qty:
            self.holdings[symbol] = holding
        else:
            self.holdings.pop(symbol, None)
