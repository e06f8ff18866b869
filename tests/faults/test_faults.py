"""Tests a slice of the fault suite. `make faults` runs the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from algotrader.orders.statuses import is_terminal
from tests.faults.__main__ import part
from tests.faults.explore import Explorer, Tally, slots_of
from tests.faults.fault_kinds import ALONE, AMONG_STOPS_FAULTS, FAULTS, TWIN_STACK, Fault
from tests.faults.market import AMONG_STOPS, BUY_HANGS, REBALANCE, STOP_HANGS, Scenario
from tests.faults.random_plans import Scrambler
from tests.faults.simulation import World
from tests.faults.state_machine import Machine, retriers
from tests.faults.wire import Wire
from tests.faults.worlds import RESTING, NotUnique, UniqueWhileOpen

EVERY = 14  # take every n-th single fault
EVERY_AMONG_STOPS = 41
SEEDS = range(15)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire(World(RESTING))
    with made.tied():
        yield made


@pytest.fixture(scope="module")
def explorer(wire: Wire) -> Explorer:
    return Explorer(Machine(wire, World(RESTING)))


def test_a_run_without_faults_places_every_order_once(explorer: Explorer) -> None:
    tally = explorer.end(explorer.machine.start())
    assert (dict(tally.endings), dict(tally.problems)) == ({"exact": 1}, {})


def test_single_faults_neither_double_nor_lose_an_order(explorer: Explorer) -> None:
    tally, number = Tally(), 0
    for position in explorer.path():
        _, asked = explorer.scripted.step(position)
        for place, fault in slots_of(FAULTS, asked):
            number += 1
            if number % EVERY == 0:
                tally.add(explorer.single(position, place, fault))
    assert tally.plans > 75
    assert (tally.examples, tally.endings["failed"]) == ([], 0)


def test_one_broken_answer_to_a_read_ends_no_execution(explorer: Explorer) -> None:
    """The suite starts a new execution after an error, but on AWS a person must."""
    broken = [each for each in FAULTS if each.name in {"cut", "cut-to-size"}]
    tried = 0
    for position in explorer.path()[:3]:
        _, asked = explorer.scripted.step(position)
        for place, fault in slots_of(broken, asked):
            if asked[place].verb == "GET":
                following, _ = explorer.scripted.step(position, (place, fault))
                assert (following.error, following.execution) == ("", 1), asked[place].name
                tried += 1
    assert tried > 30


def test_random_plans_neither_double_nor_lose_an_order(wire: Wire) -> None:
    tally = Scrambler(wire).plans(SEEDS)
    assert (tally.plans, tally.examples, tally.endings["failed"]) == (len(SEEDS), [], 0)


def test_among_stops_single_faults_oversell_nothing_and_leave_nothing_unprotected(
    wire: Wire,
) -> None:
    one = Explorer(Machine(wire, World(RESTING, scenario=AMONG_STOPS)), AMONG_STOPS_FAULTS)
    tally, number = Tally(), 0
    for position in one.path():
        _, asked = one.scripted.step(position)
        for place, fault in slots_of(one.faults, asked):
            number += 1
            if number % EVERY_AMONG_STOPS == 0:
                tally.add(one.single(position, place, fault))
    assert tally.plans > 45
    assert (tally.examples, tally.endings["failed"]) == ([], 0)


def test_what_a_stop_sold_meanwhile_is_not_sold_again_and_the_suite_would_see_it(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = [each for each in AMONG_STOPS_FAULTS if each.name == "stop-reached"]

    def found() -> Tally:
        one = Explorer(Machine(wire, World(RESTING, scenario=AMONG_STOPS)), reached)
        first, tally = one.path()[0], Tally()
        _, asked = one.scripted.step(first)
        for place, fault in slots_of(reached, asked):
            tally.add(one.single(first, place, fault))
        return tally

    assert found().examples == []
    monkeypatch.setattr("algotrader.execution.plan.sold_by_canceled", lambda *_: Decimal(0))
    assert any("OVERSOLD" in each for each in found().examples)


@pytest.mark.parametrize("scenario", [BUY_HANGS, STOP_HANGS], ids=["buy", "stop"])
def test_an_order_that_hangs_stops_only_what_needs_it_and_the_suite_would_see_more(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, scenario: Scenario
) -> None:
    def found() -> Tally:
        one = Explorer(Machine(wire, World(RESTING, scenario=scenario)), ())
        return one.end(one.machine.start())

    assert (found().examples, dict(found().endings)) == ([], {"exact": 1})
    # A desk whose entries wait for the end of every cancel buys nothing.
    monkeypatch.setattr(
        "algotrader.execution.entries.is_canceled",
        lambda _symbol, plan, orders: all(is_terminal(orders[each]) for each in plan.cancels),
    )
    (example,) = found().examples
    assert "lost part of" in example
    assert "unexplained refusal" in example


def test_an_order_of_this_run_that_hangs_stops_only_what_needs_its_cash(wire: Wire) -> None:
    hangs = [each for each in FAULTS if each.name == "hangs"]
    one = Explorer(Machine(wire, World(RESTING)), hangs)
    first, tally = one.path()[0], Tally()
    _, asked = one.scripted.step(first)
    for place, fault in slots_of(hangs, asked):
        tally.add(one.single(first, place, fault))
    assert (dict(tally.endings), tally.examples) == ({"named": 3}, [])


def before_a_post(*names: str) -> list[Fault]:
    """Return these faults, but let them happen only right before a run sends an order."""
    return [
        replace(each, fits=lambda exchange: exchange.verb == "POST" and exchange.changes)
        for each in (*FAULTS, *TWIN_STACK)
        if each.name in names
    ]


@pytest.mark.parametrize("twin", ["twin-run", "twin-stack"])
def test_a_second_submitter_at_a_broker_that_takes_ids_twice_is_caught(
    wire: Wire, twin: str
) -> None:
    """The suite would find a duplicate if there were one."""
    weak = Explorer(Machine(wire, World(RESTING, NotUnique)), before_a_post(twin))
    assert weak.singles_from(weak.machine.start()).problems["duplicate"] > 0


@pytest.mark.parametrize("scenario", [REBALANCE, AMONG_STOPS], ids=["rebalance", "stops"])
def test_a_stack_of_the_same_name_in_another_region_places_nothing_twice(
    wire: Wire, scenario: Scenario
) -> None:
    """Both stacks have the same desk and order ids, but they share no claim, decision or plan."""
    twins = before_a_post("twin-stack", "twin-stack-other")
    one = Explorer(Machine(wire, World(RESTING, scenario=scenario)), twins)
    tally = one.singles_from(one.machine.start())
    assert tally.plans > 10
    assert (tally.examples, tally.endings["failed"]) == ([], 0)
    # the run asks for a person if the two stacks decide differently
    assert tally.endings["stopped"] > 0
    assert tally.endings["exact"] > 0


def test_one_submitter_needs_no_ids_that_stay_taken(wire: Wire) -> None:
    names = {"hidden", "504-hidden", "late", "late-after-look-up", "504-after", "kill-after"}
    faults = [each for each in ALONE if each.name in names]
    weak = Explorer(Machine(wire, World(RESTING, UniqueWhileOpen)), faults)
    tally = weak.singles_from(weak.machine.start())
    assert tally.plans > 30
    assert (tally.examples, tally.endings["failed"]) == ([], 0)


def test_a_desk_that_sends_again_at_once_is_caught(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the send lease, the desk sends an order twice if the broker does not show it yet."""
    monkeypatch.setattr("submit_orders.call.orders_due", lambda _plan, _before, missing: missing)
    monkeypatch.setattr("submit_orders.send_lease.SendLease.acquire", lambda *_: True)
    hidden = [each for each in FAULTS if each.name == "hidden"]
    weak = Explorer(Machine(wire, World(RESTING, UniqueWhileOpen)), hidden)
    assert weak.singles_from(weak.machine.start()).problems["duplicate"] > 0


def test_a_desk_that_believes_any_plan_is_caught(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the seal and the check, a forged plan sells shares that nobody decided to sell."""
    forged = [each for each in FAULTS if each.name == "plan-forged"]

    def found() -> Tally:
        one = Explorer(Machine(wire, World(RESTING)), forged)
        return one.singles_from(one.machine.start())

    assert (found().endings["stopped"], found().examples) == (found().plans, [])
    monkeypatch.setattr("submit_orders.plan_journal.find_unapproved", lambda *_: "")
    monkeypatch.setattr("submit_orders.plan_journal.hmac.compare_digest", lambda *_: True)
    assert found().problems["unexplained"] > 0


def test_an_order_that_no_plan_holds_is_seen(wire: Wire, explorer: Explorer) -> None:
    explorer.machine.start()
    wire.plan = {"run_id": "2024-03-06-day", "sequence": 0, "orders": []}
    wire._check_written_down(b'{"symbol": "ALFA", "qty": "1", "side": "sell"}')
    assert "UNPLANNED" in explorer.machine.world.state.notes


def test_the_state_machine_s_own_retries_are_obeyed() -> None:
    by_error = {error: each for each in retriers() for error in each.errors}
    assert by_error["OrderStateUnknownError"].attempts > 0
    assert by_error["Runtime.ExitError"].attempts > 0
    assert "OrderConflictError" not in by_error


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - argparse prints it
        part(text)
    assert part("3/3") == (3, 3)
