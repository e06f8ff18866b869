from datetime import UTC, datetime, timedelta

from local.cli.timeline import line_of
from local.execution_history import Visit

START = datetime(2026, 1, 5, 14, 35, tzinfo=UTC)


def visit(kind: str, attempts: int = 1, error: str = "") -> Visit:
    left = START + timedelta(seconds=1.234)
    return Visit("Submit Orders", kind, START, left, attempts, None, error)


def test_a_task_shows_its_seconds() -> None:
    assert line_of(visit("Task")).split() == ["Submit", "Orders", "1.23", "s"]


def test_a_task_that_was_tried_again_shows_how_often() -> None:
    line = line_of(visit("Task", attempts=3, error="BrokerUnavailableError"))
    assert line.endswith("1.23 s  3 attempts  BrokerUnavailableError")


def test_states_that_take_no_time_have_only_a_name() -> None:
    assert line_of(visit("Choice")) == "  Submit Orders"
