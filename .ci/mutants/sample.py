"""Owns the sample of `make mutants`: draws mutants from a seed, tests and judges each one.

Cosmic Ray makes the mutants and runs the tests. This script chooses the modules, the operators, the
tests and the number of mutants.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import random
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

HERE = Path(__file__).parent
CORE = Path("functions/algotrader")
TESTS = Path("tests/functions")
EXAMPLES = 10  # per property; a mutant that survives them needs its own test
WANTED = 95  # percent of the sample, without equivalent mutants
# A mutant can loop forever, but a busy machine is slow, too.
LEAST_TIMEOUT = 60.0
PATIENCE = 10  # multiple of the unbroken code's time


@dataclass(frozen=True)
class Change:
    """The change that a mutant makes, which identifies the mutant within its module.

    Attributes
    ----------
    within : str
        The function or class around the change; empty at the top level.
    before, after : str
        The changed lines without white space.
    """

    module: str
    within: str
    before: str
    after: str


@dataclass(frozen=True)
class Suite:
    """The tests of a module.

    Attributes
    ----------
    command : str
        The command that runs the tests.
    timeout : float
        Seconds after which a mutant counts as killed.
    """

    command: str
    timeout: float


class Tests:
    """Runs each suite on the unbroken code before it judges a mutant."""

    def __init__(self, python: str, table: list[dict[str, list[str]]]) -> None:
        self._python = python
        self._table = table

    def of(self, module: Path) -> Iterator[Suite]:
        """Yield the module's own tests, then all tests."""
        names = next(
            each["tests"]
            for each in self._table
            if any(module in CORE.glob(pattern) for pattern in each["modules"])
        )
        yield self._suite(tuple(names))
        yield self._suite(tuple(name for each in self._table for name in each["tests"]))

    @cache  # noqa: B019 - one object for the whole program
    def _suite(self, names: tuple[str, ...]) -> Suite:
        files = dict.fromkeys(str(path) for name in names for path in sorted(TESTS.glob(name)))
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
        command = shlex.join(
            ["env", f"EXAMPLES={EXAMPLES}", self._python, "-m", "pytest", *options, *files]
        )
        start = time.monotonic()
        done = subprocess.run(  # noqa: S603 - pytest of the given interpreter
            shlex.split(command), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"mutants: the tests fail on the unbroken code:\n{done.stdout}")
        return Suite(command, max(LEAST_TIMEOUT, PATIENCE * (time.monotonic() - start)))


def mutants(table: list[dict[str, list[str]]], operators: list[str]) -> list[MutationSpec]:
    """List the mutants of all modules, always in the same order."""
    modules = sorted(path for each in table for name in each["modules"] for path in CORE.glob(name))
    worthy = re.compile("|".join(f"(?:{each})" for each in operators))
    with use_db("mutants.sqlite", WorkDB.Mode.create) as found:
        init(modules, found, {})
        specs = [spec for item in found.work_items for spec in item.mutations]
    specs.sort(key=lambda each: (str(each.module_path), each.operator_name, each.occurrence))
    return [each for each in specs if worthy.fullmatch(each.operator_name)]


def draw(every: list[MutationSpec], size: int, seed: int) -> list[MutationSpec]:
    """Draw mutants from a seed, except those that fail to compile or change no behavior."""
    shuffled = random.Random(seed).sample(every, len(every))  # noqa: S311 - not a secret
    drawn = list(itertools.islice(filter(_is_real, shuffled), size))
    return sorted(drawn, key=lambda each: (str(each.module_path), each.start_pos))


def _is_real(spec: MutationSpec) -> bool:
    before, after = _source(spec.module_path), _mutated(spec)
    try:
        return after is not None and _meaning(after) != _meaning(before)
    except SyntaxError:
        return False


@cache
def _source(module: Path) -> str:
    return module.read_text(encoding="utf-8")


def _mutated(spec: MutationSpec) -> str | None:
    operator = get_operator(spec.operator_name)()
    return mutate_code(_source(spec.module_path), operator, spec.occurrence)


@cache
def _meaning(source: str) -> str:
    """Return a module's tree without function annotations and class decorators.

    Nothing evaluates those annotations, and a data class behaves the same if it is not frozen. The
    `*` and `/` in a signature only restrict how others call the function.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.decorator_list = []
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
            for part in ast.walk(node):
                if isinstance(part, ast.AnnAssign):
                    part.annotation = ast.Constant(None)
                elif isinstance(part, ast.arg):
                    part.annotation = None
        elif isinstance(node, ast.arguments):
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults = [*node.defaults, *filter(None, node.kw_defaults)]
            node.posonlyargs = node.kwonlyargs = node.kw_defaults = []
    return ast.dump(tree)


def change_of(spec: MutationSpec, diff: str) -> Change:
    """Read a mutant's change from the diff that Cosmic Ray prints."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]

    def lines_of(sign: str) -> str:
        return _bare("".join(line[1:] for line in lines if line.startswith(sign)))

    module = str(spec.module_path.relative_to(CORE))
    return Change(module, spec.definition_name or "", lines_of("-"), lines_of("+"))


def _bare(code: str) -> str:
    return re.sub(r"\s+", "", code)


def known_equivalents() -> frozenset[Change]:
    """Read the list of mutants that no test can kill."""
    listed = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    return frozenset(
        Change(each["module"], each["within"], _bare(each["before"]), _bare(each["after"]))
        for each in listed.get("mutant", [])
    )


def judge(spec: MutationSpec, suites: Iterator[Suite]) -> tuple[str, str]:
    """Run the tests on a mutant; return killed, timeout or survived, and its diff."""
    diff = ""
    for suite in suites:
        result = mutate_and_test([spec], suite.command, suite.timeout)
        diff = result.diff or ""
        if result.test_outcome is TestOutcome.INCOMPETENT or not diff:
            sys.exit(f"mutants: Cosmic Ray could not judge {spec}:\n{result.output}")
        if result.test_outcome is TestOutcome.KILLED:
            return ("timeout" if result.output == "timeout" else "killed"), diff
    return "survived", diff


def main() -> int:
    """Draw the sample, judge it, and print the survivors and the figures."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("tree", type=Path, help="the copy to break")
    parser.add_argument("python", help="the interpreter of the tests")
    parser.add_argument("--sample", type=int, default=300, help="number of mutants")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw")
    parser.add_argument("--only", default="", help="only modules whose path contains this")
    asked = parser.parse_args()
    os.chdir(asked.tree)
    config = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    every = mutants(config["judged"], config["operators"])
    every = [each for each in every if asked.only in str(each.module_path)]
    drawn = draw(every, asked.sample, asked.seed)
    print(f"mutants: {len(drawn)} of {len(every)}, seed {asked.seed}", flush=True)
    tests = Tests(asked.python, config["judged"])
    equivalents = known_equivalents()
    counted: Counter[str] = Counter()
    for number, spec in enumerate(drawn, start=1):
        outcome, diff = judge(spec, tests.of(spec.module_path))
        change = change_of(spec, diff)
        if change in equivalents:
            outcome = "equivalent" if outcome == "survived" else "not equivalent"
        counted[outcome] += 1
        where = f"{spec.module_path}:{spec.start_pos[0]}"
        print(f"{number}/{len(drawn)} {outcome}: {where} {spec.operator_name}", flush=True)
        if outcome in {"survived", "not equivalent"}:
            print(f"within {change.within}\n{diff}\n", flush=True)
    judged = len(drawn) - counted["equivalent"]
    dead = counted["killed"] + counted["timeout"]
    percent = 100 * dead / judged if judged else 100.0
    figures = ", ".join(f"{counted[each]} {each}" for each in sorted(counted))
    print(f"mutants: seed {asked.seed}, {len(drawn)} of {len(every)}: {figures}")
    print(f"mutants: {dead} of {judged} killed, {percent:.1f} %; wanted: above {WANTED} %")
    return 0 if percent > WANTED and not counted["not equivalent"] else 1


if __name__ == "__main__":
    sys.exit(main())
