"""The state machine's data stays small, however many symbols a deployment has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from algotrader.adapters import universes
from algotrader.adapters.store import INLINE_LIMIT_BYTES, Store
from local.paper_broker.data import DailyBar, History, Listing
from local.paper_broker.market import SATURDAY
from local.sandbox.aws.quotas import MAX_VALUE_BYTES
from notify.report import RunRecord
from tests.support.hostile_day import BUCKET, STEPS, World, deployed, reached, world_of
from tests.support.own_strategies import own_strategies
from tests.support.own_universes import own_universes

SESSION = date(2012, 6, 20)
DAYS = tuple(
    day for back in range(60, -1, -1) if (day := SESSION - timedelta(back)).weekday() < SATURDAY
)
STRATEGY = '''
from algotrader.strategy import Strategy


class Bets(Strategy):
    """Buys two symbols of thousands."""

    def target_weights(self, market, portfolio):
        return dict.fromkeys(sorted(market.symbols)[:2], 0.3)
'''
#: About the number of symbols that the American exchanges list.
WHOLE_MARKET = 11_000


def names(count: int) -> list[str]:
    """Return symbols of four letters."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        "".join(letters[number // 26**place % 26] for place in (3, 2, 1, 0))
        for number in range(count)
    ]


def history(symbols: list[str]) -> History:
    price = Decimal(20)
    bars = tuple(DailyBar(day, price, price, price, price, 1000) for day in DAYS)
    return History(
        sessions=DAYS,
        bars=dict.fromkeys(symbols, bars),
        unusual_hours={},
        splits=(),
        dividends=(),
        listings={each: Listing(each, f"{each} Inc.", "NASDAQ", "000000000") for each in symbols},
    )


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], World]]:
    """Yield a function that runs a desk's day with the given number of symbols."""
    monkeypatch.setattr(universes, "MAX_SYMBOLS", WHOLE_MARKET)
    with own_strategies(tmp_path, monkeypatch) as write:
        write("bets", STRATEGY)

        def live(count: int) -> World:
            symbols = names(count)
            own_universes(tmp_path, monkeypatch)("all", "\n".join(symbols))
            deployment = {**deployed(), "SYMBOLS": "@all", "STRATEGY": "bets"}
            world = world_of(history(symbols), deployment, SESSION)
            with reached(world):
                assert world.live().leaf is None
            assert sorted(each["symbol"] for each in world.posts) == symbols[:2]
            return world

        yield live


def size(value: object) -> int:
    return len(json.dumps(value).encode())


@pytest.mark.parametrize("count", [5, 1000])
def test_what_travels_in_line_stays_far_below_what_a_state_may_hold(
    live: Callable[[int], World], count: int
) -> None:
    sizes = [size(each) for _, *both in live(count).handed_on for each in both]

    assert max(sizes) < MAX_VALUE_BYTES / 4


@pytest.mark.runs
def test_the_whole_markets_symbols_travel_only_by_reference(
    live: Callable[[int], World],
) -> None:
    world = live(WHOLE_MARKET)

    steps = [step for step, *_ in world.handed_on]
    assert list(dict.fromkeys(steps)) == list(STEPS)
    for step, event, result in world.handed_on:
        assert size(event) < INLINE_LIMIT_BYTES / 4, step
        assert size(result) < (MAX_VALUE_BYTES / 2 if step == "notify" else INLINE_LIMIT_BYTES / 4)
    with reached(world):
        record = Store(BUCKET).read("runs/2012-06-20/2012-06-20-day/record.json", RunRecord)
    assert record is not None
    assert record.settings is not None
    assert record.settings.symbols == tuple(names(WHOLE_MARKET))
    listed = "\n".join(names(WHOLE_MARKET)).encode()
    assert record.settings.universes == {"all": hashlib.sha256(listed).hexdigest()}
