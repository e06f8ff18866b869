"""A new strategy takes over the desk's holdings, books and peak, but starts a new ramp."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim
from algotrader.contracts import FetchBarsResult
from algotrader.model import Holding, StrategyStart
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import (
    BROKE,
    FLATTEN,
    TRACK_KEY,
    at_the_bell,
    ended,
    run_of,
    snapshot_of,
    track_of,
)

OLD, NEW = "sma_cross", "momentum_rotation"
CHANGED = f"Strategy is now {NEW}"
UNKNOWN = f"The bucket does not record when {OLD} began to trade, so the live ramp starts again."


def deploy(world: World, strategy: str) -> None:
    parameters = {OLD: '{"fast": 3, "slow": 5}', NEW: '{"window": 20}'}[strategy]
    world.environ.update(STRATEGY=strategy, STRATEGY_PARAMETERS=parameters)


def go_live(world: World) -> None:
    """Let the desk trade real money. It is not armed, so it halts and its books do not change."""
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER=ACCOUNT["account_number"])


def buy(world: World, result: FetchBarsResult) -> None:
    """Fill a run's buy ten seconds after its bell."""
    run = run_of(result)
    at = f"{run.session}T14:35:10Z"
    order_id = f"at1-{run.desk}-{run.run_id}-AAPL-entry-0"
    world.trade(order_id, submitted_at=at, filled_at=at)
    held = str(10 * len(world.orders))
    world.server.on(
        "GET /v2/positions", [{"symbol": "AAPL", "qty": held, "avg_entry_price": "100"}]
    )


def started(world: World, result: FetchBarsResult) -> StrategyStart:
    found = snapshot_of(world, result).started
    assert found is not None
    return found


@pytest.fixture
def traded(world: World) -> World:
    """Return a desk whose first strategy bought on Tuesday and ran on Wednesday."""
    first = at_the_bell(world, 6)
    assert started(world, first).first_buy is None
    assert "Strategy" not in ended(world, first)
    buy(world, first)
    second = at_the_bell(world, 7)
    assert started(world, second).first_buy == date(2026, 1, 6)
    ended(world, second)
    return world


def test_the_books_the_peak_and_the_profit_continue(traded: World) -> None:
    before = track_of(traded)
    old = snapshot_of(traded, at_the_bell(traded, 8, {"dry_run": True}))
    deploy(traded, NEW)

    new = snapshot_of(traded, at_the_bell(traded, 8))

    assert new.ledger.holdings == {"AAPL": Holding(Decimal(10), Decimal(1000))}
    assert new.other_desks == {}
    assert new.performance == old.performance
    assert track_of(traded).peak >= before.peak > 1


def test_another_strategy_starts_the_ramp_again_from_its_own_first_buy(traded: World) -> None:
    deploy(traded, NEW)
    changed = at_the_bell(traded, 8)
    assert (started(traded, changed).first_buy, started(traded, changed).replaced) == (None, OLD)
    buy(traded, changed)
    assert started(traded, at_the_bell(traded, 9)).first_buy == date(2026, 1, 8)


def test_the_change_is_reported_once_by_the_next_run_that_ends_well(traded: World) -> None:
    deploy(traded, NEW)
    dry = at_the_bell(traded, 8, {"dry_run": True})
    assert CHANGED in ended(traded, dry)  # a dry run does not count as a report
    assert CHANGED not in ended(traded, at_the_bell(traded, 8), BROKE)
    well = at_the_bell(traded, 9)
    assert CHANGED in ended(traded, well)
    traded.now = "2026-01-09T10:05:00-05:00"
    traded.environ["SLOTS"] = "0935,1005"
    after = traded.run({"slot": "1005"})
    assert started(traded, after).replaced == ""
    assert "Strategy" not in ended(traded, after)


def test_a_run_that_is_repeated_reports_the_change_again(traded: World) -> None:
    """The first attempt may have stopped after writing its record and before sending its text."""
    deploy(traded, NEW)
    first = at_the_bell(traded, 8)
    ended(traded, first)
    key = f"{run_of(first).journal}claim.json"
    claim = traded.store.read(key, Claim)
    assert claim is not None
    traded.store.write(key, structs.replace(claim, state="failed"))
    assert CHANGED in ended(traded, at_the_bell(traded, 8))


def test_a_flatten_and_a_report_begin_no_strategy(traded: World) -> None:
    deploy(traded, NEW)
    assert snapshot_of(traded, at_the_bell(traded, 8, FLATTEN)).started is None
    traded.now, traded.is_open = "2026-01-08T16:15:02-05:00", False
    bell: dict[str, Any] = {"report_only": True, "scheduled_time": "2026-01-08T21:15:00Z"}
    report = traded.run(bell)
    assert snapshot_of(traded, report).started is None
    kept = track_of(traded).started
    assert kept is not None
    assert (kept.strategy, kept.first_buy) == (OLD, date(2026, 1, 6))


def test_a_dry_run_begins_no_strategy(traded: World) -> None:
    deploy(traded, NEW)
    at_the_bell(traded, 8, {"dry_run": True})
    deploy(traded, OLD)
    assert started(traded, at_the_bell(traded, 8)).first_buy == date(2026, 1, 6)


@pytest.mark.parametrize("content", [None, ["odd"]])
def test_a_lost_journal_starts_a_live_ramp_again_and_says_so(
    traded: World, content: object
) -> None:
    go_live(traded)
    if content is None:
        client("s3").delete_object(Bucket=traded.store.bucket, Key=TRACK_KEY)
    else:
        traded.store.write(TRACK_KEY, content)

    first = at_the_bell(traded, 8)

    assert started(traded, first).first_buy is None
    assert UNKNOWN in snapshot_of(traded, first).warnings
    again = at_the_bell(traded, 9)
    assert started(traded, again).first_buy is None
    assert UNKNOWN not in snapshot_of(traded, again).warnings


def test_a_desk_that_never_traded_has_nothing_to_say_of_it(world: World) -> None:
    go_live(world)
    assert UNKNOWN not in snapshot_of(world, at_the_bell(world, 6)).warnings
