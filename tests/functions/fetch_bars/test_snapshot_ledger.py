"""The snapshot shows what the desk owns, and the run stores a checkpoint of it."""

from __future__ import annotations

from decimal import Decimal

from algotrader.adapters.aws import client
from algotrader.model import Holding, Ledger
from algotrader.services.books import checkpoint_key
from tests.functions.algotrader.adapters.broker_answers import asset
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import OTHER_ARN, bars_of, fail, run_of, snapshot_of


def own_id(world: World, symbol: str = "AAPL") -> str:
    desk = run_of(world.run({"dry_run": True})).desk
    return f"at1-{desk}-2026-01-05-day-{symbol}-entry-0"


def test_the_ledger_counts_only_the_desks_own_orders(world: World) -> None:
    world.trade(own_id(world))
    world.trade("users-own", symbol="IBM")
    world.trade("users-open", status="new", filled_qty="0", filled_avg_price=None)

    snapshot = snapshot_of(world, world.run())

    assert snapshot.ledger.holdings == {"AAPL": Holding(Decimal(10), Decimal(1000))}
    assert [each.client_order_id for each in snapshot.foreign_open_orders] == ["users-open"]
    assert snapshot.own_open_orders == ()


def test_a_symbol_that_was_taken_out_still_has_a_price_but_needs_no_bars(world: World) -> None:
    world.assets["GOOG"] = asset("GOOG")
    world.trade(own_id(world, "GOOG"), symbol="GOOG")

    result = world.run()

    snapshot = snapshot_of(world, result)
    assert snapshot.prices.keys() == snapshot.assets.keys() == {"AAPL", "GOOG", "IBM"}
    assert bars_of(world, result).keys() == {"AAPL", "IBM"}


def test_a_split_is_reported_and_counted_once(world: World) -> None:
    world.trade(own_id(world))
    world.actions = {
        "forward_splits": [
            {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2026-01-06"},
            {"symbol": "IBM", "new_rate": 2, "old_rate": 1, "ex_date": "2026-01-02"},
        ]
    }

    first = snapshot_of(world, world.run())
    fail(world)
    second = snapshot_of(world, world.run(arn=OTHER_ARN))

    assert [(each.symbol, each.kind) for each in first.corporate_actions] == [
        ("AAPL", "forward_split")
    ]
    assert first.ledger.holdings["AAPL"].qty == second.ledger.holdings["AAPL"].qty == 40


def test_an_order_stamped_ahead_of_the_brokers_clock_is_owned_and_not_yet_in_the_checkpoint(
    world: World,
) -> None:
    world.trade(own_id(world), submitted_at="2026-01-06T14:40:00Z", filled_at=None)
    result = world.run()
    assert snapshot_of(world, result).ledger.holdings["AAPL"].qty == 10
    checkpoint = world.store.read(f"ledger/{result.run.desk}.json", Ledger)
    assert checkpoint.holdings == {}


def test_the_checkpoint_of_the_ledger_saves_asking_for_all_orders(world: World) -> None:
    world.trade(own_id(world), submitted_at="2025-12-01T14:35:05Z", filled_at=None)
    first = world.run()
    desk = run_of(first).desk

    checkpoint = world.store.read(f"ledger/{desk}.json", Ledger)
    assert checkpoint is not None
    assert checkpoint.holdings == {"AAPL": Holding(Decimal(10), Decimal(1000))}

    fail(world)
    world.orders.clear()
    second = snapshot_of(world, world.run(arn=OTHER_ARN))
    assert second.ledger.holdings == checkpoint.holdings


def test_a_stack_that_only_tries_out_reads_the_accounts_old_orders_only_once(
    world: World,
) -> None:
    world.environ["TRADING_MODE"] = "dry-run"
    world.trade("users-own", submitted_at="2025-12-01T14:35:05Z")

    world.run()
    world.server.requests.clear()
    world.run(arn=OTHER_ARN)

    (listed,) = [
        each for each in world.server.asked("GET /v2/orders") if each.query["status"] == "all"
    ]
    assert listed.query["after"] > "2025-12-01T14:35:05Z"


def test_a_checkpoint_that_cannot_be_read_is_rebuilt_and_reported(world: World) -> None:
    world.trade(own_id(world))
    desk = run_of(world.run({"dry_run": True})).desk
    client("s3").put_object(Bucket=world.store.bucket, Key=f"ledger/{desk}.json", Body=b"{half")

    snapshot = snapshot_of(world, world.run())

    assert snapshot.ledger.holdings["AAPL"].qty == 10
    assert "rebuilt" in snapshot.warnings[0]


def test_without_a_list_of_corporate_actions_the_run_continues_with_a_warning(world: World) -> None:
    del world.server.scripts["GET /v1/corporate-actions"]

    result = world.run()

    assert "corporate actions" in snapshot_of(world, result).warnings[0]
    assert checkpoint_key(run_of(result).desk) not in world.stored()
