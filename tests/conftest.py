"""Owns what all tests share: assertion details, the number of examples, and the order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.support.examples import tried

pytest.register_assert_rewrite("tests.support.event_expectations")

# The number of examples of a property without its own number (`make help`). Examples have no
# deadline, because their duration depends on the machine.
settings.register_profile(
    "desk",
    tried(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("desk")

# Tests that start many whole runs or commands; `make test-runs` runs them.
RUNS = (
    "tests/run/",
    *(f"tests/local/cli/test_{each}.py" for each in ("arm", "books_role", "flatten", "holdings")),
    *(f"tests/local/cli/test_{each}.py" for each in ("plan", "restore", "run", "state", "stop")),
    *(f"tests/template/test_{each}.py" for each in ("least_privilege", "lifecycle")),
)

# The longest tests run first, because a long last test leaves the other processors idle.
LONGEST = (
    "tests/local/cli/test_run.py",
    "tests/run/test_days.py",
    "tests/template/test_least_privilege.py",
    "tests/run/",
    "tests/local/cli/",
    "tests/faults/",
    "tests/local/sandbox/aws/",
    "tests/statemachine/",
    "tests/events/",
    "tests/functions/algotrader/strategy/indicators/test_warm_up.py",
    "tests/functions/fetch_bars/",
    "tests/functions/submit_orders/",
)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        starts = (n for n, path in enumerate(LONGEST) if item.nodeid.startswith(path))
        return next(starts, len(LONGEST))

    for item in items:
        if item.nodeid.startswith(RUNS):
            item.add_marker(pytest.mark.runs)
    items.sort(key=place)
