"""Owns the timeframes of bars: their names, where their bars begin, and how bars merge.

As at Alpaca, a bar begins on the clock in New York: an hour at the full hour, a week on Monday, a
month on its first day. So the first hour of a session begins at 09:00 and has 30 minutes in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import NamedTuple

from local.paper_broker.adjustment import Factor, factor_at
from local.paper_broker.data import DailyBar, MinuteBar
from local.paper_broker.market import HistoricalMarket, new_york_instant

_NAME = re.compile(r"(\d{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)")
_UNITS = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
#: The counts of each unit that Alpaca's documents allow.
_COUNTS = {
    "Min": range(1, 60),
    "Hour": range(1, 24),
    "Day": (1,),
    "Week": (1,),
    "Month": (1, 2, 3, 4, 6, 12),
}
MINUTES_IN_HOUR = 60


class Bar(NamedTuple):
    """A bar with its time stamp as on the wire: prices in dollars, volume in shares."""

    stamp: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A number of units, such as 5 ``Min`` or 1 ``Week``."""

    count: int
    unit: str

    @property
    def is_intraday(self) -> bool:
        """Whether a session has several bars."""
        return self.unit in ("Min", "Hour")

    def first_day(self, session: date) -> date:
        """Return the date at which the bar of a session begins."""
        if self.unit == "Week":
            return session - timedelta(days=session.weekday())
        if self.unit == "Month":
            return date(session.year, session.month - (session.month - 1) % self.count, 1)
        return session

    def first_minute(self, minute: int) -> int:
        """Return the minute of the day at which the bar of a minute of the day begins."""
        length = self.count * (MINUTES_IN_HOUR if self.unit == "Hour" else 1)
        return minute - minute % length


def parse(name: str) -> Timeframe | None:
    """Read a timeframe's name, or return None if Alpaca has no such timeframe."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    count, unit = int(match[1]), _UNITS.get(match[2], match[2])
    return Timeframe(count, unit) if count in _COUNTS[unit] else None


def day_bars(
    timeframe: Timeframe, known: Sequence[DailyBar], factors: Sequence[Factor]
) -> Iterator[Bar]:
    """Merge a symbol's adjusted daily bars into bars of a day or more, ascending."""
    for first, days in groupby(known, key=lambda day: timeframe.first_day(day.session)):
        yield _merge(stamp(first), [_adjust(day[1:], day.session, factors) for day in days])


def minute_bars(
    timeframe: Timeframe,
    market: HistoricalMarket,
    session: date,
    minutes: Sequence[MinuteBar],
    factors: Sequence[Factor],
) -> Iterator[Bar]:
    """Merge a session's minutes into bars of less than a day, ascending."""
    opens = market.history.hours(session).open
    opened = opens.hour * MINUTES_IN_HOUR + opens.minute
    for first, merged in groupby(
        minutes, key=lambda minute: timeframe.first_minute(opened + minute.minute)
    ):
        at = stamp(session, time(*divmod(first, MINUTES_IN_HOUR)))
        yield _merge(at, [_adjust(minute[1:], session, factors) for minute in merged])


@cache
def stamp(day: date, at: time = time(0)) -> str:
    """Return the time stamp of a bar that begins at a date and time of day in New York."""
    return wire_stamp(new_york_instant(day, at))


def wire_stamp(at: datetime) -> str:
    """Format an instant in UTC as the time stamp of a bar."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _adjust(
    figures: tuple[Decimal, Decimal, Decimal, Decimal, int],
    session: date,
    factors: Sequence[Factor],
) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    opened, high, low, closed, traded = figures
    price, volume = factor_at(factors, session)
    return opened * price, high * price, low * price, closed * price, traded * volume


def _merge(at: str, parts: list[tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]) -> Bar:
    if len(parts) == 1:
        return Bar(at, *parts[0])
    opens, highs, lows, closes, volumes = zip(*parts, strict=True)
    return Bar(at, opens[0], max(highs), min(lows), closes[-1], sum(volumes, Decimal(0)))
