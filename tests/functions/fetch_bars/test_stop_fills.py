"""Only the next run that ends well reports a sale by a stop."""

from __future__ import annotations

import pytest

from algotrader.contracts import FetchBarsResult
from algotrader.orders.ids import parse_client_order_id
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import BROKE, FLATTEN, at_the_bell, ended, run_of, snapshot_of


def sell(world: World, desk: str, at: str, filled: str = "10") -> None:
    order_id = f"at1-{desk}-2026-01-02-day-AAPL-stop-0"
    world.orders = [each for each in world.orders if each["client_order_id"] != order_id]
    whole = filled == "10"
    world.trade(
        order_id,
        side="sell",
        type="stop",
        submitted_at="2026-01-02T14:35:05Z",
        filled_at=at,
        filled_qty=filled,
        status="filled" if whole else "partially_filled",
    )


def stopped(world: World, result: FetchBarsResult) -> list[tuple[str, str]]:
    return [(each.symbol, str(each.filled_qty)) for each in snapshot_of(world, result).stopped]


@pytest.fixture
def desk(world: World) -> str:
    """Record a run and a buy from before today, and return the desk's id."""
    found = run_of(world.run({"dry_run": True})).desk
    entry = f"at1-{found}-2026-01-02-day-AAPL-entry-0"
    assert parse_client_order_id(entry) is not None
    world.trade(entry, qty="20", filled_qty="20", submitted_at="2026-01-02T14:35:00Z")
    return found


def test_a_sale_is_reported_once_by_the_next_run_that_ends_well(world: World, desk: str) -> None:
    assert "Stop sold" not in ended(world, at_the_bell(world, 6))
    sell(world, desk, "2026-01-06T14:35:10Z")  # ten seconds after the observation
    shown = at_the_bell(world, 7, {"dry_run": True})
    assert stopped(world, shown) == [("AAPL", "10")]  # a dry run does not count as a report
    failed = at_the_bell(world, 7)
    assert stopped(world, failed) == [("AAPL", "10")]
    assert "Stop sold" not in ended(world, failed, BROKE)
    reported = at_the_bell(world, 8)
    assert "Stop sold 10 AAPL" in ended(world, reported)
    assert stopped(world, at_the_bell(world, 9)) == []


def test_a_run_that_looks_twice_reports_what_it_saw_first(world: World, desk: str) -> None:
    ended(world, at_the_bell(world, 6))
    sell(world, desk, "2026-01-06T16:00:00Z")
    assert stopped(world, at_the_bell(world, 7)) == [("AAPL", "10")]
    assert stopped(world, at_the_bell(world, 7)) == [("AAPL", "10")]


def test_only_the_canceling_run_reports_a_sale_during_the_cancel(world: World, desk: str) -> None:
    ended(world, at_the_bell(world, 6))
    run = at_the_bell(world, 7)
    sell(world, desk, "2026-01-07T14:35:20Z")
    ended(world, run, orders=tuple(snapshot_of(world, at_the_bell(world, 7)).stopped))
    assert stopped(world, at_the_bell(world, 8)) == []


def test_a_flatten_reports_and_what_it_reported_stays_reported(world: World, desk: str) -> None:
    ended(world, at_the_bell(world, 6))
    sell(world, desk, "2026-01-06T16:00:00Z", "4")
    flat = at_the_bell(world, 7, FLATTEN)
    assert "no orders, holds 1. Stop sold 4 AAPL. " in ended(world, flat)
    sell(world, desk, "2026-01-08T16:00:00Z", "10")
    assert stopped(world, at_the_bell(world, 9)) == [("AAPL", "6")]


def test_what_cannot_be_read_stops_no_run(world: World, desk: str) -> None:
    run = at_the_bell(world, 6)
    ended(world, run)
    sell(world, desk, "2026-01-06T16:00:00Z")
    world.store.write(f"{run_of(run).journal}record.json", {"submission": "odd"})
    assert stopped(world, at_the_bell(world, 7)) == [("AAPL", "10")]
    world.store.write(f"ledger/{desk}-stop-fills.json", ["odd"])
    assert stopped(world, at_the_bell(world, 8)) == []  # as if the previous run had reported it
