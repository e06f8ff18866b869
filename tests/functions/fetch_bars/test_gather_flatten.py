"""A flatten opens whatever is broken, gathers without bars, and never beside another run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from algotrader.adapters import run_lock as module
from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim
from algotrader.contracts import FetchBarsResult
from algotrader.errors import InvalidInputError
from algotrader.model import Snapshot, TradingState
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, World
from tests.functions.fetch_bars.runs import handed_on

FLATTEN = {"flatten": True}
DAY, FLAT = "runs/2026-01-06/2026-01-06-day/", "runs/2026-01-06/2026-01-06-f0935/"
OTHER_ARN = ARN + "-other"
BREAKAGES: dict[str, Callable[[World], Any]] = {
    "no such strategy": lambda world: world.environ.update(STRATEGY="gone"),
    "odd parameters": lambda world: world.environ.update(STRATEGY_PARAMETERS='{"odd": 1}'),
    "no bars": lambda world: world.bars.clear(),
    "no market data": lambda world: world.server.on(
        "GET /v2/stocks/trades/latest", Answer(b"<html>", 502)
    ),
    "a symbol that nobody knows": lambda world: world.environ.update(SYMBOLS="AAPL,NOPE"),
}


def snapshot_of(world: World, result: FetchBarsResult) -> Snapshot:
    assert result.snapshot is not None
    return world.store.get(result.snapshot, Snapshot)


def hold(world: World) -> str:
    """Let the desk have bought ten shares yesterday, and give the desk."""
    run = world.run(FLATTEN | {"dry_run": True}).run
    assert run is not None
    world.trade(f"at1-{run.desk}-2026-01-05-day-AAPL-entry-0")
    return run.desk


def claim_of(world: World, journal: str = FLAT) -> Claim | None:
    return world.store.read(f"{journal}claim.json", Claim)


def claimed(world: World, journal: str, state: str, arn: str = OTHER_ARN) -> None:
    at = datetime(2026, 1, 6, 14, 36, tzinfo=UTC)
    ended = None if state == "running" else at  # long ago by the machine's clock
    world.store.write(f"{journal}claim.json", Claim(arn, state, at, ended))


def ended(monkeypatch: pytest.MonkeyPatch, ago: timedelta | None) -> None:
    """Let Step Functions say when the other execution ended; None: it does not know it."""

    class Executions:
        def describe_execution(self, **_: str) -> dict[str, Any]:
            if ago is None:
                raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "Describe")
            return {"status": "FAILED", "stopDate": datetime.now(UTC) - ago}

    real = module.client
    monkeypatch.setattr(
        module, "client", lambda name: Executions() if name == "stepfunctions" else real(name)
    )


@pytest.mark.parametrize("breakage", [None, *BREAKAGES])
def test_a_flatten_opens_whatever_else_is_broken(world: World, breakage: str | None) -> None:
    hold(world) if breakage is None else BREAKAGES[breakage](world)

    result = world.run(FLATTEN)

    assert (result.outcome, result.bars) == ("FLATTEN", None)
    assert result.run is not None
    assert (result.run.run_id, result.run.journal) == ("2026-01-06-f0935", FLAT)
    assert (result.run.sends_orders, result.run.entry_symbols) == (True, ())
    assert world.store.read(f"{FLAT}bars.json", dict) is None
    assert world.store.holds(f"{FLAT}fetched.json")


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


def test_a_flatten_waits_for_every_run_and_every_run_for_a_flatten(world: World) -> None:
    assert world.run().outcome == "OPEN"
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-day execution=one"):
        world.run(FLATTEN, arn=OTHER_ARN)
    assert claim_of(world).state == "failed"

    claimed(world, DAY, "done")
    world.now = "2026-01-06T09:36:02-05:00"
    assert world.run(FLATTEN, arn=OTHER_ARN).outcome == "FLATTEN"
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-f0936"):
        world.run(FLATTEN | {"scheduled_time": "2026-01-06T14:35:30Z"})

    world.store.write(f"{DAY}claim.json", Claim(ARN, "failed", datetime(2026, 1, 6, tzinfo=UTC)))
    with pytest.raises(InvalidInputError, match=r"RUN_UNDER_WAY: run=2026-01-06-f0936"):
        world.run()
    assert claim_of(world, DAY).state == "failed"
    claimed(world, FLAT.replace("35", "36"), "done")
    assert world.run().outcome == "OPEN"


def test_a_refused_flatten_is_in_nobodys_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed(world, FLAT, "failed")
    ended(monkeypatch, timedelta(seconds=1))
    world.now = "2026-01-06T09:36:02-05:00"

    assert world.run(FLATTEN).outcome == "FLATTEN"


@pytest.mark.parametrize("given", [FLATTEN, None])
def test_orders_of_a_run_that_was_done_a_moment_ago_are_waited_for(
    world: World, given: Any
) -> None:
    journal = DAY if given else FLAT
    for ago, is_quiet in ((50, False), (61, True)):
        ended = datetime.now(UTC) - timedelta(seconds=ago)
        claim = Claim(OTHER_ARN, "done", datetime(2026, 1, 6, 14, 36, tzinfo=UTC), ended)
        world.store.write(f"{journal}claim.json", claim)
        if is_quiet:
            assert world.run(given).outcome in {"OPEN", "FLATTEN"}
        else:
            with pytest.raises(InvalidInputError, match="RUN_UNDER_WAY"):
                world.run(given)


@pytest.mark.parametrize("given", [FLATTEN, None])
def test_orders_of_a_run_that_broke_a_moment_ago_are_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    journal = DAY if given else FLAT
    claimed(world, journal, "failed")
    world.store.write(f"{journal}decision.json", {})
    ended(monkeypatch, timedelta(seconds=20))
    with pytest.raises(InvalidInputError, match="RUN_UNDER_WAY"):
        world.run(given)

    ended(monkeypatch, timedelta(seconds=70))
    assert world.run(given).outcome in {"OPEN", "FLATTEN"}


def test_of_a_bell_and_a_flatten_at_once_at_most_one_trades(world: World) -> None:
    for attempt in range(5):
        world.now = f"2026-01-06T09:4{attempt}:00-05:00"
        world.environ["SLOTS"] = f"094{attempt}"
        start = threading.Barrier(2)
        outcomes: list[str] = []

        def ring(given: Any, arn: str, start: Any = start, into: Any = outcomes) -> None:
            start.wait()
            try:
                into.append(world.run(given, arn=arn).outcome)
            except InvalidInputError as error:
                into.append(error.code)

        threads = [
            threading.Thread(target=ring, args=each)
            for each in ((None, f"{ARN}-{attempt}"), (FLATTEN, f"{OTHER_ARN}-{attempt}"))
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert outcomes.count("RUN_UNDER_WAY") >= 1, outcomes
        for slot in (f"094{attempt}", f"f094{attempt}"):
            claimed(world, f"runs/2026-01-06/2026-01-06-{slot}/", "done")


def test_what_a_failed_run_had_decided_to_sell_is_not_sent_after_a_flatten(world: World) -> None:
    world.decide(world.run(), arn=OTHER_ARN)
    claimed(world, DAY, "failed")
    claimed(world, FLAT, "done")
    world.now = "2026-01-06T09:38:00-05:00"

    repeated = world.run(arn=f"{ARN}-again")

    # it settles what it had sent, and sends no more
    assert repeated.run is not None
    assert repeated.run.deadline == datetime(2026, 1, 6, 14, 38, tzinfo=UTC)
    assert repeated.run.ended_because == "another run has traded since"


def test_a_failed_flatten_goes_on_with_its_decision_within_its_minute(world: World) -> None:
    hold(world)
    first = world.run(FLATTEN)
    world.decide(first, arn=OTHER_ARN)
    claimed(world, FLAT, "failed")
    world.now = "2026-01-06T09:35:40-05:00"

    second = world.run(FLATTEN, arn=f"{ARN}-again")

    assert (second.outcome, second.bars) == ("FLATTEN", None)
    assert handed_on(second) == handed_on(first)
    assert first.run is not None
    assert second.run is not None
    assert second.run.deadline == first.run.deadline


def test_a_day_without_flatten_asks_for_no_other_claim(world: World) -> None:
    claimed(world, DAY.replace("day", "0930"), "running")  # a slot's run: its own rule binds it

    assert world.run().outcome == "OPEN"
