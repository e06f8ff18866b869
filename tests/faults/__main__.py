"""Owns `make faults`: the suite on all cores, its table and its exit status."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

from local.paper_broker.book import Book
from tests.faults.explore import Explorer, Tally
from tests.faults.fault_kinds import ALONE, AMONG_STOPS_FAULTS, FAULTS, TWIN_STACK, Fault
from tests.faults.market import AMONG_STOPS, BUY_HANGS, REBALANCE, STOP_HANGS
from tests.faults.random_plans import Scrambler
from tests.faults.simulation import World
from tests.faults.state_machine import Machine, Position
from tests.faults.take_over import TakeOvers
from tests.faults.wire import Wire
from tests.faults.worlds import RESTING, WEAK

RANDOM_PLANS = 12_000
WEAK_PLANS = 2_000
SEEDS_A_TASK = 100
GROUPS_A_TASK = 10
TWINS = "a stack of the same name"
SINGLES, PAIRS, RANDOM = "single faults", "pairs of faults", "random plans"
CHECKED = "repeated pairs"
TAKE_OVERS, DISTURBED = "take-overs", "take-overs, disturbed"
SLOTS_A_TASK = 50
#: Each run and the faults that disturb it, by the end of the row's name.
RUNS = {
    "": (REBALANCE, FAULTS),
    ", among stops": (AMONG_STOPS, AMONG_STOPS_FAULTS),
    ", a buy hangs": (BUY_HANGS, FAULTS),
    ", a stop hangs": (STOP_HANGS, FAULTS),
}
#: The runs that executions take over, and in which the suite may try pairs of faults.
TAKEN_OVER = ("", ", among stops")
#: In a run that waits for its deadline, how many polls the suite disturbs after a change of plan.
MOST_POLLS = 2
PLANS_PARTS = (1, 2, 8, 8)  # random plans of the rebalance per random plan of each run
#: Rows in which the suite must find duplicates, because the broker accepts some ids twice.
CAUGHT = tuple(f"{kind}, with others" for kind in WEAK)
COLUMNS = ("plans", "exact", "named", "stopped", "duplicate", "lost", "unexplained", "calls")
_UNTIL_THE_END = ExitStack()
#: The suite repeats every n-th group of equivalent faults with another fault of the group.
CHECK_EVERY = 10
Group = tuple[int, tuple[str, ...]]
Task = tuple[str, str, int, int, tuple[Group, ...]]
ALONE_GROUP: tuple[Group, ...] = ((0, ()),)
Done = tuple[dict[str, Tally], str, int]


@cache
def wire() -> Wire:
    """Connect sockets and time to a simulated world until the process ends."""
    made = Wire(World(RESTING))
    _UNTIL_THE_END.enter_context(made.tied())
    return made


@cache
def explorer(kind: str = "", *, alone: bool = False, run: str = "") -> Explorer:
    """Build an explorer, which caches its results."""
    scenario, faults = RUNS[run]
    machine = Machine(wire(), World(RESTING, WEAK.get(kind, Book), scenario=scenario))
    return Explorer(machine, ALONE if alone else faults)


@cache
def scrambler(kind: str = "", *, alone: bool = False, run: str = "") -> Scrambler:
    scenario, faults = RUNS[run]
    return Scrambler(wire(), WEAK.get(kind, Book), ALONE if alone else faults, scenario)


@cache
def take_overs(run: str) -> TakeOvers:
    return TakeOvers(wire(), RUNS[run][0])


def tasks(plans: int, *, pairs: bool, all_pairs: bool = False) -> Iterator[Task]:
    """List the tasks; include the pairs among stops, the slowest ones, only for ``all_pairs``."""
    for run, part in zip(RUNS, PLANS_PARTS, strict=True):
        in_pairs = not run or (all_pairs and run in TAKEN_OVER)
        yield from _exhaustive(run, pairs=pairs and in_pairs)
        for seed in range(0, plans // part, SEEDS_A_TASK):
            yield RANDOM, run, seed, min(seed + SEEDS_A_TASK, plans // part), ()
        yield TWINS, run, 0, 0, ()
    for kind in WEAK:
        yield kind, "", 0, 0, ()
        yield kind, "", 0, 0, ALONE_GROUP
    for seed in range(0, WEAK_PLANS if pairs else 0, SEEDS_A_TASK):
        yield "unique while open", "", seed, seed + SEEDS_A_TASK, ALONE_GROUP


def take_over_tasks() -> Iterator[Task]:
    """List tasks for the first execution's deaths and for the faults at the next one's start."""
    for run in TAKEN_OVER:
        lives = take_overs(run)
        for number in range(len(lives.deaths)):
            yield TAKE_OVERS, run, number, 0, ()
        for stage, death in enumerate(lives.one_of_each_stage()):
            for start in range(0, len(lives.slots(death)), SLOTS_A_TASK):
                yield DISTURBED, run, stage, start, ()


def _exhaustive(run: str, *, pairs: bool) -> Iterator[Task]:
    one = explorer(run=run)
    for call, position in enumerate(one.path()):
        if one.machine.world.scenario.lasts and polls_of(position) > MOST_POLLS:
            continue
        # All faults that lead to the same world go to one process, which explores its future once.
        by_world: dict[bytes, list[Group]] = {}
        for key, place, faults in one.alike(position):
            group = (place, tuple(each.name for each in faults))
            by_world.setdefault(key, []).append(group)
        for groups in by_world.values():
            for start in range(0, len(groups), GROUPS_A_TASK):
                part = tuple(groups[start : start + GROUPS_A_TASK])
                yield PAIRS if pairs else SINGLES, run, call, 0, part


def polls_of(position: Position) -> int:
    """Return how many calls before this one changed nothing."""
    return int(json.loads(position.plan)["polls"]) if position.plan else 0


def work(task: Task) -> Done:
    """Do one task; return its tally for each row, its main row and its number of calls."""
    name, run, first, second, groups = task
    if name == RANDOM:
        return {name + run: scrambler(run=run).plans(range(first, second))}, "", 0
    if name == TWINS:
        twins = Explorer(Machine(wire(), World(RESTING, scenario=RUNS[run][0])), TWIN_STACK)
        tally = twins.singles_from(twins.machine.start())
        return {name + run: tally}, name + run, twins.scripted.calls
    if name in {TAKE_OVERS, DISTURBED}:
        lives, tally = take_overs(run), Tally()
        before = lives.calls
        if name == TAKE_OVERS:
            tally = lives.judged_all(lives.deaths[first])
        else:
            death = lives.one_of_each_stage()[first]
            for slot in lives.slots(death)[second : second + SLOTS_A_TASK]:
                tally.add(lives.judged_fault(death, *slot))
        return {name + run: tally}, name + run, lives.calls - before
    if name in WEAK:
        alone = bool(groups)
        row = f"{name}, {'alone' if alone else 'with others'}"
        if second:
            tally = scrambler(name, alone=alone).plans(range(first, second))
            return {f"{row}, random": tally}, "", 0
        weak = explorer(name, alone=alone)
        return {row: weak.singles_from(weak.machine.start())}, row, weak.scripted.calls
    one = explorer(run=run)
    before = one.scripted.calls
    rows = {row + run: Tally() for row in (SINGLES, PAIRS, CHECKED)}
    for place, names in groups:
        faults = [each for each in one.faults if each.name in names]
        for row, tally in judged(one, one.path()[first], place, faults, pairs=name == PAIRS):
            rows[row + run].add(tally)
    return rows, name + run, one.scripted.calls - before


def judged(
    one: Explorer, position: Position, place: int, faults: list[Fault], *, pairs: bool
) -> Iterator[tuple[str, Tally]]:
    """Judge a group of equivalent faults one by one, or all pairs that begin with one of them."""
    if not pairs:
        for fault in faults:
            yield SINGLES, one.single(position, place, fault)
        return
    single, both = one.pairs_from_slot(position, place, faults[0])
    for row, tally in ((SINGLES, single), (PAIRS, both)):
        whole = Tally()
        whole.add(tally, times=len(faults))
        yield row, whole
    name = f"{position.calls}.{place}:{faults[0].name}"
    if len(faults) > 1 and zlib.crc32(name.encode()) % CHECK_EVERY == 0:
        _, again = one.pairs_from_slot(position, place, faults[-1])
        if (again.endings, again.problems) != (both.endings, both.problems):
            again.problems["unexplained"] += 1
            again.examples.append(f"{name} differs from {faults[-1].name}: {both} {again}"[:600])
        yield CHECKED, again


def table(rows: dict[str, Tally], lived: dict[str, int]) -> list[str]:
    """Print the rows and return the problems."""
    _say(f"{'':34}" + "".join(f"{each:>12}" for each in COLUMNS))
    wrong = []
    for name, tally in rows.items():
        figures = {
            "plans": tally.plans,
            "calls": lived.get(name, 0),
            **{each: tally.endings[each] for each in COLUMNS[1:4]},
            **{each: tally.problems[each] for each in COLUMNS[4:7]},
        }
        shown = "".join(f"{figures[each] or '-':>12}" for each in COLUMNS)
        _say(f"{name:34}{shown}")
        if name in CAUGHT:
            if not tally.problems["duplicate"]:
                wrong.append(f"{name}: the suite found no duplicate")
        elif tally.problems or tally.endings["failed"]:
            wrong += [f"{name}: {each}" for each in tally.examples]
    return wrong


def part(text: str) -> tuple[int, int]:
    """Parse ``K/N``, which selects the K-th of N disjoint parts."""
    number, parts = (int(each) for each in text.split("/"))
    if not 1 <= number <= parts:
        raise ValueError(text)
    return number, parts


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--plans", type=int, default=RANDOM_PLANS, help="number of random plans")
    parser.add_argument("--all-pairs", action="store_true", help="run the pairs among stops, too")
    parser.add_argument("--no-pairs", action="store_true", help="run single faults, no pairs")
    parser.add_argument(
        "--part",
        type=part,
        default=(1, 1),
        metavar="K/N",
        help="run only the K-th of N equal parts",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--take-overs", action="store_true", help="run only the take-overs")
    given = parser.parse_args()
    began = time.monotonic()
    todo = list(take_over_tasks())
    if not given.take_overs:
        todo += tasks(given.plans, pairs=not given.no_pairs, all_pairs=given.all_pairs)
    number, parts = given.part
    todo = todo[number - 1 :: parts]
    rows: dict[str, Tally] = {}
    lived: dict[str, int] = {}
    with multiprocessing.get_context("fork").Pool(given.workers) as pool:
        for done, (found, row, calls) in enumerate(pool.imap_unordered(work, todo), 1):
            for name, tally in found.items():
                if tally.plans:
                    rows.setdefault(name, Tally()).add(tally)
            lived[row] = lived.get(row, 0) + calls
            if sys.stderr.isatty() or done % 20 == 0:
                minutes = (time.monotonic() - began) / 60
                sys.stderr.write(f"  {done} of {len(todo)} tasks, {minutes:.1f} min\n")
    wrong = table(rows, lived)
    which = f", part {number} of {parts}" if parts > 1 else ""
    _say(f"{time.monotonic() - began:.0f} s, {given.workers} processes{which}")
    for each in wrong:
        _say(f"WRONG {each}")
    return 1 if wrong else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the table is this command's output


if __name__ == "__main__":
    sys.exit(main())
