"""Owns the values of time-weighted returns: the starts of periods, and a session's summary."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct


class Mark(Struct, frozen=True):
    """The desk's and the benchmark's index at the start of a period.

    Attributes
    ----------
    after : date
        Session at whose close the period starts.
    index : Decimal
        The track's index at that close, or at the desk's first run after it.
    benchmark : Decimal or None
        The benchmark's index at that close; None if unknown.
    """

    after: date
    index: Decimal
    benchmark: Decimal | None


class Benchmark(Struct, frozen=True):
    """The benchmark's total return up to a session's close, with dividends reinvested.

    Attributes
    ----------
    session : date
        Session at whose close ``index`` applies.
    index : Decimal
        Value of one dollar invested when the desk first compared itself with this symbol.
    """

    symbol: str
    session: date
    index: Decimal


class Periods(Struct, frozen=True):
    """The starts of the periods whose returns the desk reports.

    Attributes
    ----------
    first_session : date
        Session of the run that began the track.
    first, month, week, day : Mark
        Starts of the track, of this month, this week and this session.
    last : Mark or None
        Start of the session before this one; None if no run measured that session.
    benchmark : Benchmark or None
        None without a benchmark, or before the broker reported a close of it.
    """

    first_session: date
    first: Mark
    month: Mark
    week: Mark
    day: Mark
    last: Mark | None
    benchmark: Benchmark | None


class Return(Struct, frozen=True):
    """The time-weighted returns of the desk and of the benchmark in one period, as fractions.

    A return is None if it is unknown. ``after`` is the session at whose close the period starts.
    """

    after: date
    desk: Decimal | None
    benchmark: Decimal | None


class Returns(Struct, frozen=True):
    """The returns that the messages show; deposits, withdrawals and ``Capital`` do not count.

    Attributes
    ----------
    first_session : date
        Session since which ``total`` counts.
    last : Return or None
        The last full session's; None if no run measured that session.
    """

    first_session: date
    last: Return | None
    day: Return
    week: Return
    month: Return
    total: Return


class SessionSummary(Struct, frozen=True):
    """The state of a desk at the last run of a session; each session's object is kept forever.

    ``benchmark`` is the symbol; empty without one. ``equity`` and ``account_profit`` are the
    account's, in dollars.
    """

    desk: str
    session: date
    at: datetime
    run_id: str
    strategy: str
    equity: Decimal
    account_profit: Decimal | None
    desk_profit: Decimal
    worth: Decimal
    index: Decimal
    benchmark: str
    returns: Returns
    holdings: dict[str, Decimal]
