"""Only the scheduled report cancels a stop over a split, and every report says what is open."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim, claim_key
from algotrader.contracts import Failure, FetchBarsResult
from algotrader.decision.stops_over_actions import cancel_stops
from algotrader.model import Decision, Run
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, World
from tests.functions.fetch_bars.runs import (
    OTHER_ARN,
    at_the_bell,
    ended,
    run_of,
    settings_of,
    snapshot_of,
)

BELL = {"report_only": True, "scheduled_time": "2026-01-06T21:15:00Z"}
BY_HAND = {"report_only": True}
NO_STOP, RESTS = "NO STOP over the split AAPL", "STOP RESTS over the split AAPL"
TUESDAY, WEDNESDAY = "2026-01-06", "2026-01-07"


@pytest.fixture
def stop(world: World) -> dict[str, Any]:
    """Return the stop of 20 AAPL after the close on the eve of a split."""
    desk = run_of(world.run({"dry_run": True})).desk
    entry = f"at1-{desk}-2026-01-02-day-AAPL-entry-0"
    world.trade(entry, qty="20", filled_qty="20", submitted_at="2026-01-02T14:35:00Z")
    world.trade(
        f"at1-{desk}-2026-01-02-day-AAPL-stop-0",
        side="sell",
        type="stop",
        qty="20",
        limit_price=None,
        stop_price="80",
        time_in_force="gtc",
        status="new",
        filled_qty="0",
        filled_avg_price=None,
        filled_at=None,
        submitted_at="2026-01-02T14:36:00Z",
    )
    splits(world, WEDNESDAY)
    after_the_close(world)
    return world.orders[-1]


def splits(world: World, ex_date: str) -> None:
    row = {"symbol": "AAPL", "new_rate": 2, "old_rate": 1, "ex_date": ex_date}
    world.actions = {"forward_splits": [row]}


def after_the_close(world: World, day: int = 6) -> None:
    world.now, world.is_open = f"2026-01-{day:02}T16:15:02-05:00", False


def halt(state: str = "HALTED") -> None:
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value=state, Overwrite=True)


def cancel(stop: dict[str, Any], at: str = "2026-01-06T21:15:03Z") -> None:
    stop.update(status="canceled", canceled_at=at)


def fail(world: World, run: Run) -> None:
    world.store.write(claim_key(run), Claim(ARN, "failed", run.started_at))


def decided(world: World, result: FetchBarsResult) -> Decision:
    return cancel_stops(run_of(result), settings_of(world, result), snapshot_of(world, result))


def test_the_scheduled_report_cancels_the_stop_and_says_so(
    world: World, stop: dict[str, Any]
) -> None:
    result = world.run(BELL)

    assert (result.outcome, result.bars) == ("CANCEL_STOPS", None)
    run = run_of(result)
    assert (run.sends_orders, run.run_id) == (True, "2026-01-06-report")
    assert (run.deadline - run.started_at).total_seconds() == 120
    made = decided(world, result)
    assert made.cancels == (stop["client_order_id"],)
    (resting,) = snapshot_of(world, result).own_open_orders
    gone = replace(resting, status="canceled")
    text = ended(world, result, None, (gone,), made)
    assert text.startswith(f"algo-trader PAPER 2026-01-06 report: {NO_STOP}. day ")


@pytest.mark.parametrize("status", ["new", "pending_cancel", None])
def test_a_cancel_that_has_not_ended_is_reported_as_a_stop_that_rests(
    world: World, stop: dict[str, Any], status: str | None
) -> None:
    del stop
    result = world.run(BELL)
    (resting,) = snapshot_of(world, result).own_open_orders
    orders = () if status is None else (replace(resting, status=status),)

    text = ended(world, result, None, orders, decided(world, result))

    assert RESTS in text
    assert "NO STOP" not in text


def test_a_report_that_fails_is_not_sure(world: World, stop: dict[str, Any]) -> None:
    del stop
    result = world.run(BELL)
    made = decided(world, result)

    timeout = Failure("Submit Orders", "States.Timeout", "It died.")
    died = ended(world, result, timeout, None, made)
    undecided = ended(world, result, Failure("Decide Orders", "Boom", "It died."), None)

    assert "STOP MAY REST over the split for 1" in died
    assert "STOP RESTS over the split for 1" in undecided


def test_a_report_by_hand_never_cancels_and_says_what_is_open(
    world: World, stop: dict[str, Any]
) -> None:
    result = world.run(BY_HAND)
    assert (result.outcome, run_of(result).sends_orders) == ("REPORT", False)
    assert RESTS in ended(world, result)

    cancel(stop)
    assert NO_STOP in ended(world, world.run(BY_HAND))


def test_a_report_by_hand_in_the_session_only_warns(world: World, stop: dict[str, Any]) -> None:
    del stop
    world.now, world.is_open = "2026-01-06T12:00:00-05:00", True

    result = world.run(BY_HAND)

    assert result.outcome == "REPORT"
    assert "STOP" not in ended(world, result)
    assert any(
        "AAPL has a forward split on 2026-01-07" in each
        for each in snapshot_of(world, result).warnings
    )


def test_the_trading_run_of_the_eve_warns_too(world: World, stop: dict[str, Any]) -> None:
    del stop
    world.is_open = True
    found = snapshot_of(world, at_the_bell(world, 6))
    assert any("AAPL has a forward split on 2026-01-07" in each for each in found.warnings)
    assert found.corporate_actions == ()


@pytest.mark.parametrize("ex_date", ["2026-01-06", "2026-01-08"])
def test_a_split_on_another_day_cancels_nothing(
    world: World, stop: dict[str, Any], ex_date: str
) -> None:
    del stop
    splits(world, ex_date)
    result = world.run(BELL)
    assert result.outcome == "REPORT"
    assert "STOP" not in ended(world, result)


def test_a_split_after_a_weekend_is_the_next_sessions(world: World, stop: dict[str, Any]) -> None:
    del stop
    after_the_close(world, 9)  # a Friday
    bell = {**BELL, "scheduled_time": "2026-01-09T21:15:00Z"}
    splits(world, "2026-01-12")
    assert world.run(bell).outcome == "CANCEL_STOPS"


def test_a_halted_desk_cancels_its_stop_too_because_the_stop_would_sell(
    world: World, stop: dict[str, Any]
) -> None:
    halt()
    result = world.run(BELL)
    assert result.outcome == "CANCEL_STOPS"
    assert decided(world, result).cancels == (stop["client_order_id"],)


def test_a_dry_run_deployment_keeps_it_too(world: World, stop: dict[str, Any]) -> None:
    del stop
    world.environ["TRADING_MODE"] = "dry-run"
    result = world.run(BELL)
    assert result.outcome == "REPORT"
    assert RESTS in ended(world, result)


def test_a_desk_without_its_stop_says_so_on_the_ex_date_and_halted_in_every_later_report(
    world: World, stop: dict[str, Any]
) -> None:
    cancel(stop)
    after_the_close(world, 7)
    bell = {**BELL, "scheduled_time": "2026-01-07T21:15:00Z"}
    assert NO_STOP in ended(world, world.run(bell))
    after_the_close(world, 8)
    assert "NO STOP" not in ended(world, world.run(BY_HAND))  # its trading runs would report it
    halt()
    assert NO_STOP in ended(world, world.run(BY_HAND))


def test_a_repeated_report_continues_with_its_decision(world: World, stop: dict[str, Any]) -> None:
    first = world.run(BELL)
    made = decided(world, first)
    world.decide(first, cancels=made.cancels, strategy=made.strategy)
    fail(world, run_of(first))
    cancel(stop)

    again = world.run(BELL, OTHER_ARN)

    assert again.outcome == "CANCEL_STOPS"
    assert run_of(again).execution_arn == OTHER_ARN
    assert snapshot_of(world, again) == snapshot_of(world, first)  # with the stop still open


def test_a_repeated_report_that_decided_nothing_looks_again(
    world: World, stop: dict[str, Any]
) -> None:
    first = world.run(BELL)
    fail(world, run_of(first))
    cancel(stop)

    again = world.run(BELL, OTHER_ARN)

    assert again.outcome == "REPORT"
    assert NO_STOP in ended(world, again)
