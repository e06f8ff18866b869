"""Owns the desks' books: their ledgers, folded from checkpoints in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

from algotrader.accounting import ledger as books
from algotrader.accounting.ex_dates import split_ratio
from algotrader.accounting.reconciliation import other_ledgers
from algotrader.adapters.adjustments import read_adjustments
from algotrader.adapters.store import Store
from algotrader.broker import LISTING_MARGIN, Broker
from algotrader.model import Adjustment, CorporateAction, Ledger, Order
from algotrader.orders.ids import desk_of
from algotrader.session.trigger import NEW_YORK

T = TypeVar("T")

#: A large special dividend is paid before its ex-date.
ACTIONS_AHEAD = timedelta(days=7)

RESET_KEY = "ledger/reset-peak.json"


class OtherDesks(Struct, frozen=True):
    """A checkpoint of the other desks' ledgers on the account, all at one instant.

    ``adjustments`` is the number of adjustments at that instant; a shorter list has lost some.
    """

    through: datetime
    ledgers: dict[str, Ledger]
    adjustments: int = 0


class ResetPeak(Struct, frozen=True):
    """The last time that a person reset the peak from which the drawdown counts.

    ``algo-trader resume --reset-peak`` writes it, and Fetch Bars reads it.
    """

    at: datetime


class Books(Struct, frozen=True):
    """The current ledgers, the events of their symbols, and warnings about unreadable data.

    Attributes
    ----------
    before : Ledger or None
        The ledger at the previous close, with that day's quantities, or None if the caller did not
        request it, or if the checkpoint is newer.
    others : tuple of Ledger
        A ledger for every other desk that ever traded on the account.
    start : Ledger
        The checkpoint from which the run folded ``ledger``.
    actions : tuple of CorporateAction
        Corporate actions with an ex-date since the checkpoint, up to a week ahead.
    actions_since : date or None
        First ex-date that ``actions`` covers, or None if the broker does not list any.
    orders : tuple of Order
        The account's orders since the checkpoint, including those of other desks and of the user.
    adjustments : tuple of Adjustment
        All shares that a person gave to a desk of this stack or took from it.
    checkpoint, others_checkpoint : Ledger, OtherDesks or None
        Newer checkpoints to write, or None if there is none.
    """

    ledger: Ledger
    before: Ledger | None
    others: tuple[Ledger, ...]
    start: Ledger
    actions: tuple[CorporateAction, ...]
    actions_since: date | None
    orders: tuple[Order, ...]
    adjustments: tuple[Adjustment, ...]
    checkpoint: Ledger | None
    others_checkpoint: OtherDesks | None
    warnings: tuple[str, ...]


def checkpoint_key(desk: str) -> str:
    """Return the key of a desk's ledger checkpoint."""
    return f"ledger/{desk}.json"


def others_key(desk: str) -> str:
    """Return the key of the checkpoint that a desk keeps of all other desks."""
    return f"ledger/{desk}-others.json"


def track_key(desk: str) -> str:
    """Return the key of a desk's track of profit and loss."""
    return f"ledger/{desk}-performance.json"


def summary_key(desk: str, session: date) -> str:
    """Return the key of a session's summary; its folder is never listed."""
    return f"ledger/{desk}-sessions/{session}.json"


def reported_key(desk: str) -> str:
    """Return the key of the stop fills that a desk has reported."""
    return f"ledger/{desk}-stop-fills.json"


def read_books(
    broker: Broker,
    store: Store,
    desk: str,
    symbols: Iterable[str],
    now: datetime,
    days: tuple[date, date],
    previous_close: datetime | None = None,
) -> Books:
    """Fold every desk's own orders, splits and adjustments since the checkpoints into its ledger.

    Parameters
    ----------
    symbols : iterable of str
        Symbols whose corporate actions to read, in addition to those that desks hold or traded.
    days : tuple of date
        First and last day of the corporate actions; an older checkpoint moves the first day back.
    previous_close : datetime or None
        The instant of a second ledger, `Books.before`, or None if it is not needed.

    Raises
    ------
    ConfigurationError
        ``ADJUSTMENTS_UNREADABLE``.
    """
    warnings: list[str] = []
    start = _checkpoint(store, checkpoint_key(desk), Ledger, warnings)
    if start is None or start.desk != desk:
        start = books.empty_ledger(desk)
    known = _checkpoint(store, others_key(desk), OtherDesks, warnings)
    adjustments, _ = read_adjustments(store, at_least=known.adjustments if known else 0)
    after = None
    if start.through is not None and known is not None:
        after = min(start.through, known.through) - LISTING_MARGIN
    orders = broker.orders_after(after)
    others = other_ledgers(desk, known.ledgers if known else {}, orders, adjustments)
    since, listed = _actions(
        broker, (start, *others.values()), symbols, orders, adjustments, after, days
    )
    if listed is None:
        warnings.append(
            "The broker does not list corporate actions, so the desk cannot see a split in advance."
        )
    actions = listed or ()

    def folded(ledger: Ledger, through: datetime) -> Ledger:
        return books.fold(ledger, orders, actions, through, adjustments)

    # A listed order counts even if the broker's clock lags behind the order's own time.
    until = max([now, *(each.submitted_at for each in orders), *(each.at for each in adjustments)])
    settled = books.checkpoint_instant(start, orders, now)
    all_settled = min(
        (books.checkpoint_instant(each, orders, now) for each in others.values()),
        default=now - books.LISTING_LAG,
    )
    is_newer = start.through is None or settled > start.through
    others_newer = known is None or all_settled > known.through
    # Without a list of corporate actions, a checkpoint would lose earlier splits forever.
    return Books(
        ledger=folded(start, until),
        before=_at_close(start, orders, actions, adjustments, previous_close),
        others=tuple(folded(each, until) for each in others.values()),
        start=start,
        actions=actions,
        actions_since=None if listed is None else since,
        orders=orders,
        adjustments=adjustments,
        checkpoint=folded(start, settled) if is_newer and listed is not None else None,
        others_checkpoint=OtherDesks(
            all_settled,
            {name: folded(each, all_settled) for name, each in others.items()},
            len(adjustments),
        )
        if others_newer and listed is not None
        else None,
        warnings=tuple(warnings),
    )


def shares_before(read: Books, day: date) -> dict[str, Decimal] | None:
    """Return the desk's shares before a day began, by symbol, after that day's splits.

    Return None if the checkpoint is newer.
    """
    begin = datetime.combine(day, time(), NEW_YORK) - timedelta(microseconds=1)
    found = _at_close(read.start, read.orders, read.actions, read.adjustments, begin)
    if found is None:
        return None
    splits = [each for each in read.actions if each.ex_date == day]
    return {
        symbol: held.qty * split_ratio(splits, symbol) for symbol, held in found.holdings.items()
    }


def _at_close(
    start: Ledger,
    orders: Iterable[Order],
    actions: Iterable[CorporateAction],
    adjustments: Iterable[Adjustment],
    close: datetime | None,
) -> Ledger | None:
    if close is None or (start.through is not None and start.through > close):
        return None
    filled = (each for each in orders if (each.filled_at or each.submitted_at) <= close)
    return books.fold(start, filled, actions, close, adjustments)


def _checkpoint(store: Store, key: str, kind: type[T], warnings: list[str]) -> T | None:
    found = store.try_read(key, kind)
    if found.is_unreadable:
        warnings.append(f"{key} is unreadable, so the run rebuilt the ledger from all orders.")
    return found.value


def _actions(
    broker: Broker,
    ledgers: Iterable[Ledger],
    symbols: Iterable[str],
    orders: Iterable[Order],
    adjustments: Iterable[Adjustment],
    after: datetime | None,
    days: tuple[date, date],
) -> tuple[date, tuple[CorporateAction, ...] | None]:
    """Return the list's first ex-date, and the list itself, or None if the broker has no list."""
    desks_orders = [each for each in orders if desk_of(each.client_order_id) is not None]
    wanted = {
        *symbols,
        *(symbol for ledger in ledgers for symbol in ledger.holdings),
        *(each.symbol for each in desks_orders),
        *(each.symbol for each in adjustments),
    }
    since = [days[0]]
    if after is not None:
        since.append(after.date())
    else:
        since += [each.submitted_at.date() for each in desks_orders]
        since += [each.at.date() for each in adjustments]
    return min(since), broker.corporate_actions(wanted, min(since), days[1] + ACTIONS_AHEAD)
