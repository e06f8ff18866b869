"""Owns the synthetic minutes: a random path through a real daily bar.

The minutes of a day have exactly its open, high, low, close and volume. Everything in between is
random, with a seed made of the symbol and the date, so every machine computes the same minutes.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random
from typing import NamedTuple

from local.paper_broker.data.history import DailyBar

SEED = "algo-trader minutes"
#: Shares in a minute come in lots, one for each of its trades: open, high, low and close.
LOT = 4
#: Price steps are computed in hundredths of a cent, and rounded to cents.
SCALE = 10_000
TICK = 100
BYTE = 255
#: A step's largest size, and how far a minute reaches beyond its ends, as fractions of the day's
#: range.
STEP, REACH = 0.04, 0.03


class MinuteBar(NamedTuple):
    """One minute, counted from 0 at the open: prices in dollars, volume in shares."""

    minute: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@lru_cache(maxsize=512)
def synthetic_minutes(symbol: str, day: DailyBar, count: int) -> tuple[MinuteBar, ...]:
    """Return the minutes in which a symbol traded on a day.

    A minute without a trade has no bar. A day without volume has a bar for every minute.

    Parameters
    ----------
    count : int
        The minutes between the session's open and its close.
    """
    random = Random(f"{SEED} {symbol} {day.session}")  # noqa: S311 - prices, not secrets
    volumes = _volumes(day.volume, count, random)
    traded = [minute for minute, volume in enumerate(volumes) if volume or not day.volume]
    points = _points(day, len(traded), random)
    ranges = _ranges(day, points, random)
    decimals = {_units(price): price for price in day[1:5]}

    def price(units: int) -> Decimal:
        if units not in decimals:
            decimals[units] = Decimal(units) / SCALE
        return decimals[units]

    return tuple(
        MinuteBar(minute, price(opened), price(top), price(bottom), price(closed), volumes[minute])
        for minute, (opened, closed), (top, bottom) in zip(
            traded, pairwise(points), ranges, strict=True
        )
    )


def _volumes(total: int, count: int, random: Random) -> list[int]:
    """Distribute a day's volume over its minutes, with more at the open and at the close."""
    middle = (count - 1) / 2 or 1.0
    weights = [
        int(100 + byte + BYTE * ((minute - middle) / middle) ** 2)
        for minute, byte in enumerate(random.randbytes(count))
    ]
    whole, lots = sum(weights), total // LOT
    volumes = [
        LOT * (lots * after // whole - lots * before // whole)
        for before, after in pairwise(accumulate(weights, initial=0))
    ]
    last = max((minute for minute, volume in enumerate(volumes) if volume), default=0)
    volumes[last] += total - LOT * lots
    return volumes


def _points(day: DailyBar, count: int, random: Random) -> list[int]:
    """Return the prices at the edges of the minutes, from the day's open to its close."""
    low, high = _units(day.low), _units(day.high)
    pins = {0: _units(day.open), count: _units(day.close)}
    beyond = [
        extreme
        for extreme, ends in ((high, max(pins.values())), (low, min(pins.values())))
        if extreme != ends
    ]
    if count > len(beyond):
        pins |= dict(zip(random.sample(range(1, count), len(beyond)), beyond, strict=True))
    points = [pins[0]]
    for (first, start), (last, end) in pairwise(sorted(pins.items())):
        length = last - first
        steps = [2 * byte - BYTE for byte in random.randbytes(length)]
        drift, size = sum(steps) / length, STEP * (high - low) / BYTE
        for place, walked in enumerate(accumulate(steps[:-1]), start=1):
            line = start + (end - start) * place / length
            wander = size * (walked - drift * place)
            points.append(min(high, max(low, _rounded(line + wander, start))))
        points.append(end)
    return points


def _ranges(day: DailyBar, points: list[int], random: Random) -> list[tuple[int, int]]:
    """Return the high and the low of each minute; the day's own are reached at least once."""
    low, high = _units(day.low), _units(day.high)
    reach = REACH * (high - low) / BYTE
    highs, lows = [], []
    for opened, closed in pairwise(points):
        upper, lower = max(opened, closed), min(opened, closed)
        up, down = random.randbytes(2)
        highs.append(min(high, max(upper, _rounded(upper + reach * up, upper))))
        lows.append(max(low, min(lower, _rounded(lower - reach * down, lower))))
    if max(highs) < high:
        highs[random.randrange(len(highs))] = high
    if min(lows) > low:
        lows[random.randrange(len(lows))] = low
    return list(zip(highs, lows, strict=True))


def _units(price: Decimal) -> int:
    return int(price * SCALE)


def _rounded(units: float, start: int) -> int:
    """Round down to a cent; below a dollar, to the unit."""
    return int(units) if start < SCALE else int(units) // TICK * TICK
