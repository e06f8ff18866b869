"""A run reports each difference between the account's shares and the books, and never guesses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from algotrader.adapters.adjustments import ADJUSTMENTS_KEY, add_adjustments, read_adjustments
from algotrader.adapters.aws import client
from algotrader.errors import ConfigurationError
from algotrader.model import Adjustment, Ledger, Snapshot
from algotrader.orders.ids import desk_id
from algotrader.services.books import checkpoint_key, others_key
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, position
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import snapshot_of

OWN = desk_id(ACCOUNT["account_number"], "desk")
OTHER = "def456"
D = Decimal


def seen(world: World, *, dry: bool = True) -> Snapshot:
    return snapshot_of(world, world.run({"dry_run": dry}))


def name(desk: str, n: int = 0, symbol: str = "AAPL", leg: str = "entry") -> str:
    return f"at1-{desk}-2026-01-05-day-{symbol}-{leg}-{n}"


def holds(world: World, *quantities: str) -> None:
    """Let the account hold AAPL.

    Each request gets the next quantity; later requests get the last one again.
    """
    world.server.scripts["GET /v2/positions"] = [
        Answer([position("AAPL", qty=qty)]) for qty in quantities
    ]


def give(world: World, desk: str, qty: str, at: str = "2026-01-05T20:00:00Z") -> None:
    known, tag = read_adjustments(world.store)
    added = Adjustment(f"{desk}{qty}", desk, "AAPL", D(qty), D(90), datetime.fromisoformat(at), "")
    assert add_adjustments(world.store, known, tag, (added,))


def test_a_sale_by_hand_is_named_with_both_numbers_and_the_ledger_stays(world: World) -> None:
    world.trade(name(OWN))
    world.trade("users-sale", side="sell", qty="4", filled_qty="4")
    holds(world, "6")

    reported = seen(world)

    assert reported.ledger.holdings["AAPL"].qty == 10
    assert reported.causes == {"AAPL": "a sale by hand of 4 on 2026-01-05"}
    (warning,) = reported.warnings
    assert warning.startswith(
        "AAPL: LEDGER_MISMATCH: the desk's books say 10, the account holds 6; probably a sale by"
        " hand of 4 on 2026-01-05. "
    )
    assert "`algo-trader release AAPL 4 --stack desk`" in warning


def test_shares_that_left_without_an_order_are_explained_by_the_statement(world: World) -> None:
    world.trade(name(OWN))
    world.server.on(
        "GET /v2/account/activities",
        [
            {"id": "1", "activity_type": "ACATS", "symbol": "AAPL", "qty": "-10"}
            | {"date": "2026-01-05"}
        ],
    )

    reported = seen(world)

    assert "transfer to or from another broker (ACATS) of -10" in reported.causes["AAPL"]
    asked = [each for each in world.server.requests if each.path == "/v2/account/activities"]
    assert "2025-12-07T00:00:00Z" in {each.query["after"] for each in asked}


def test_more_shares_than_the_books_say_are_the_users_and_nothing_is_reported(
    world: World,
) -> None:
    world.trade(name(OWN))
    holds(world, "500")

    reported = seen(world)

    assert (reported.warnings, reported.causes) == ((), {})


def test_a_symbol_that_became_another_is_reported_on_its_day_and_explains_what_is_gone(
    world: World,
) -> None:
    world.trade(name(OWN))
    change = {"old_symbol": "AAPL", "new_symbol": "PEAR", "process_date": "2026-01-06"}
    world.actions = {"name_changes": [change]}

    reported = seen(world)

    assert reported.ledger.holdings["AAPL"].qty == 10
    assert reported.causes == {"AAPL": "a name change with PEAR on 2026-01-06"}
    mismatch, changed = reported.warnings
    assert mismatch.startswith("AAPL: LEDGER_MISMATCH: ")
    assert changed.startswith(
        "AAPL: name change on 2026-01-06 with PEAR. The desk's books still show 10 AAPL. "
    )


def test_another_desks_shares_are_kept_apart_and_named_when_some_are_gone(world: World) -> None:
    world.trade(name(OWN))
    world.trade(name(OTHER))
    world.trade(name(OTHER, symbol="IBM"), symbol="IBM", qty="7", filled_qty="7")
    world.trade(name(OTHER, 1, leg="stop"), status="new", filled_qty="0", filled_avg_price=None)
    holds(world, "15")

    reported = seen(world)

    assert reported.ledger.holdings.keys() == {"AAPL"}
    assert reported.other_desks == {"AAPL": {OTHER: D(10)}, "IBM": {OTHER: D(7)}}
    assert [each.client_order_id for each in reported.foreign_open_orders] == [
        name(OTHER, 1, leg="stop")
    ]
    assert [each.split(":")[0] for each in reported.warnings] == ["AAPL", "IBM"]
    assert "desk def456 owns 10" in reported.warnings[0]


def test_what_another_desk_bought_between_two_looks_is_not_a_difference(world: World) -> None:
    world.trade(name(OWN))
    world.trade(name(OTHER))
    holds(world, "10", "20")

    reported = seen(world)

    assert reported.warnings == ()
    assert reported.positions["AAPL"].qty == 20


def test_what_was_given_counts_and_a_lost_bucket_leaves_what_the_orders_say(world: World) -> None:
    world.trade(name(OWN), submitted_at="2025-12-01T14:35:05Z", filled_at="2025-12-01T14:35:06Z")
    world.trade(name(OTHER), submitted_at="2025-12-01T14:35:05Z", filled_at=None)
    world.actions = {
        "forward_splits": [
            {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2025-12-15"}
        ]
    }
    holds(world, "500")
    give(world, OWN, "5")
    give(world, OTHER, "-8")

    first = seen(world, dry=False)

    assert first.ledger.holdings["AAPL"].qty == 45
    assert first.other_desks == {"AAPL": {OTHER: D(32)}}
    checkpoint = world.store.read(checkpoint_key(OWN), Ledger)
    assert checkpoint is not None
    assert checkpoint.holdings["AAPL"].qty == 40  # ten days old, so without the adjustment
    assert others_key(OWN) in world.stored()
    with_journal = seen(world)
    for key in world.stored():
        if key != ADJUSTMENTS_KEY:
            client("s3").delete_object(Bucket=world.store.bucket, Key=key)
    assert seen(world).ledger == with_journal.ledger == first.ledger
    client("s3").delete_object(Bucket=world.store.bucket, Key=ADJUSTMENTS_KEY)
    assert seen(world).ledger.holdings["AAPL"].qty == 40


def test_a_split_that_is_listed_a_week_late_still_counts(world: World) -> None:
    world.trade(name(OWN), submitted_at="2025-12-15T14:35:05Z", filled_at="2025-12-15T14:35:06Z")
    holds(world, "40")
    assert seen(world, dry=False).ledger.holdings["AAPL"].qty == 10
    assert checkpoint_key(OWN) in world.stored()
    world.actions = {
        "forward_splits": [
            {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2025-12-30"}
        ]
    }
    assert seen(world).ledger.holdings["AAPL"].qty == 40


NO_NUMBER = {"id": "1", "desk": OWN, "symbol": "AAPL", "qty": "NaN", "price": "1", "reason": ""}


@pytest.mark.parametrize(
    "body",
    [
        b"{half",
        b"{}",
        b'[{"id": "1"}]',
        json.dumps([{**NO_NUMBER, "at": "2026-01-05T20:00:00Z"}]).encode(),
    ],
)
def test_a_list_of_what_was_given_that_cannot_be_read_ends_the_run(
    world: World, body: bytes
) -> None:
    client("s3").put_object(Bucket=world.store.bucket, Key=ADJUSTMENTS_KEY, Body=body)

    with pytest.raises(ConfigurationError, match="ADJUSTMENTS_UNREADABLE"):
        world.run()


def test_a_list_that_lost_entries_which_a_run_has_seen_ends_the_run(world: World) -> None:
    give(world, OWN, "5")
    give(world, OWN, "-5")
    seen(world, dry=False)
    client("s3").delete_object(Bucket=world.store.bucket, Key=ADJUSTMENTS_KEY)

    with pytest.raises(ConfigurationError, match="it had 2 entries and now has 0"):
        seen(world)
    give(world, OWN, "5")
    with pytest.raises(ConfigurationError, match="it had 2 entries and now has 1"):
        seen(world)
    give(world, OWN, "-5")
    assert seen(world).ledger.holdings == {}


def test_what_is_known_of_other_desks_is_rebuilt_when_it_cannot_be_read(world: World) -> None:
    world.trade(name(OTHER), submitted_at="2025-12-01T14:35:05Z", filled_at=None)
    client("s3").put_object(Bucket=world.store.bucket, Key=others_key(OWN), Body=b"{half")
    holds(world, "10")

    reported = seen(world)

    assert reported.other_desks == {"AAPL": {OTHER: D(10)}}
    assert "rebuilt" in reported.warnings[0]


def test_of_two_writers_of_the_list_one_gets_an_error_and_a_retried_write_counts_once(
    world: World,
) -> None:
    def entry(number: str) -> Adjustment:
        return Adjustment(number, OWN, "AAPL", D(1), D(1), datetime(2026, 1, 5, tzinfo=UTC), "")

    known, tag = read_adjustments(world.store)
    assert (known, tag) == ((), None)
    assert add_adjustments(world.store, known, tag, (entry("1"),))
    assert not add_adjustments(world.store, known, tag, (entry("2"),))
    assert add_adjustments(world.store, known, tag, (entry("1"),))
    known, tag = read_adjustments(world.store)
    assert add_adjustments(world.store, known, tag, (entry("3"),))
    assert not add_adjustments(world.store, known, tag, (entry("4"),))
    assert [each.id for each in read_adjustments(world.store)[0]] == ["1", "3"]
