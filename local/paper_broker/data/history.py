"""Owns the typed view of the committed market data: bars, sessions, splits, dividends, assets."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
USUAL_OPEN = time(9, 30)
USUAL_CLOSE = time(16, 0)


class DailyBar(NamedTuple):
    """One session of one symbol, unadjusted: prices in dollars, volume in shares."""

    session: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class Hours(NamedTuple):
    """A session's opening and closing times in New York."""

    open: time
    close: time


@dataclass(frozen=True, slots=True)
class Split:
    """A split that turns ``old_rate`` shares into ``new_rate`` shares on ``ex_date``."""

    symbol: str
    ex_date: date
    new_rate: int
    old_rate: int

    @property
    def ratio(self) -> Decimal:
        """The number of new shares for one old share."""
        return Decimal(self.new_rate) / self.old_rate


@dataclass(frozen=True, slots=True)
class Dividend:
    """A dividend of ``amount`` dollars per share held at the close before ``ex_date``.

    The source has no days of payment, so ``days_to_payment`` is a guess.
    """

    symbol: str
    ex_date: date
    amount: Decimal
    special: bool
    days_to_payment: int = 14

    @property
    def payable(self) -> date:
        """The day of payment; on a holiday the broker pays at the next open."""
        return self.ex_date + timedelta(days=self.days_to_payment)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listed symbol, and whether the exchange accepts orders in it."""

    symbol: str
    name: str
    exchange: str
    cusip: str
    tradable: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """Daily bars of some symbols, and everything needed to trade on them.

    Attributes
    ----------
    sessions : tuple of date
        Every session, ascending.
    bars : mapping of str to sequence of DailyBar
        Unadjusted and ascending, without a gap from the symbol's first session to the last session.
    unusual_hours : dict of date to Hours
        Sessions that open late or close early; all others keep 09:30 to 16:00.
    splits, dividends : tuples
        Sorted by symbol, then by ex-date.
    """

    sessions: tuple[date, ...]
    bars: Mapping[str, Sequence[DailyBar]]
    unusual_hours: dict[date, Hours]
    splits: tuple[Split, ...]
    dividends: tuple[Dividend, ...]
    listings: dict[str, Listing]

    def hours(self, session: date) -> Hours:
        """Return a session's opening hours."""
        return self.unusual_hours.get(session, Hours(USUAL_OPEN, USUAL_CLOSE))


@cache
def load() -> History:
    """Load the committed tables, which are cached, so callers must not change them."""
    bars = _bars(gzip.decompress((HERE / "bars.csv.gz").read_bytes()).decode().splitlines())
    longest = max(bars.values(), key=len)
    return History(
        sessions=tuple(bar.session for bar in longest),
        bars=bars,
        unusual_hours={
            date.fromisoformat(day): Hours(time.fromisoformat(opens), time.fromisoformat(closes))
            for day, opens, closes in _rows("unusual_hours.csv")
        },
        splits=tuple(
            Split(symbol, date.fromisoformat(ex_date), int(new_rate), int(old_rate))
            for symbol, ex_date, new_rate, old_rate in _rows("splits.csv")
        ),
        dividends=tuple(
            Dividend(symbol, date.fromisoformat(ex_date), Decimal(amount), special == "true")
            for symbol, ex_date, amount, special in _rows("dividends.csv")
        ),
        listings={
            symbol: Listing(symbol, name, exchange, cusip)
            for symbol, name, exchange, cusip in _rows("assets.csv")
        },
    )


def _rows(name: str) -> list[list[str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _bars(lines: Iterable[str]) -> dict[str, tuple[DailyBar, ...]]:
    by_symbol: dict[str, list[DailyBar]] = {}
    rows = csv.reader(lines)
    next(rows)
    for symbol, session, opened, high, low, closed, volume in rows:
        prices = (Decimal(opened), Decimal(high), Decimal(low), Decimal(closed))
        bar = DailyBar(date.fromisoformat(session), *prices, int(volume))
        by_symbol.setdefault(symbol, []).append(bar)
    return {symbol: tuple(bars) for symbol, bars in by_symbol.items()}
