"""Owns the exhaustive part, which judges every single fault and every pair of a run.

The slots of a run are its exchanges in order. An event comes just before an exchange, and a wire
fault breaks the exchange itself. The first fault of a pair disturbs the run without faults. The
second comes at the same slot or a later one in the disturbed run, whose exchanges differ.

Two runs at the same `Position` between two calls have the same future, whatever happened before. So
the explorer runs that future once and counts it for every run that reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.fault_kinds import FAULTS, Fault
from tests.faults.oracle import Judge, Verdict
from tests.faults.simulation import Reply
from tests.faults.state_machine import MOST_CALLS, Machine, Position
from tests.faults.wire import Exchange

Slot = tuple[int, Fault]
MOST_EXAMPLES = 12


@dataclass(slots=True)
class Tally:
    """Counts of verdicts, with the first few plans that went wrong."""

    endings: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def plans(self) -> int:
        """The number of judged plans."""
        return sum(self.endings.values())

    def add(self, other: Tally, by: str = "", times: int = 1) -> None:
        """Add another tally, multiplied by ``times``; ``by`` is the fault that led there."""
        for mine, more in ((self.endings, other.endings), (self.problems, other.problems)):
            mine.update({name: number * times for name, number in more.items()})
        room = MOST_EXAMPLES - len(self.examples)
        self.examples += [f"{by} | {each}" if by else each for each in other.examples[:room]]

    def count(self, verdict: Verdict) -> None:
        self.endings[verdict.ending] += 1
        self.problems.update({each.split(" ", 1)[0].rstrip(":") for each in verdict.problems})
        if verdict.problems:
            self.examples.append(" ; ".join(verdict.problems)[:600])


class Scripted:
    """Injects faults into single calls and records the exchanges."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.calls = 0

    def step(self, position: Position, *slots: Slot) -> tuple[Position, list[Exchange]]:
        """Make one call with these faults; return the next position and the exchanges."""
        asked: list[Exchange] = []
        at: dict[int, list[Fault]] = {}
        for place, fault in slots:
            at.setdefault(place, []).append(fault)

        def script(exchange: Exchange) -> Reply:
            faults = at.get(len(asked), [])
            asked.append(exchange)
            return carried_out(self._machine, exchange, faults)

        wire = self._machine.wire
        wire.script = script
        try:
            self.calls += 1
            return self._machine.step(position), asked
        finally:
            wire.script = lambda exchange: exchange.apply()


def carried_out(machine: Machine, exchange: Exchange, faults: list[Fault]) -> Reply:
    """Carry out an exchange with its faults, the first fault outermost."""
    if not faults:
        return exchange.apply()
    if exchange.path.endswith("trading-state"):
        machine.world.state.notes.add("unread")
    first, *others = faults
    if not others:
        return first.act(machine.world, exchange)
    inner = Exchange(
        exchange.service,
        exchange.verb,
        exchange.path,
        exchange.body,
        lambda: carried_out(machine, exchange, others),
        exchange.timeout,
    )
    return first.act(machine.world, inner)


def slots_of(
    faults: Sequence[Fault], asked: list[Exchange], start: int = 0, after: Fault | None = None
) -> Iterator[Slot]:
    """Return every fault that fits from ``start`` on; after a wire fault, skip its own place."""
    if after is not None and not after.is_event:
        start += 1
    for place in range(start, len(asked)):
        for fault in faults:
            if fault.fits(asked[place]):
                yield place, fault


class Explorer:
    """Runs and judges every plan of up to two faults."""

    def __init__(self, machine: Machine, faults: Sequence[Fault] = FAULTS) -> None:
        self.machine = machine
        self.faults = faults
        self.judge = Judge(machine)
        self.scripted = Scripted(machine)
        self._quiet: dict[bytes, Position] = {}
        self._ends: dict[bytes, Tally] = {}
        self._singles: dict[bytes, Tally] = {}

    def path(self) -> list[Position]:
        """Return all positions of the run without faults, except its end."""
        positions = [self.machine.start()]
        while not (following := self._next(positions[-1])).is_over:
            positions.append(following)
        return positions

    def end(self, position: Position) -> Tally:
        """Judge the run that continues from a position without further faults."""
        walked = []
        while position.key not in self._ends and not position.is_over:
            walked.append(position.key)
            position = self._next(position)
        if position.key not in self._ends:
            assert position.calls < MOST_CALLS  # the key does not include the number of calls
            tally = Tally()
            tally.count(self.judge.verdict(position))
            self._ends[position.key] = tally
        for key in walked:
            self._ends[key] = self._ends[position.key]
        return self._ends[position.key]

    def singles_from(self, position: Position) -> Tally:
        """Judge every plan with exactly one fault from a position on."""
        path = []
        while not position.is_over and position.key not in self._singles:
            path.append(position)
            position = self._next(position)
        found = self._singles.get(position.key, Tally())
        for each in reversed(path):
            tally = Tally()
            for place, fault, following, _ in self.faulty(each):
                tally.add(self.end(following), f"{place}:{fault.name}")
            tally.add(found)
            found = self._singles[each.key] = tally
        return found

    def faulty(self, position: Position) -> Iterator[tuple[str, Fault, Position, list[Exchange]]]:
        """Return every single fault in the next call, and the position that follows."""
        _, asked = self.scripted.step(position)
        for place, fault in slots_of(self.faults, asked):
            following, changed = self.scripted.step(position, (place, fault))
            yield f"{position.calls}.{place} {asked[place].name}", fault, following, changed

    def alike(self, position: Position) -> list[tuple[bytes, int, list[Fault]]]:
        """Group equivalent faults at each place of the next call, by the position that follows.

        Equivalent faults cause the same requests, byte for byte, the same world at the same
        instant, and the same end of the call. The function keeps nothing of a failed answer except
        what its next requests show, so a second fault cannot tell them apart. `tests.faults`
        repeats some of the pairs with another fault of the group and compares the figures.
        """
        _, asked = self.scripted.step(position)
        groups: dict[tuple[bytes, int, object], list[Fault]] = {}
        for place, fault in slots_of(self.faults, asked):
            following, then = self.scripted.step(position, (place, fault))
            requests = tuple((each.name, each.path, each.body) for each in then)
            key = (following.key, place, (fault.is_event, requests))
            groups.setdefault(key, []).append(fault)
        return [(key, place, faults) for (key, place, _), faults in groups.items()]

    def single(self, position: Position, place: int, fault: Fault) -> Tally:
        following, _ = self.scripted.step(position, (place, fault))
        tally = Tally()
        tally.add(self.end(following), f"{position.calls}.{place}:{fault.name}")
        return tally

    def pairs_from_slot(self, position: Position, place: int, fault: Fault) -> tuple[Tally, Tally]:
        """Judge a single fault, and every pair that begins with it."""
        following, asked = self.scripted.step(position, (place, fault))
        name = asked[place].name if place < len(asked) else "?"
        by = f"{position.calls}.{place} {name}:{fault.name}"
        single, pairs = Tally(), Tally()
        single.add(self.end(following), by)
        for later, second in slots_of(self.faults, asked, place, fault):
            end, _ = self.scripted.step(position, (place, fault), (later, second))
            then = f"{position.calls}.{later} {asked[later].name}:{second.name}"
            pairs.add(self.end(end), f"{by} | {then}")
        pairs.add(self.singles_from(following), by)
        return single, pairs

    def _next(self, position: Position) -> Position:
        if position.key not in self._quiet:
            self._quiet[position.key] = self.machine.step(position)
            self.scripted.calls += 1
        return self._quiet[position.key]
