"""Owns the sessions that the calendar lists but that the exchange never opened.

A sudden closure, such as the one on 2012-10-29 for a hurricane, may stay in the broker's calendar.
The desk needs two witnesses: a run saw the broker's clock closed during the session's hours, and
afterwards no symbol has a price or a bar of the session. If the feed is only late, the first
witness is missing. Then the run checks the bars as usual and fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct

from algotrader.adapters.store import Store
from algotrader.broker import Broker
from algotrader.errors import DeskError
from algotrader.model import Clock, Session, Settings
from algotrader.session.trigger import NEW_YORK

CLOSURES_KEY = "ledger/closures.json"
#: A clock may lag behind the open, and a run may begin right at the close.
_MARGIN = timedelta(minutes=2)


class Closures(Struct, frozen=True):
    """Sessions during whose hours a run saw the broker's clock closed.

    ``sessions`` says for each session whether its bars have confirmed that the exchange never
    opened.
    """

    sessions: dict[date, bool]


def sessions_held(
    broker: Broker, store: Store, settings: Settings, clock: Clock, sessions: tuple[Session, ...]
) -> tuple[tuple[Session, ...], tuple[date, ...]]:
    """Return the calendar without the sessions that never opened, and those sessions' dates."""
    known = store.try_read(CLOSURES_KEY, Closures).value
    closures = {} if known is None else dict(known.sessions)
    today = clock.now.astimezone(NEW_YORK).date()
    during = [each for each in sessions if each.open + _MARGIN <= clock.now < each.close - _MARGIN]
    seen = {each.date for each in during if not clock.is_open}
    changes = {day: False for day in seen if day not in closures}
    held: list[Session] = []
    closed: list[date] = []
    for each in sessions:
        day = each.date
        is_closed = closures.get(day, False)
        if day in closures and not is_closed and each.close <= clock.now:
            if day == today:
                is_closed = _no_trade_since(broker, settings, each)
            elif held and _no_bar(broker, settings, held[-1], each):
                is_closed = changes[day] = True
        if is_closed:
            closed.append(day)
        else:
            held.append(each)
    if changes:
        _keep(store, changes)
    return tuple(held), tuple(closed)


def closures_since(closed: tuple[date, ...], previous: date, session: date) -> tuple[date, ...]:
    """Return the closed days between two sessions."""
    return tuple(day for day in closed if previous < day < session)


def _symbols(settings: Settings) -> set[str]:
    return {*settings.symbols, *filter(None, (settings.benchmark,))}


def _no_trade_since(broker: Broker, settings: Settings, session: Session) -> bool:
    """Whether symbols have prices, but none of the session."""
    try:
        prices = broker.latest_prices(_symbols(settings), settings.data_feed)
    except DeskError:
        return False
    return bool(prices) and all(each.at < session.open for each in prices.values())


def _no_bar(broker: Broker, settings: Settings, before: Session, session: Session) -> bool:
    """Whether symbols have bars of the session before, but none of this one."""
    try:
        found = broker.bars(_symbols(settings), (before, session), settings.bars_feed, "raw")
    except DeskError:
        return False
    starts = {at for bars in found.values() for at in bars.at}
    return before.open in starts and session.open not in starts


def _keep(store: Store, changes: Mapping[date, bool]) -> None:
    """Add to the list; if other runs keep changing it, the next run adds again."""

    def add(known: Closures | None) -> Closures:
        return Closures({**({} if known is None else known.sessions), **changes})

    store.update(CLOSURES_KEY, Closures, add)
