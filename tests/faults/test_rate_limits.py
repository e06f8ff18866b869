"""A broker that answers 429 delays a run, and neither ends it nor makes it send an order twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.faults.explore import Explorer, Tally, carried_out, slots_of
from tests.faults.fault_kinds import FAULTS, HIDDEN_MS, Fault
from tests.faults.many_orders import ManyOrders
from tests.faults.market import AMONG_STOPS, REBALANCE, Scenario
from tests.faults.oracle import Judge
from tests.faults.simulation import Reply, World
from tests.faults.state_machine import Machine, Position
from tests.faults.wire import Exchange, Killed, Wire
from tests.faults.worlds import RESTING, NotUnique

BY_NAME = {each.name: each for each in FAULTS}
SEND = "broker POST orders"
MINUTE = 200


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire(World(RESTING))
    with made.tied():
        yield made


def machine_of(wire: Wire, scenario: Scenario = REBALANCE) -> Machine:
    """Build a state machine in a world in which waits take time."""
    return Machine(wire, World(RESTING, pauses=True, scenario=scenario))


def finish(machine: Machine, is_hit: Callable[[Exchange], bool], fault: Fault) -> Position:
    """Run to the end; a fault hits these exchanges with the broker."""

    def script(exchange: Exchange) -> Reply:
        hits = exchange.service == "broker" and is_hit(exchange)
        return carried_out(machine, exchange, [fault] if hits else [])

    start = machine.start()
    machine.wire.script = script
    try:
        return machine.finish(start)
    finally:
        machine.wire.script = lambda exchange: exchange.apply()


@pytest.mark.parametrize("scenario", [REBALANCE, AMONG_STOPS], ids=["rebalance", "stops"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_server_that_answers_every_third_request_with_429_ends_in_a_normal_run(
    wire: Wire, scenario: Scenario, place: int
) -> None:
    machine, count = machine_of(wire, scenario), iter(range(10_000))
    end = finish(machine, lambda _: next(count) % 3 == place, BY_NAME["busy"])
    verdict = Judge(machine).verdict(end)
    assert (verdict.ending, verdict.problems) == ("exact", ())


def test_an_order_that_the_broker_did_not_take_is_due_at_the_next_call(wire: Wire) -> None:
    """The second of three sells gets a 429 whose reset is far away."""
    machine, posts = machine_of(wire), iter(range(100))
    hit = lambda exchange: exchange.name == SEND and next(posts) == 1  # noqa: E731
    start = machine.start()
    machine.wire.script = lambda exchange: carried_out(
        machine, exchange, [BY_NAME["limited"]] if hit(exchange) else []
    )
    after = machine.step(start)
    plan = json.loads(after.plan or "")
    sells = [each["client_order_id"] for each in plan["orders"]]
    assert plan["unsent"] == [sells[1]]
    assert (plan["sequence"], plan["polls"], plan["waited_seconds"]) == (1, 0, 40)
    stored = json.loads(machine.world.state.bucket["runs/2024-03-06/2024-03-06-day/plan-001.json"])
    assert stored["unsent"] == []
    machine.step(after)
    machine.wire.script = lambda exchange: exchange.apply()
    there = {each.client_order_id for each in machine.world.exchange.book.all}
    assert there == set(sells)


def test_after_a_call_that_died_no_order_counts_as_unsent(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker accepts an id as often as it arrives, and only one submitter is active."""

    def die_unseen(world: World, exchange: Exchange) -> Reply:
        world.state.hide_next_ms = HIDDEN_MS
        exchange.apply()
        raise Killed

    limited = replace(BY_NAME["limited"], fits=lambda exchange: exchange.name == SEND)
    killed = replace(limited, name="killed", act=die_unseen)

    def found() -> Tally:
        """Answer 429 to all buys of a call, and end the next call at each of its buys."""
        one, tally = Explorer(Machine(wire, World(RESTING, NotUnique))), Tally()
        buys = next(each for each in one.path() if '"side": "buy"' in (each.plan or ""))
        _, asked = one.scripted.step(buys)
        after, _ = one.scripted.step(buys, *slots_of([limited], asked))
        _, asked = one.scripted.step(after)
        for slot in slots_of([killed], asked):
            tally.add(one.single(after, *slot))
        return tally

    assert (found().examples, dict(found().endings)) == ([], {"exact": 3})
    # A desk that relies on what the dead call knew sends its orders again.
    monkeypatch.setattr("submit_orders.send_lease.SendLease.acquire", lambda *_: True)
    monkeypatch.setattr("submit_orders.send_lease.SendLease.is_free", lambda *_: True)
    assert found().problems["duplicate"] > 0


def test_a_call_that_can_read_nothing_waits_with_the_same_plan(wire: Wire) -> None:
    machine = machine_of(wire)
    start = machine.start()
    machine.wire.script = lambda exchange: carried_out(
        machine, exchange, [BY_NAME["limited"]] if exchange.service == "broker" else []
    )
    after = machine.step(start)
    machine.wire.script = lambda exchange: exchange.apply()
    first, plan = json.loads(start.plan or "null"), json.loads(after.plan or "")
    # 40 s in the call, and 40 s until the reset.
    assert (first, plan["sequence"], plan["polls"], plan["waited_seconds"]) == (None, 0, 0, 80)
    assert after.submission == ""
    # The call has not taken the lease, so the next one sends at once.
    assert [key for key in machine.world.state.bucket if "/sending-" in key] == []
    verdict = Judge(machine).verdict(machine.finish(after))
    assert (verdict.ending, verdict.problems) == ("exact", ())


def test_a_broker_that_never_has_a_request_left_ends_the_run_after_its_deadline(
    wire: Wire,
) -> None:
    machine = machine_of(wire)
    position = machine.start()
    machine.wire.script = lambda exchange: carried_out(
        machine, exchange, [BY_NAME["limited"]] if exchange.service == "broker" else []
    )
    while not position.error:
        position = machine.step(position)
    machine.wire.script = lambda exchange: exchange.apply()
    assert position.error == "BrokerRateLimitedError"
    assert 10 <= machine.world.state.ms / 60_000 < 14


def test_a_call_that_can_read_nothing_keeps_what_the_last_one_reported(wire: Wire) -> None:
    machine = machine_of(wire)
    position = machine.start()
    while '"filled"' not in position.submission:
        position = machine.step(position)
    machine.wire.script = lambda exchange: carried_out(
        machine, exchange, [BY_NAME["limited"]] if exchange.service == "broker" else []
    )
    after = machine.step(position)
    machine.wire.script = lambda exchange: exchange.apply()
    assert (after.error, after.submission) == ("", position.submission)


@pytest.mark.parametrize(
    ("exits", "entries", "limit"),
    [
        (60, 60, MINUTE),
        *(
            pytest.param(*case, marks=pytest.mark.runs)
            for case in (
                (0, 180, MINUTE),
                (90, 90, MINUTE),
                (180, 0, MINUTE),
                (100, 261, 0),
                (400, 600, MINUTE),
            )
        ),
    ],
)
def test_n_orders_take_about_n_requests_at_50_ms_each(exits: int, entries: int, limit: int) -> None:
    world = ManyOrders(exits=exits, entries=entries, requests_per_minute=limit)
    wire, orders = Wire(world), exits + entries
    with wire.tied():
        world.run(wire)
    ids = [each.client_order_id for each in world.orders()]
    assert (len(ids), len(set(ids))) == (orders, orders)
    assert world.state.notes == set()
    assert world.requests.total() <= 1.1 * orders + 15
    if orders <= 180:
        assert world.last_accepted() < timedelta(seconds=75)
    # A thousand orders take as many minutes as the limit requires.
    assert world.last_accepted() < timedelta(minutes=1 + orders // MINUTE)
