"""Owns the random part: seeded plans of many faults, with brokers that fill and answer differently.

The seed alone determines a plan's world, faults, latencies and jitter.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from unittest.mock import patch

from algotrader.adapters.alpaca import trading
from local.paper_broker.book import Book
from local.paper_broker.values import Behaviour
from tests.faults.explore import Tally, carried_out
from tests.faults.fault_kinds import FAULTS, Fault
from tests.faults.market import REBALANCE, Scenario
from tests.faults.oracle import Judge, Verdict
from tests.faults.simulation import Reply, World
from tests.faults.state_machine import Machine, Position
from tests.faults.wire import Exchange, Wire

MOST_FAULTS = 12
SMALL_PAGE = 3
SLOWEST_SECONDS = 4.0
SLOW_PART, PAGED_PART, PAIR_PART = 0.15, 0.3, 0.25
RATES = (0.02, 0.05, 0.1, 0.3)
BEHAVIOURS = (
    Behaviour(),
    Behaviour(fill_delay_seconds=1.0),
    Behaviour(fill_delay_seconds=4.0, fill_parts=3),
    Behaviour(fill_delay_seconds=30.0, cancel_delay_seconds=5.0, slippage_bps=Decimal(5)),
)
TURN_SECONDS = 60.0


class Scrambler:
    """Runs seeded plans inside the caller's `Wire.tied` block.

    Parameters
    ----------
    wire : Wire
        Serves the world of each plan in turn.
    faults : sequence of Fault
        With all of them, some plans run two executions at the same time.
    """

    def __init__(
        self,
        wire: Wire,
        book: Callable[[], Book] = Book,
        faults: Sequence[Fault] = FAULTS,
        scenario: Scenario = REBALANCE,
    ) -> None:
        self._wire = wire
        self._faults = faults
        self._pair_part = PAIR_PART if len(faults) >= len(FAULTS) else 0
        self._benches: list[tuple[Machine, Judge]] = []
        for behaviour in BEHAVIOURS:
            machine = Machine(wire, World(behaviour, book, pauses=True, scenario=scenario))
            self._benches.append((machine, Judge(machine)))

    def plans(self, seeds: range) -> Tally:
        tally = Tally()
        for seed in seeds:
            one = Tally()
            one.count(self.plan(seed))
            tally.add(one, f"seed {seed}")
        return tally

    def plan(self, seed: int) -> Verdict:
        """Run one plan and judge it."""
        chance = random.Random(seed)  # noqa: S311 - a plan, not a secret
        machine, judge = chance.choice(self._benches)
        world = machine.world
        is_slow = chance.random() < SLOW_PART
        page = SMALL_PAGE if chance.random() < PAGED_PART else trading.ORDERS_PAGE
        is_pair = chance.random() < self._pair_part
        rate = chance.choice(RATES)
        left = chance.randint(1, MOST_FAULTS)

        def script(exchange: Exchange) -> Reply:
            nonlocal left
            if is_slow:
                world.sleep(chance.uniform(0, SLOWEST_SECONDS))
                world.state.notes.add("slow")
            if left <= 0 or chance.random() >= rate:
                return exchange.apply()
            left -= 1
            fault = chance.choice([each for each in self._faults if each.fits(exchange)])
            return carried_out(machine, exchange, [fault])

        machine.jitter = chance.random
        self._wire.arrange = lambda numbers: chance.sample(numbers, len(numbers))
        with patch.object(trading, "ORDERS_PAGE", page):
            start = machine.start()
            self._wire.script = script
            try:
                end = in_turns(machine, start, chance) if is_pair else machine.finish(start)
            finally:
                self._wire.script = lambda exchange: exchange.apply()
                self._wire.arrange = lambda numbers: numbers
        machine.jitter = lambda: 0.0
        return judge.verdict(end)


def in_turns(machine: Machine, start: Position, chance: random.Random) -> Position:
    """Run two executions of the run at the same time; chance picks whose exchange is next."""
    baton = Baton(chance)
    plain = machine.wire.script

    def script(exchange: Exchange) -> Reply:
        baton.wait_for_turn()
        return plain(exchange)

    ends: dict[int, Position] = {}

    def live(number: int) -> None:
        with baton.taking_part(number):
            position = Position(b"", b"", execution=number)
            while not position.is_over:
                position = machine.carry_on(position)
            ends[number] = position

    machine.world.load(start.world)
    machine.wire.script = script
    threads = [threading.Thread(target=live, args=(each,), daemon=True) for each in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TURN_SECONDS)
        assert not thread.is_alive(), "two executions wait for each other"
    last = ends[1] if ends[1].is_complete else ends[2]
    machine.world.state.notes.add("two")
    return machine.placed(last)


class Baton:
    """Lets one thread run at a time; a thread passes the baton before every exchange."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._changed = threading.Condition()
        self._waiting: set[int] = {1, 2}
        self._turn = 0
        self._own = threading.local()

    def taking_part(self, number: int) -> Baton:
        """Register this thread under a number until the block ends."""
        self._own.number = number
        return self

    def __enter__(self) -> None:
        with self._changed:
            if not self._turn:
                self._turn = self._chance.choice(sorted(self._waiting))
            self._wait()

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._waiting.discard(self._own.number)
            self._turn = min(self._waiting, default=0)
            self._changed.notify_all()

    def wait_for_turn(self) -> None:
        """Pass the baton to a random thread, and wait until it comes back."""
        with self._changed:
            self._turn = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()
            self._wait()

    def _wait(self) -> None:
        self._changed.wait_for(lambda: self._turn == self._own.number)
