"""Owns the exchange's data at an instant: hours, latest prices, bars, corporate actions.

Nothing here looks ahead: every answer follows from the events up to the requested instant. Only
announced corporate actions are known before their ex-date. Instants are aware UTC datetimes, and
sessions are New York dates.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from local.paper_broker.data import (
    DailyBar,
    Dividend,
    History,
    MinuteBar,
    Split,
    synthetic_minutes,
)

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)
SATURDAY = 5
#: How long before its ex-date the broker lists a split or a dividend.
ANNOUNCED = timedelta(days=14)


class SessionEdge(StrEnum):
    """The two moments of a session at which events happen."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class EdgeMoment:
    """The opening or closing bell of a session."""

    at: datetime
    bell: SessionEdge
    session: date


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a symbol's last trade, in dollars, and the trade's instant."""

    price: Decimal
    at: datetime


class HistoricalMarket:
    """The exchange on the data of a `History`.

    Parameters
    ----------
    moving_prices : bool
        Whether the latest price follows the synthetic minutes during a session. Otherwise it stays
        at the session's open, and the session's minutes are known after its close.
    """

    def __init__(self, history: History, *, moving_prices: bool = False) -> None:
        self.history = history
        self.moving_prices = moving_prices
        self.sessions = history.sessions
        self._instants: dict[date, tuple[datetime, datetime]] = {}

    def opens(self, session: date) -> datetime:
        """Return the instant at which a session opens."""
        return self._hours(session)[0]

    def closes(self, session: date) -> datetime:
        """Return the instant at which a session closes."""
        return self._hours(session)[1]

    def is_session(self, day: date) -> bool:
        """Return whether the exchange trades on a day."""
        index = bisect_left(self.sessions, day)
        return index < len(self.sessions) and self.sessions[index] == day

    def is_open(self, now: datetime) -> bool:
        """Return whether the exchange trades at an instant."""
        session = self.last_opened(now)
        return session is not None and now < self.closes(session)

    def last_opened(self, now: datetime) -> date | None:
        """Return the newest session that has opened; None before the first."""
        day = new_york_date(now)
        index = bisect_right(self.sessions, day)
        if index and self.sessions[index - 1] == day and now < self.opens(day):
            index -= 1
        return self.sessions[index - 1] if index else None

    def before(self, day: date) -> date | None:
        """Return the newest session before a day, or None if there is none."""
        index = bisect_left(self.sessions, day)
        return self.sessions[index - 1] if index else None

    def next_open(self, now: datetime) -> datetime:
        """Return the next opening after an instant.

        Beyond the end of the history, the next weekday counts as a session.
        """
        day = new_york_date(now)
        if self.is_session(day) and now < self.opens(day):
            return self.opens(day)
        index = bisect_right(self.sessions, day)
        return self.opens(self.sessions[index] if index < len(self.sessions) else _weekday(day))

    def next_close(self, now: datetime) -> datetime:
        """Return the next closing after an instant; beyond the history, see `next_open`."""
        session = self.last_opened(now)
        if session is not None and now < self.closes(session):
            return self.closes(session)
        return self.closes(new_york_date(self.next_open(now)))

    def edge_moments(self, after: datetime, until: datetime) -> Iterator[EdgeMoment]:
        """List the bells with ``after < at <= until``, ascending."""
        index = bisect_left(self.sessions, new_york_date(after))
        for session in self.sessions[index:]:
            if self.opens(session) > until:
                return
            for at, bell in (
                (self.opens(session), SessionEdge.OPEN),
                (self.closes(session), SessionEdge.CLOSE),
            ):
                if after < at <= until:
                    yield EdgeMoment(at, bell, session)

    def bar(self, symbol: str, session: date) -> DailyBar | None:
        """Return a symbol's whole bar for a session, even if the session is not over."""
        if not self.is_session(session):
            return None
        place = bisect_left(self.sessions, session) - self._first(symbol)
        return self.history.bars[symbol][place] if place >= 0 else None

    def is_listed(self, symbol: str, now: datetime) -> bool:
        """Return whether a symbol has begun to trade."""
        first = self._first(symbol)
        return first < len(self.sessions) and self.opens(self.sessions[first]) <= now

    def symbols(self, now: datetime) -> list[str]:
        """List the symbols that trade, sorted."""
        return sorted(symbol for symbol in self.history.bars if self.is_listed(symbol, now))

    def latest(self, symbol: str, now: datetime, age: timedelta = timedelta(0)) -> Price | None:
        """Return the last trade: the open during a session, and the close after it.

        With moving prices, the last trade during a session is the close of the newest minute.

        Parameters
        ----------
        age : timedelta
            The trade's reported age while the exchange is open.
        """
        session = self.last_opened(now)
        bar = self.bar(symbol, session) if session is not None else None
        if session is None or bar is None:
            return None
        if now >= self.closes(session):
            return Price(bar.close, self.closes(session))
        price = self.price_during(symbol, session, now) or bar.open
        return Price(price, max(self.opens(session), now - age))

    def price_during(self, symbol: str, session: date, now: datetime) -> Decimal | None:
        """Return the price at which a session trades, up to its close; see `moving_prices`."""
        bar = self.bar(symbol, session)
        if bar is None or not self.moving_prices:
            return bar.open if bar else None
        minutes = self.known_minutes(symbol, session, now)
        return minutes[-1].close if minutes else bar.open

    def minutes(self, symbol: str, session: date) -> tuple[MinuteBar, ...]:
        """Return a session's synthetic minutes, even if the session is not over."""
        bar = self.bar(symbol, session)
        if bar is None:
            return ()
        opened, closed = self._hours(session)
        return synthetic_minutes(symbol, bar, (closed - opened) // MINUTE)

    def minute_ends(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """List the ends of an open session's minutes with ``after < end <= until``, if prices move.

        The minutes are those of the session at ``after``, up to its close.
        """
        session = self.last_opened(after)
        if session is None or not self.moving_prices:
            return
        opened, closed = self._hours(session)
        end = opened + ((after - opened) // MINUTE + 1) * MINUTE
        while end <= min(until, closed):
            yield end
            end += MINUTE

    def minute_before(self, symbol: str, session: date, end: datetime) -> MinuteBar | None:
        """Return the minute that ends at an instant; None if the symbol did not trade in it."""
        known = self.known_minutes(symbol, session, end)
        number = (end - self.opens(session)) // MINUTE - 1
        return known[-1] if known and known[-1].minute == number else None

    def known_minutes(self, symbol: str, session: date, now: datetime) -> tuple[MinuteBar, ...]:
        """Return the minutes that were over at an instant; see `moving_prices`."""
        opened, closed = self._hours(session)
        if now < opened or (now < closed and not self.moving_prices):
            return ()
        minutes = self.minutes(symbol, session)
        if now >= closed:
            return minutes
        return minutes[: bisect_left(minutes, (now - opened) // MINUTE, key=_number)]

    def close_before(self, symbol: str, day: date) -> Decimal | None:
        """Return a symbol's unadjusted close in the session before a day."""
        session = self.before(day)
        bar = self.bar(symbol, session) if session is not None else None
        return bar.close if bar else None

    def known_bars(
        self, symbol: str, now: datetime, since: date | None = None
    ) -> tuple[DailyBar, ...]:
        """Return a symbol's unadjusted bars; for an open session, only what is known.

        That is the opening price or, with moving prices, the minutes until now.

        Parameters
        ----------
        since : date or None
            The first session to return; None returns all sessions.
        """
        opened = self.last_opened(now)
        if opened is None:
            return ()
        listed = self._first(symbol)
        first = max(bisect_left(self.sessions, since) - listed, 0) if since else 0
        last = max(bisect_right(self.sessions, opened) - listed, 0)
        known = tuple(self.history.bars.get(symbol, ())[first:last])
        if known and known[-1].session == opened and now < self.closes(opened):
            return (*known[:-1], self._so_far(symbol, known[-1], now))
        return known

    def splits(self, now: datetime) -> tuple[Split, ...]:
        """Return the splits whose ex-date has begun."""
        opened = self.last_opened(now) or date.min
        return tuple(split for split in self.history.splits if split.ex_date <= opened)

    def dividends(self, now: datetime) -> tuple[Dividend, ...]:
        """Return the dividends whose ex-date has begun."""
        opened = self.last_opened(now) or date.min
        return tuple(paid for paid in self.history.dividends if paid.ex_date <= opened)

    def announced_splits(self, now: datetime) -> tuple[Split, ...]:
        """Return the splits whose ex-date has begun or is at most `ANNOUNCED` ahead."""
        last = new_york_date(now) + ANNOUNCED
        return tuple(split for split in self.history.splits if split.ex_date <= last)

    def announced_dividends(self, now: datetime) -> tuple[Dividend, ...]:
        """Return the dividends whose ex-date has begun or is at most `ANNOUNCED` ahead."""
        last = new_york_date(now) + ANNOUNCED
        return tuple(paid for paid in self.history.dividends if paid.ex_date <= last)

    def _so_far(self, symbol: str, day: DailyBar, now: datetime) -> DailyBar:
        minutes = self.known_minutes(symbol, day.session, now)
        if not minutes:
            return DailyBar(day.session, day.open, day.open, day.open, day.open, 0)
        return DailyBar(
            day.session,
            day.open,
            max(minute.high for minute in minutes),
            min(minute.low for minute in minutes),
            minutes[-1].close,
            sum(minute.volume for minute in minutes),
        )

    def _first(self, symbol: str) -> int:
        """Return the index of a symbol's first session, or the number of sessions if none."""
        return len(self.sessions) - len(self.history.bars.get(symbol, ()))

    def _hours(self, session: date) -> tuple[datetime, datetime]:
        if session not in self._instants:
            hours = self.history.hours(session)
            self._instants[session] = (
                new_york_instant(session, hours.open),
                new_york_instant(session, hours.close),
            )
        return self._instants[session]


def _number(minute: MinuteBar) -> int:
    return minute.minute


def new_york_date(now: datetime) -> date:
    """Return the New York date of an instant."""
    return now.astimezone(NEW_YORK).date()


def new_york_instant(day: date, at: time) -> datetime:
    """Return the UTC instant of a New York date and time of day."""
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


def _weekday(day: date) -> date:
    following = day + timedelta(days=1)
    while following.weekday() >= SATURDAY:
        following += timedelta(days=1)
    return following
