"""One symbol that the run cannot use stops no other; a feed that is late stops the run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from algotrader.errors import (
    DeskError,
    InsufficientHistoryError,
    StaleBarsError,
)
from algotrader.model import Unfit
from algotrader.orders.ids import desk_id
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, asset, position
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import bars_of, claim_of, snapshot_of

Rows = list[dict[str, Any]]


def without(*days: str) -> Callable[[Rows], Rows]:
    return lambda bars: [each for each in bars if each["t"][:10] not in days]


def since(day: str) -> Callable[[Rows], Rows]:
    return lambda bars: [each for each in bars if each["t"][:10] >= day]


def until(day: str) -> Callable[[Rows], Rows]:
    return lambda bars: [each for each in bars if each["t"][:10] <= day]


def nan(bars: Rows) -> Rows:
    return [each if each["t"] < "2026-01-05" else {**each, "c": None} for each in bars]


SPOILED = [
    (lambda _: [], InsufficientHistoryError, "BARS_ABSENT", "the feed has no daily bars"),
    (
        without("2026-01-05"),
        StaleBarsError,
        "BARS_STALE",
        "newest bar 2026-01-02, 2 sessions old",
    ),
    (
        nan,
        InsufficientHistoryError,
        "BARS_NOT_NUMBERS",
        "prices that are not numbers above 0 on 2026-01-05",
    ),
    (
        since("2026-01-02"),
        InsufficientHistoryError,
        "BARS_TOO_FEW",
        "2 of 6 bars, the first of 2026-01-02",
    ),
    (
        without("2025-12-29", "2025-12-30", "2025-12-31"),
        InsufficientHistoryError,
        "BARS_MISSING",
        "no bar on 2025-12-29, 2025-12-30, 2025-12-31, 2 may be missing",
    ),
]


@pytest.mark.parametrize(("spoil", "leaf", "code", "detail"), SPOILED)
def test_bars_that_are_not_fit_concern_their_symbol_alone(
    world: World, spoil: Any, leaf: type[DeskError], code: str, detail: str
) -> None:
    del leaf
    world.bars["IBM"] = spoil(world.bars["IBM"])

    result = world.run()

    snapshot = snapshot_of(world, result)
    assert snapshot.unfit == {"IBM": Unfit(code, detail)}
    assert bars_of(world, result).keys() == {"AAPL"}
    assert snapshot.prices.keys() == {"AAPL", "IBM"}


@pytest.mark.parametrize("days", [("2025-12-31",), ("2025-12-30", "2025-12-31")])
def test_a_symbol_that_resumes_after_a_halt_of_one_or_two_sessions_is_fit_at_once(
    world: World, days: tuple[str, ...]
) -> None:
    world.bars["IBM"] = without(*days)(world.bars["IBM"])

    assert snapshot_of(world, world.run()).unfit == {}


@pytest.mark.parametrize(("spoil", "leaf", "code", "detail"), SPOILED)
def test_a_template_that_says_stop_ends_the_run_and_frees_its_claim(
    world: World, spoil: Any, leaf: type[DeskError], code: str, detail: str
) -> None:
    world.environ["UNFIT_SYMBOLS"] = "stop"
    world.bars["IBM"] = spoil(world.bars["IBM"])

    with pytest.raises(leaf) as raised:
        world.run()

    assert raised.value.code == code
    assert f"symbols=IBM ({detail})" in str(raised.value)
    assert claim_of(world).state == "failed"


def test_a_universe_of_one_that_is_late_ends_the_run(world: World) -> None:
    world.environ["SYMBOLS"] = "IBM"
    world.bars["IBM"] = without("2026-01-05")(world.bars["IBM"])

    with pytest.raises(StaleBarsError, match="late=1 of 1"):
        world.run()


def test_a_session_that_no_symbol_has_ends_the_run(world: World) -> None:
    for name in ("AAPL", "IBM"):
        world.bars[name] = without("2026-01-05")(world.bars[name])

    with pytest.raises(StaleBarsError, match="late=2 of 2 expected=2026-01-05"):
        world.run()


def test_the_largest_share_of_late_symbols_is_the_templates(world: World) -> None:
    names = [f"S{n}" for n in range(4)]
    world.environ["SYMBOLS"] = ",".join(names)
    for name in names:
        world.assets[name], world.bars[name] = asset(name), world.bars["AAPL"]
    for name in ("S1", "S2"):
        world.bars[name] = without("2026-01-05")(world.bars["AAPL"])

    with pytest.raises(StaleBarsError, match="late=2 of 4"):
        world.run()
    world.environ["MAX_STALE_SHARE"] = "0.5"
    assert snapshot_of(world, world.run()).unfit.keys() == {"S1", "S2"}


def test_a_symbol_that_the_broker_does_not_list_is_named_and_asked_for_neither_bars_nor_a_price(
    world: World,
) -> None:
    world.environ["SYMBOLS"] = "AAPL,IBM,NOPE"
    world.assets["IBM"] = asset("IBM", tradable=False)

    snapshot = snapshot_of(world, world.run())

    assert snapshot.unfit == {
        "IBM": Unfit("SYMBOL_NOT_TRADABLE", "the broker does not let you trade it"),
        "NOPE": Unfit("SYMBOL_UNKNOWN", "the broker does not list it"),
    }
    asked = [each for each in world.server.requests if each.path.startswith("/v2/stocks/")]
    assert asked
    assert not any("NOPE" in each.query["symbols"] for each in asked)


RENAME = {"old_symbol": "FB", "new_symbol": "META", "process_date": "2022-06-09"}


def test_a_rename_of_long_ago_is_recognized_and_says_what_to_change(world: World) -> None:
    world.environ["SYMBOLS"] = "AAPL,FB"
    world.actions = {"name_changes": [RENAME]}

    assert snapshot_of(world, world.run()).unfit == {
        "FB": Unfit("SYMBOL_RENAMED", "FB is META since 2022-06-09: change Symbols")
    }


def test_a_rename_of_today_makes_a_symbol_with_good_bars_unfit(world: World) -> None:
    change = {"old_symbol": "IBM", "new_symbol": "IBMX", "process_date": "2026-01-06"}
    world.actions = {"name_changes": [change]}

    assert snapshot_of(world, world.run()).unfit == {
        "IBM": Unfit("SYMBOL_RENAMED", "IBM is IBMX since 2026-01-06: change Symbols")
    }


def test_a_rename_of_tomorrow_changes_nothing_today(world: World) -> None:
    change = {"old_symbol": "IBM", "new_symbol": "IBMX", "process_date": "2026-01-07"}
    world.actions = {"name_changes": [change]}

    assert snapshot_of(world, world.run()).unfit == {}


def test_a_list_of_actions_that_cannot_be_read_explains_nothing_and_stops_nothing(
    world: World,
) -> None:
    world.environ["SYMBOLS"] = "AAPL,FB"
    world.server.on(
        "GET /v1/corporate-actions",
        lambda seen: Answer(
            {"message": "start is too early"}
            if seen.query["start"] < "2025"
            else {"corporate_actions": {}},
            400 if seen.query["start"] < "2025" else 200,
        ),
    )

    unfit = snapshot_of(world, world.run()).unfit
    assert unfit == {"FB": Unfit("SYMBOL_UNKNOWN", "the broker does not list it")}


def test_a_holding_whose_symbol_became_another_stops_nothing_else(world: World) -> None:
    world.environ["SYMBOLS"] = "AAPL,FB"
    world.actions = {"name_changes": [RENAME | {"process_date": "2026-01-06"}]}
    name = f"at1-{desk_id(ACCOUNT['account_number'], 'desk')}-2026-01-05-day-FB-entry-0"
    world.trade(name, symbol="FB")
    world.server.on("GET /v2/positions", [position("META", qty="10")])

    result = world.run({"dry_run": True})

    snapshot = snapshot_of(world, result)
    assert snapshot.unfit.keys() == {"FB"}
    assert bars_of(world, result).keys() == {"AAPL"}
    assert snapshot.ledger.holdings["FB"].qty == 10
    mismatch, changed = snapshot.warnings[:2]
    assert mismatch.startswith("FB: LEDGER_MISMATCH: ")
    assert changed.startswith("FB: name change on 2026-01-06 with META.")


def test_an_unfit_holding_is_valued_by_its_last_known_close(world: World) -> None:
    world.bars["IBM"] = until("2025-12-30")(world.bars["IBM"])
    last = world.bars["IBM"][-1]["c"]

    assert snapshot_of(world, world.run()).last_closes["IBM"] == Decimal(str(last))
