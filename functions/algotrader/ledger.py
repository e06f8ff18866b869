"""Owns what a desk owns: a fold over its own orders, splits, and what a person gave or took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

from algotrader.bell import NEW_YORK
from algotrader.ids import desk_prefix, parse_client_order_id
from algotrader.model import Adjustment, CorporateAction, Holding, Ledger, Leg, Order, Side
from algotrader.sizing import FRACTION_STEP, MONEY, tidy

# A split may be listed days after its ex-date, an order later than it was sent, and what was told
# of a fill may be corrected: a checkpoint stays behind by this much, and whatever came after it is
# folded again each time.
LISTING_LAG = timedelta(days=10)

# Orders of these legs are good for one day; others may fill weeks after they were submitted.
_DAY_LEGS = frozenset({Leg.ENTRY, Leg.EXIT})

# Far above what a ratio of 28 digits is off by, far below the finest quantity.
_RATIO_NOISE = Decimal("1e-14")

_NOTHING = Holding(qty=Decimal(0), cost=Decimal(0))

Event = Order | CorporateAction | Adjustment


def empty(desk: str) -> Ledger:
    """Give the ledger of a desk that never traded."""
    return Ledger(desk=desk, through=None, holdings={})


def fold(
    ledger: Ledger,
    orders: Iterable[Order],
    splits: Iterable[CorporateAction],
    through: datetime,
    adjustments: Iterable[Adjustment] = (),
) -> Ledger:
    """Carry a ledger on over orders, splits and adjustments, in the sequence of their time.

    Parameters
    ----------
    ledger : Ledger
        Where to start: the last checkpoint, or an empty one.
    orders : iterable of Order
        The account's orders in any sequence. Those of other desks or of the user, those submitted
        up to ``ledger.through`` and those submitted after ``through`` count for nothing.
    splits : iterable of CorporateAction
        Those with a ratio multiply quantities on their ex-date, before anything else of that day.
        Each counts once: from the day after ``ledger.through`` up to the day of ``through``.
        Days are New York's.
    through : datetime
        The instant up to which the ledger is told.
    adjustments : iterable of Adjustment
        Those of this desk after ``ledger.through`` and up to ``through`` count.

    Returns
    -------
    Ledger
        Quantities in shares, cost in dollars. A quantity below zero means that the desk sold more
        than it bought; it is kept, so that the difference is seen and reported.
    """
    holdings = dict(ledger.holdings)
    for event in _events(ledger, orders, splits, through, adjustments):
        match event:
            case Order():
                _apply_fill(holdings, event)
            case CorporateAction():
                _apply_split(holdings, event)
            case Adjustment():
                _apply_adjustment(holdings, event)
    return replace(ledger, through=through, holdings=holdings)


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


def settled_through(ledger: Ledger, orders: Iterable[Order], now: datetime) -> datetime:
    """Give the instant that a checkpoint may be told up to; it may be before the last one's.

    An order that may still fill must be folded again, and so must one that has filled since: a
    split may lie between its submission and its fill.
    """
    prefix = desk_prefix(ledger.desk)
    own = (each for each in orders if each.client_order_id.startswith(prefix))
    through = now - LISTING_LAG
    for order in sorted(own, key=lambda each: each.submitted_at, reverse=True):
        lives = not order.is_terminal or (order.filled_qty > 0 and _filled_at(order) > through)
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
    """List all that a fold must count, in the sequence in which it happened."""
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
    """Give the session of an order's fills.

    Of an order that filled in part the broker tells its last change alone, which may come in the
    night after, on a split's ex-date already; one that is good for a day filled on that day.
    """
    place = parse_client_order_id(order.client_order_id)
    if place is not None and place.leg in _DAY_LEGS:
        return min(_day(_filled_at(order)), _day(order.submitted_at))
    return _day(_filled_at(order))


def _apply_split(holdings: dict[str, Holding], split: CorporateAction) -> None:
    held = holdings.get(split.symbol)
    if held is None or split.ratio is None:
        return
    with localcontext(MONEY):
        # A third has no end: 9 shares of it are 3 again, and no broker holds finer fractions.
        exact = (held.qty * split.ratio).quantize(_RATIO_NOISE, ROUND_HALF_EVEN)
        qty = tidy(exact.quantize(FRACTION_STEP, ROUND_FLOOR))
    _put(holdings, split.symbol, replace(held, qty=qty))


def _apply_fill(holdings: dict[str, Holding], order: Order) -> None:
    if order.side is Side.BUY:
        _add(holdings, order.symbol, order.filled_qty, order.filled_avg_price or Decimal(0))
    else:
        _take(holdings, order.symbol, order.filled_qty)


def _apply_adjustment(holdings: dict[str, Holding], adjustment: Adjustment) -> None:
    if adjustment.qty > 0:
        _add(holdings, adjustment.symbol, adjustment.qty, adjustment.price)
    else:
        _take(holdings, adjustment.symbol, -adjustment.qty)


def _add(holdings: dict[str, Holding], symbol: str, qty: Decimal, price: Decimal) -> None:
    held = holdings.get(symbol, _NOTHING)
    _put(holdings, symbol, Holding(held.qty + qty, held.cost + qty * price))


def _take(holdings: dict[str, Holding], symbol: str, qty: Decimal) -> None:
    """Take shares away at what they cost on average."""
    held = holdings.get(symbol, _NOTHING)
    left = held.qty - qty
    _put(holdings, symbol, Holding(left, held.cost * left / held.qty if left > 0 else Decimal(0)))


def _put(holdings: dict[str, Holding], symbol: str, holding: Holding) -> None:
    if holding.qty:
        holdings[symbol] = holding
    else:
        holdings.pop(symbol, None)
