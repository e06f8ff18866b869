"""A session that the calendar lists but that never opened gives no report and no stale bars."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from algotrader.errors import StaleBarsError
from fetch_bars.closures import CLOSURES_KEY, Closures
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import World
from tests.functions.fetch_bars.runs import at_the_bell, ended, snapshot_of

CLOSED = date(2026, 1, 6)  # a Tuesday that the broker's calendar lists
REPORT: dict[str, Any] = {"report_only": True, "scheduled_time": "2026-01-06T21:15:00Z"}


def trades_at(world: World, instant: str) -> None:
    trades = {name: {"t": instant, "p": 101.5} for name in world.assets}
    world.server.on("GET /v2/stocks/trades/latest", lambda _: Answer({"trades": trades}))


def drop_bars(world: World, *names: str, day: date = CLOSED) -> None:
    for name in names or tuple(world.bars):
        world.bars[name] = [each for each in world.bars[name] if str(day) not in each["t"]]


def close(world: World) -> None:
    """Let the exchange stay closed on Tuesday, and Tuesday's run see it."""
    drop_bars(world)
    trades_at(world, "2026-01-05T20:59:00Z")
    world.is_open = False
    assert world.run().outcome == "CLOSED"


def known(world: World) -> dict[date, bool]:
    found = world.store.read(CLOSURES_KEY, Closures)
    return {} if found is None else found.sessions


def test_a_day_that_never_was_gives_no_report(world: World) -> None:
    close(world)
    world.now = "2026-01-06T16:15:02-05:00"
    result = world.run(REPORT)
    assert result.outcome == "CLOSED"
    assert known(world) == {CLOSED: False}


def test_the_next_run_trades_on_the_bars_before_it_and_says_so(world: World) -> None:
    close(world)
    world.is_open = True
    trades_at(world, "2026-01-07T14:34:00Z")

    result = at_the_bell(world, 7)

    assert result.outcome == "OPEN"
    snapshot = snapshot_of(world, result)
    assert snapshot.previous_session == date(2026, 1, 5)
    assert snapshot.unfit == {}
    assert snapshot.closures == (CLOSED,)
    assert ". No session on Jan 6" in ended(world, result)
    assert known(world) == {CLOSED: True}

    later = snapshot_of(world, at_the_bell(world, 8))
    assert (later.closures, later.unfit) == ((), {})
    assert later.previous_session == date(2026, 1, 7)


def test_two_closed_days_in_a_row_are_both_no_sessions(world: World) -> None:
    """The hurricane of 2012 closed the exchange on a Monday and a Tuesday."""
    close(world)
    second = date(2026, 1, 7)
    drop_bars(world, day=second)
    assert at_the_bell(world, 7).outcome == "CLOSED"
    world.is_open = True
    trades_at(world, "2026-01-08T14:34:00Z")

    snapshot = snapshot_of(world, at_the_bell(world, 8))

    assert snapshot.previous_session == date(2026, 1, 5)
    assert (snapshot.closures, snapshot.unfit) == ((CLOSED, second), {})
    assert known(world) == {CLOSED: True, second: True}


def test_a_feed_that_is_only_late_still_fails_the_run(world: World) -> None:
    """No run saw the exchange closed."""
    world.run()
    drop_bars(world)
    with pytest.raises(StaleBarsError):
        at_the_bell(world, 7)
    assert known(world) == {}


def test_a_session_that_opened_late_counts(world: World) -> None:
    world.is_open = False
    assert world.run().outcome == "CLOSED"
    world.is_open = True

    assert snapshot_of(world, at_the_bell(world, 7)).previous_session == CLOSED
    assert known(world) == {CLOSED: False}


def test_a_session_with_one_bar_counts(world: World) -> None:
    world.is_open = False
    world.run()
    drop_bars(world, "IBM")
    world.is_open = True
    assert snapshot_of(world, at_the_bell(world, 7)).previous_session == CLOSED


def test_a_report_comes_if_a_symbol_traded(world: World) -> None:
    world.is_open = False
    world.run()
    world.now = "2026-01-06T16:15:02-05:00"
    assert world.run(REPORT).outcome == "REPORT"


def test_a_closed_clock_outside_a_session_s_hours_is_no_closure(world: World) -> None:
    world.is_open = False
    for now in ("2026-01-06T09:31:00-05:00", "2026-01-06T08:00:00-05:00"):
        world.now = now
        world.run({"dry_run": True})
    assert known(world) == {}


def test_a_closed_clock_that_somebody_else_recorded_too_stays(world: World) -> None:
    world.store.write(CLOSURES_KEY, Closures({date(2025, 12, 1): True}))
    world.is_open = False
    world.run()
    world.run()
    assert known(world) == {date(2025, 12, 1): True, CLOSED: False}
