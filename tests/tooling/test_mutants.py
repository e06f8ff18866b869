"""The inputs of `make mutants`: its modules, their tests, and the equivalent mutants."""

from __future__ import annotations

import re
import tomllib

from tests.support.checkout import CHECKOUT

HOME = CHECKOUT / ".ci" / "mutants"
CORE = CHECKOUT / "functions" / "algotrader"
CONFIG = tomllib.loads((HOME / "modules.toml").read_text())
EQUIVALENTS = tomllib.loads((HOME / "equivalent.toml").read_text()).get("mutant", [])


def test_every_module_and_test_that_is_named_exists_and_no_module_twice() -> None:
    modules = [list(CORE.glob(name)) for each in CONFIG["judged"] for name in each["modules"]]
    tests = [
        list((CHECKOUT / "tests" / "functions").glob(name))
        for each in CONFIG["judged"]
        for name in each["tests"]
    ]
    assert all(modules)
    assert all(tests)
    found = [path for paths in modules for path in paths]
    assert len(found) == len(set(found))


def test_every_equivalent_mutant_is_of_code_that_is_there_and_has_its_reason() -> None:
    for each in EQUIVALENTS:
        source = re.sub(r"\s+", "", (CORE / each["module"]).read_text())
        before, after = (re.sub(r"\s+", "", each[name]) for name in ("before", "after"))
        assert before in source, each
        assert before != after, each
        assert each["within"].split(".")[-1] in source
        assert len(each["why"].split()) > 3, each
