"""Owns the computed symbols: a fund of the sample stocks, and random walks.

The symbols' names say that they are computed. Their bars are computed on first use.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import TypeAlias, overload

from local.paper_broker.data.history import DailyBar, History, Listing, load

FUND = Listing(
    symbol="EQWT",
    name="Equal-weight fund of the sample stocks (computed)",
    exchange="NYSE",
    cusip="000000000",
    tradable=False,
)
FUND_START = Decimal(100)

MAX_SYNTHETIC = 9999
SEED = "algo-trader synthetic"
DRIFT = 0.0003
CENT = Decimal("0.01")

# For each session: open, high, low and close in cents, then the volume.
Columns: TypeAlias = "array[int]"
FIELDS = 5


def sample_history(synthetic: int = 0) -> History:
    """Return the committed history with the fund and some synthetic symbols.

    Parameters
    ----------
    synthetic : int
        Number of synthetic symbols; a symbol's bars do not depend on it.
    """
    history = load()
    numbers = range(1, synthetic + 1)
    listings = {each.symbol: each for each in (FUND, *map(_synthetic_listing, numbers))}
    bars = {FUND.symbol: ComputedBars(history.sessions, lambda: _fund(history))} | {
        synthetic_symbol(number): _synthetic_bars(history.sessions, number) for number in numbers
    }
    return replace(
        history, bars={**history.bars, **bars}, listings={**history.listings, **listings}
    )


def synthetic_symbol(number: int) -> str:
    """Name a synthetic symbol, counted from 1: ``SYN0001``."""
    return f"SYN{number:04d}"


class ComputedBars(Sequence[DailyBar]):
    """A bar for every session; reading the first bar computes all bars.

    Parameters
    ----------
    sessions : tuple of date
        The sessions, ascending.
    compute : callable
        Returns each session's prices and volume.
    """

    def __init__(self, sessions: tuple[date, ...], compute: Callable[[], Columns]) -> None:
        self._sessions = sessions
        self._compute = compute

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self._sessions)

    @overload
    def __getitem__(self, place: int) -> DailyBar: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[DailyBar, ...]: ...
    def __getitem__(self, place: int | slice) -> DailyBar | tuple[DailyBar, ...]:
        """Return a bar, or the bars of a slice."""
        if isinstance(place, slice):
            return tuple(map(self._bar, range(*place.indices(len(self)))))
        return self._bar(range(len(self))[place])

    def _bar(self, place: int) -> DailyBar:
        *prices, volume = self._columns[FIELDS * place : FIELDS * (place + 1)]
        opened, high, low, closed = (price * CENT for price in prices)
        return DailyBar(self._sessions[place], opened, high, low, closed, volume)

    @cached_property
    def _columns(self) -> Columns:
        return self._compute()


def _fund(history: History) -> Columns:
    """Compute a fund that rebalances to equal weights at each close, without costs.

    In each session, its price moves by the mean of the stocks' total returns since the previous
    close. A split multiplies the shares, and a dividend is reinvested. A stock joins at its first
    close. High and low are only bounds because the stocks do not reach theirs at the same time.
    The fund has no volume.
    """
    ratios = {(it.symbol, it.ex_date): it.ratio for it in history.splits}
    paid: dict[tuple[str, date], Decimal] = {}
    for it in history.dividends:
        paid[it.symbol, it.ex_date] = paid.get((it.symbol, it.ex_date), Decimal(0)) + it.amount
    columns = array("q")
    price, before = FUND_START, dict[str, Decimal]()
    stocks = {symbol: {bar.session: bar for bar in bars} for symbol, bars in history.bars.items()}
    for session in history.sessions:
        today = {symbol: bars[session] for symbol, bars in stocks.items() if session in bars}
        moves = [
            [
                (value + paid.get((symbol, session), 0))
                * ratios.get((symbol, session), 1)
                / before[symbol]
                for value in (bar.open, bar.high, bar.low, bar.close)
            ]
            for symbol, bar in today.items()
            if symbol in before
        ]
        prices = [price * sum(each) / len(moves) for each in zip(*moves, strict=True)]
        prices = prices or [price] * 4
        columns.extend(int((each / CENT).to_integral_value()) for each in prices)
        columns.append(0)
        price, before = prices[-1], {symbol: bar.close for symbol, bar in today.items()}
    return columns


def _synthetic_listing(number: int) -> Listing:
    name = f"Synthetic {number}: a random walk, not a company"
    return Listing(synthetic_symbol(number), name, "NYSE", "000000000")


def _synthetic_bars(sessions: tuple[date, ...], number: int) -> ComputedBars:
    return ComputedBars(sessions, lambda: _walk(number, len(sessions)))


# The factors by which a step multiplies a price, indexed by a sum of random bytes. The standard
# deviation is 0.6 % for a night and 1.2 % for a day. High and low are up to 1 % beyond open and
# close.
_NIGHT = [1 + (each - 255) * 0.006 / 104 for each in range(2 * 255 + 1)]
_DAY = [1 + (each - 510) * 0.012 / 148 + DRIFT for each in range(4 * 255 + 1)]
_UP = [1 + each * 0.01 / 255 for each in range(255 + 1)]
_DOWN = [1 - each * 0.01 / 255 for each in range(255 + 1)]


def _walk(number: int, length: int) -> Columns:
    """Compute a random walk whose steps are proportional to the price.

    Prices are only multiplied and divided, so every machine computes the same cents.
    """
    random = Random(f"{SEED} {number}")  # noqa: S311 - prices, not secrets
    closed = 20 + 180 * random.random()
    columns: list[int] = []
    step = iter(random.randbytes(8 * length))
    for a, b, c, d, e, f, up, down in zip(*(step,) * 8, strict=True):
        opened = max(closed * _NIGHT[a + b], 1.0)
        closed = max(opened * _DAY[c + d + e + f], 1.0)
        high, low = (opened, closed) if opened > closed else (closed, opened)
        columns += (
            int(opened * 100),
            int(high * _UP[up] * 100),
            int(low * _DOWN[down] * 100),
            int(closed * 100),
            1_000_000 + 4000 * (up + down),
        )
    return array("q", columns)
