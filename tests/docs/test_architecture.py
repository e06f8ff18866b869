from __future__ import annotations

import re
import tomllib

from tests.docs.asl import function_of, function_tasks, machine, template
from tests.docs.markdown import table, text_of
from tests.support.checkout import CHECKOUT

PAGE = "docs/architecture.md"


def _budget(step: str) -> str:
    """Return a step's HTTP budget from its code; empty if the step has none."""
    for path in sorted((CHECKOUT / "functions" / step).glob("*.py")):
        found = re.search(r"^HTTP_BUDGET_SECONDS = ([0-9.]+)", path.read_text(), re.MULTILINE)
        if found:
            return f"{float(found[1]):g}"
    return ""


def _step(function: str) -> str:
    build = template()["Resources"][function]["Metadata"]["DockerBuildArgs"]
    return str(build["STEP"])


def test_the_timeouts_are_those_of_template_state_machine_and_handlers() -> None:
    expected = []
    for name, state in machine()["States"].items():
        if state["Type"] != "Task":
            continue
        budget = timeout = ""
        if name in function_tasks():
            function = function_of(state)
            budget = _budget(_step(function))
            timeout = str(template()["Resources"][function]["Properties"]["Timeout"])
        expected.append((name, budget, timeout, str(state["TimeoutSeconds"])))
    assert list(table(PAGE, "Timeouts").rows) == expected


def test_the_page_states_the_machines_timeout() -> None:
    assert f"may take {machine()['TimeoutSeconds']} s" in text_of(PAGE)


def test_the_steps_are_those_of_the_state_machine() -> None:
    steps = table(PAGE, "Steps")
    reported = dict(zip(steps.column("State"), steps.column("Function"), strict=True))
    tasks = {name: f"`{_step(function_of(state))}`" for name, state in function_tasks().items()}
    assert reported == {name: step for name, step in tasks.items() if name != "Notify Failure"}


def test_the_lifetime_of_a_run_is_the_buckets() -> None:
    (rule,) = template()["Resources"]["Artifacts"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["Prefix"] == "runs/"
    assert f"expire after {rule['ExpirationInDays']} days" in text_of(PAGE)


def test_the_layers_of_the_core_are_those_that_import_linter_checks() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        each["layers"]
        for each in project["tool"]["importlinter"]["contracts"]
        if each["id"] == "layers"
    ]
    order = [set(re.findall(r"\w+", each)) for each in layers]
    rows = table(PAGE, "Layers").column("Layer")
    named = [set(re.findall(r"\w+", row)) for row in rows]
    places = [at for row in named for at, each in enumerate(order) if each & row]
    assert places == sorted(places)
    words = set(
        re.findall(r"\w+", " ".join(each for row in table(PAGE, "Layers").rows for each in row))
    )
    assert set.union(*order) - words == set()
