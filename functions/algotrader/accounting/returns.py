"""Owns the desk's time-weighted returns by period, next to the benchmark's total return."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, localcontext

from msgspec import Struct
from msgspec.structs import replace

from algotrader.model import Benchmark, Mark, Periods, Return, Returns, Track
from algotrader.model.performance import total_profit
from algotrader.model.units import MONEY, ONE

_STEP = Decimal("1e-12")
_RETURN_STEP = Decimal("1e-6")


class BenchmarkPrices(Struct, frozen=True):
    """The benchmark's prices from one answer of the broker, adjusted for splits and dividends.

    Attributes
    ----------
    symbol : str
        Empty without a benchmark.
    closes : mapping of date to Decimal
        Closes by session, at least all that the broker has from `sessions_needed` on.
    latest : Decimal or None
        The latest price, or None if there is none.
    """

    symbol: str
    closes: Mapping[date, Decimal]
    latest: Decimal | None


def sessions_needed(known: Track | None, symbol: str, previous: date) -> date:
    """Return the first session for which a run needs the benchmark's close."""
    periods = None if known is None else known.periods
    if known is None or periods is None or periods.benchmark is None:
        return previous
    if periods.benchmark.symbol != symbol:
        return previous
    return min(periods.benchmark.session, known.day.session, previous)


def advance_periods(
    track: Track, known: Track | None, previous: date, prices: BenchmarkPrices
) -> Track:
    """Return the track with the starts of its periods; a repeated call changes nothing.

    Parameters
    ----------
    track : Track
        As `advance_track` returned it.
    known : Track or None
        The stored track that it continues, or None if there is none.
    previous : date
        The session before the track's.
    """
    before = None if known is None else known.periods
    benchmark = _advance(None if before is None else before.benchmark, prices, previous)
    at_close = benchmark.index if benchmark and benchmark.session == previous else None
    if known is None:
        # The desk's index starts now, so the benchmark's does too in the longer periods.
        start = Mark(previous, track.index, _index_now(benchmark, prices) or at_close)
        periods = _begin(track, start, benchmark)
        # The benchmark's figure for the day still counts from the close, as everybody quotes it.
        return replace(track, periods=replace(periods, day=replace(start, benchmark=at_close)))
    if before is None:
        start = Mark(previous, _index_at_close(track, known), at_close)
        return replace(track, periods=_begin(track, start, benchmark))
    if known.day.session == track.day.session:
        return replace(track, periods=_complete(before, previous, at_close, benchmark))
    day = Mark(previous, _index_at_close(track, known), at_close)
    # Without a run at a period's end, the period starts with the last run before that end.
    seen = Mark(known.day.session, known.index, _index_at(before.benchmark, prices, known))

    def start_of(length: str, current: Mark) -> Mark:
        now = _period(length, track.day.session)
        if _period(length, known.day.session) == now:
            return current
        return seen if _period(length, previous) == now else day

    periods = Periods(
        first_session=before.first_session,
        first=before.first,
        month=start_of("month", before.month),
        week=start_of("week", before.week),
        day=day,
        last=before.day if known.day.session == previous else None,
        benchmark=benchmark,
    )
    return replace(track, periods=periods)


def measure_returns(track: Track, prices: BenchmarkPrices) -> Returns:
    """Compute the returns from each period's start until now.

    For a track without periods, every period starts now.
    """
    start = Mark(track.day.session, track.index, None)
    periods = track.periods or _begin(track, start, None)
    now = _index_now(periods.benchmark, prices)

    def since(start: Mark) -> Return:
        return Return(start.after, _change(track.index, start.index), _change(now, start.benchmark))

    last = periods.last
    return Returns(
        first_session=periods.first_session,
        last=None
        if last is None
        else Return(
            last.after,
            _change(periods.day.index, last.index),
            _change(periods.day.benchmark, last.benchmark),
        ),
        day=since(periods.day),
        week=since(periods.week),
        month=since(periods.month),
        total=since(periods.first),
    )


def _begin(track: Track, start: Mark, benchmark: Benchmark | None) -> Periods:
    return Periods(track.day.session, start, start, start, start, None, benchmark)


def _complete(
    periods: Periods, previous: date, at_close: Decimal | None, benchmark: Benchmark | None
) -> Periods:
    """Fill in the benchmark's close if the session's first run could not read it."""

    def complete(mark: Mark) -> Mark:
        is_open = mark.after == previous and mark.benchmark is None
        return replace(mark, benchmark=at_close) if is_open else mark

    return replace(
        periods,
        first=complete(periods.first),
        month=complete(periods.month),
        week=complete(periods.week),
        day=complete(periods.day),
        benchmark=benchmark,
    )


def _advance(known: Benchmark | None, prices: BenchmarkPrices, session: date) -> Benchmark | None:
    """Return the benchmark's index at a session's close, or the last known one."""
    if not prices.symbol:
        return None
    if known is None or known.symbol != prices.symbol:
        return Benchmark(prices.symbol, session, ONE) if session in prices.closes else None
    index = _grow(known, prices, prices.closes.get(session))
    return known if index is None else Benchmark(known.symbol, session, index)


def _index_now(benchmark: Benchmark | None, prices: BenchmarkPrices) -> Decimal | None:
    return None if benchmark is None else _grow(benchmark, prices, prices.latest)


def _index_at(benchmark: Benchmark | None, prices: BenchmarkPrices, known: Track) -> Decimal | None:
    """Return the benchmark's index at the close of the track's session, or None if unknown."""
    if benchmark is None or benchmark.symbol != prices.symbol:
        return None
    return _grow(benchmark, prices, prices.closes.get(known.day.session))


def _grow(benchmark: Benchmark, prices: BenchmarkPrices, price: Decimal | None) -> Decimal | None:
    close = prices.closes.get(benchmark.session)
    if close is None or price is None:
        return None
    with localcontext(MONEY):
        return (benchmark.index * price / close).quantize(_STEP)


def _index_at_close(track: Track, known: Track) -> Decimal:
    """Return the desk's index at the close before the track's session.

    From that close on, the index grew by the profit since then, as a fraction of the capital base
    at the last observation.
    """
    if known.worth <= 0:
        return track.index
    with localcontext(MONEY):
        gained = total_profit(track.standings) - total_profit(track.day.standings)
        index = (track.index - known.index * gained / known.worth).quantize(_STEP)
    return max(index, _STEP)


def _period(length: str, day: date) -> tuple[int, int]:
    return day.isocalendar()[:2] if length == "week" else (day.year, day.month)


def _change(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    if now is None or then is None or then <= 0:
        return None
    with localcontext(MONEY):
        return (now / then - ONE).quantize(_RETURN_STEP)
