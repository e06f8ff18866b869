"""Owns take-overs: an execution dies, somebody makes a change, and the next execution continues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from tests.faults.changes import CHANGES, CLAIM, DECISION, STAGES, Change
from tests.faults.explore import Explorer, Slot, Tally, carried_out, slots_of
from tests.faults.fault_kinds import FAULTS, Fault
from tests.faults.market import REBALANCE, Scenario
from tests.faults.oracle import Judge, Verdict
from tests.faults.simulation import Reply, World
from tests.faults.state_machine import Position
from tests.faults.whole import FORGED, WholeMachine
from tests.faults.wire import Exchange, Wire
from tests.faults.worlds import RESTING

KILLS = tuple(each for each in FAULTS if each.name.startswith("kill"))
WIRE = tuple(each for each in FAULTS if not each.is_event)
#: How a run must end despite a fault in Fetch Bars.
HARMLESS = replace(CHANGES[0], wanted=("exact or named",) * 3)
#: Errors in which a run may end, each with the changes that justify it.
NEEDS_A_PERSON = {
    "DecisionConflictError": {"forged"},
    "OrderConflictError": {"forged"},
    "InvalidInputError": {"forged", "deployed"},
    "ConfigurationError": {"deployed", "forged"},
    "DUPLICATE": {"forged"},
    "DRY_RUN": {"deployed"},
}


@dataclass(slots=True)
class Death:
    """The world that a dying execution leaves.

    Attributes
    ----------
    position : Position
        The position before the last call, with the world that is left.
    stage : int
        How far the execution got, as an index of `STAGES`.
    names : list of str
        The kills that leave this world.
    """

    position: Position
    stage: int
    names: list[str]


class TakeOvers:
    """Runs each death of the first execution, each change after it, and the take-over."""

    def __init__(self, wire: Wire, scenario: Scenario = REBALANCE) -> None:
        self.machine = WholeMachine(wire, World(RESTING, scenario=scenario))
        self.judge = Judge(self.machine, NEEDS_A_PERSON)
        self.calls = 0

    def one_of_each_stage(self) -> tuple[Death, ...]:
        return tuple(
            next(each for each in self.deaths if each.stage == stage)
            for stage in range(len(STAGES))
        )

    @cached_property
    def deaths(self) -> tuple[Death, ...]:
        """The worlds that the first execution can leave if it dies at one of its exchanges."""
        explorer = Explorer(self.machine, KILLS)
        found: dict[str, Death] = {}
        for position in explorer.path():
            _, asked = explorer.scripted.step(position)
            for place, fault in slots_of(KILLS, asked):
                death = self.death(position, place, fault)
                earlier = found.setdefault(self.machine.world.key(), death)
                if earlier is not death:
                    earlier.names.extend(death.names)
        return tuple(found.values())

    def judged_all(self, death: Death) -> Tally:
        """Judge how a run continues after a death and each of the changes."""
        tally = Tally()
        for change in CHANGES:
            tally.add(self.judged(death, change))
        return tally

    def slots(self, death: Death) -> list[tuple[str, Slot]]:
        """List the faults that can hit the next Fetch Bars, each with a name.

        Only the claim's writes have a condition, so only they can conflict.
        """
        asked: list[Exchange] = []
        with self._scripted(asked):
            self._restored(death)
            self.machine.go_on(death.position)
        return [
            (f"{death.names[0]} | {place} {asked[place].name}:{fault.name}", (place, fault))
            for place, fault in slots_of(WIRE, asked)
            if fault.name != "409" or asked[place].path == CLAIM
        ]

    def judged_fault(self, death: Death, name: str, slot: Slot) -> Tally:
        """Judge how a run continues after a death if a fault hits the next Fetch Bars."""
        tally, one = Tally(), Tally()
        one.count(self._verdict(death, HARMLESS, slot))
        tally.add(one, name)
        return tally

    def judged(self, death: Death, change: Change) -> Tally:
        """Judge how a run continues after a death and a change."""
        tally = Tally()
        if not change.wanted[death.stage]:
            return tally
        verdict = self._verdict(death, change)
        one = Tally()
        one.count(verdict)
        tally.add(one, f"{death.names[0]} | {change.name}", times=len(death.names))
        return tally

    def death(self, position: Position, place: int, fault: Fault) -> Death:
        """Kill the first execution at an exchange of its next call."""
        machine = self.machine
        asked: list[Exchange] = []
        with self._scripted(asked, (place, fault)):
            machine.die(position)
        state = machine.world.state
        state.notes.discard("unread")  # the execution that misread the switch is dead
        stage = "decided" if DECISION in state.bucket else "undecided"
        if self._has_sent():
            stage = "sent"
        name = f"{position.calls}.{place} {asked[-1].name}:{fault.name}"
        return Death(machine.placed(position), STAGES.index(stage), [name])

    def _has_sent(self) -> bool:
        ids = {each.client_order_id for each in self.machine.world.exchange.book.all}
        decision = self.machine.decision(0)
        wanted = (*decision.exits, *decision.entries, *decision.stops)
        return any(each.client_order_id in ids for each in wanted)

    def _restored(self, death: Death) -> None:
        self.machine.restore()
        self.machine.wire.world = self.machine.world
        self.machine.world.load(death.position.world)

    def _verdict(self, death: Death, change: Change, *slots: Slot) -> Verdict:
        machine, world = self.machine, self.machine.world
        self._restored(death)
        change.act(machine)
        world.state.notes.update({change.note} - {""})
        asked: list[Exchange] = []
        with self._scripted(asked, *slots):
            position = machine.go_on(death.position)
            reason = "" if position.is_over else _reason_of(machine, position)
            end = machine.finish(position)
        self.calls += end.calls - death.position.calls
        if change.reason and reason.startswith(change.reason):
            world.load(end.world)
            world.state.notes.add("ended")
            end = replace(end, world=world.save())
        # Judge by the true decision if the run sent its orders, or if the decision was forged.
        may_differ = change.allows_another and end.is_complete
        has_sent = death.stage == STAGES.index("sent")
        is_true = (has_sent and not may_differ) or end.variant == FORGED
        verdict = self.judge.verdict(replace(end, variant=0) if is_true else end)
        outcome = _outcome(end, reason, verdict)
        problems = list(verdict.problems)
        if outcome not in change.wanted[death.stage].split(" or "):
            problems.append(f"unexplained end: {outcome} {end.message or reason}")
        posts = [each.path for each in asked if each.name.startswith("broker POST")]
        if (reason or not end.is_complete) and posts:
            problems.append(f"unexplained orders after the end: {posts}")
        return Verdict(verdict.ending, tuple(problems))

    @contextmanager
    def _scripted(self, asked: list[Exchange], *slots: Slot) -> Iterator[None]:
        """Inject these faults, and record the exchanges until the block ends."""
        machine = self.machine

        def script(exchange: Exchange) -> Reply:
            faults = [fault for place, fault in slots if place == len(asked)]
            asked.append(exchange)
            return carried_out(machine, exchange, faults)

        machine.wire.script = script
        try:
            yield
        finally:
            machine.wire.script = lambda exchange: exchange.apply()


def _reason_of(machine: WholeMachine, position: Position) -> str:
    run = machine.begun(position).run
    assert run is not None
    return run.ended_because


def _outcome(end: Position, reason: str, verdict: Verdict) -> str:
    """Name how a run ended, in the words of `Change.wanted`."""
    if not end.is_complete:
        return end.error if end.error.isupper() else end.message.partition(":")[0]
    return "ended" if reason else verdict.ending
