"""A flatten opens despite other faults and gathers no bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from algotrader.adapters.aws import client
from algotrader.errors import InvalidInputError
from algotrader.model import TradingState
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, World
from tests.functions.fetch_bars.runs import (
    FLATTEN,
    FLATTEN_JOURNAL,
    OTHER_ARN,
    claimed,
    handed_on,
    snapshot_of,
)

BREAKAGES: dict[str, Callable[[World], Any]] = {
    "no such strategy": lambda world: world.environ.update(STRATEGY="gone"),
    "odd parameters": lambda world: world.environ.update(STRATEGY_PARAMETERS='{"odd": 1}'),
    "no bars": lambda world: world.bars.clear(),
    "no market data": lambda world: world.server.on(
        "GET /v2/stocks/trades/latest", Answer(b"<html>", 502)
    ),
    "a symbol that nobody knows": lambda world: world.environ.update(SYMBOLS="AAPL,NOPE"),
}


def hold(world: World) -> str:
    """Record that the desk bought ten shares yesterday, and return the desk's id."""
    run = world.run(FLATTEN | {"dry_run": True}).run
    assert run is not None
    world.trade(f"at1-{run.desk}-2026-01-05-day-AAPL-entry-0")
    return run.desk


@pytest.mark.parametrize("breakage", [None, *BREAKAGES])
def test_a_flatten_opens_whatever_else_is_broken(world: World, breakage: str | None) -> None:
    hold(world) if breakage is None else BREAKAGES[breakage](world)

    result = world.run(FLATTEN)

    assert (result.outcome, result.bars) == ("FLATTEN", None)
    assert result.run is not None
    assert (result.run.run_id, result.run.journal) == ("2026-01-06-f0935", FLATTEN_JOURNAL)
    assert (result.run.sends_orders, result.run.entry_symbols) == (True, ())
    fetched = world.store.read(f"{FLATTEN_JOURNAL}fetched.json", dict)
    assert fetched is not None
    assert fetched["bars"] is None


def test_it_knows_what_the_desk_holds_and_what_stands_in_the_way(world: World) -> None:
    desk = hold(world)
    world.trade(f"at1-{desk}-2026-01-05-day-AAPL-stop-0", side="sell", status="new", filled_qty="0")
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value="REDUCING flatten")

    snapshot = snapshot_of(world, world.run(FLATTEN))

    assert {name: each.qty for name, each in snapshot.ledger.holdings.items()} == {"AAPL": 10}
    assert [each.client_order_id[-6:] for each in snapshot.own_open_orders] == ["stop-0"]
    assert snapshot.prices.keys() == snapshot.assets.keys() == {"AAPL"}
    assert snapshot.trading_state is TradingState.REDUCING


def test_prices_that_cannot_be_read_are_named(world: World) -> None:
    hold(world)
    BREAKAGES["no market data"](world)

    snapshot = snapshot_of(world, world.run(FLATTEN))

    assert snapshot.prices == {}
    assert any("BROKER_ERROR" in each for each in snapshot.warnings)


@pytest.mark.parametrize(
    "beside", [{"report_only": True}, {"symbols": ["AAPL"]}, {"symbols": []}, {"slot": "day"}]
)
def test_part_of_a_flatten_is_refused_by_name(world: World, beside: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=rf"FLATTEN_NARROWED: beside={next(iter(beside))}"):
        world.run(FLATTEN | beside)

    assert world.stored() == []


def test_a_closed_market_sells_nothing_and_says_when_it_opens(world: World) -> None:
    world.now, world.is_open = "2026-01-06T16:30:00-05:00", False

    result = world.run(FLATTEN)

    assert result.outcome == "CLOSED"
    assert result.message.startswith("Nothing was sold. The market is closed. It opens next on")
    assert world.stored() == []


def test_a_dry_run_shows_it_at_night_and_claims_nothing(world: World) -> None:
    world.now, world.is_open = "2026-01-06T22:15:00-05:00", False

    result = world.run(FLATTEN | {"dry_run": True})

    assert result.outcome == "FLATTEN"
    assert result.run is not None
    assert (result.run.slot, result.run.sends_orders) == ("f2215", False)
    assert not [each for each in world.stored() if each.endswith("claim.json")]


@pytest.mark.parametrize("stands", ["ACTIVE", "REDUCING", "HALTED"])
def test_a_dry_run_decides_as_a_flatten_does_once_it_has_set_reducing(
    world: World, stands: str
) -> None:
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value=f"{stands} drill")

    shown = snapshot_of(world, world.run(FLATTEN | {"dry_run": True}))
    real = snapshot_of(world, world.run(FLATTEN))

    assert shown.trading_state is TradingState.REDUCING
    assert shown.trading_state_reason == f"as a flatten sets it, now {stands}: drill"
    assert (real.trading_state.value, real.trading_state_reason) == (stands, "drill")


def test_two_flattens_of_one_minute_are_one_run(world: World) -> None:
    assert world.run(FLATTEN).outcome == "FLATTEN"

    assert world.run(FLATTEN, arn=OTHER_ARN).outcome == "DUPLICATE"


def test_a_failed_flatten_continues_with_its_decision_within_its_minute(world: World) -> None:
    hold(world)
    first = world.run(FLATTEN)
    world.decide(first, arn=OTHER_ARN)
    claimed(world, FLATTEN_JOURNAL, "failed")
    world.now = "2026-01-06T09:35:40-05:00"

    second = world.run(FLATTEN, arn=f"{ARN}-again")

    assert (second.outcome, second.bars) == ("FLATTEN", None)
    assert handed_on(second) == handed_on(first)
    assert first.run is not None
    assert second.run is not None
    assert second.run.deadline == first.run.deadline
