import json
from datetime import UTC, datetime, timedelta
from typing import Any

from local.execution_history import StateTotal, Timeline

START = datetime(2026, 1, 5, 14, 35, tzinfo=UTC)


class History:
    """A writer of events in the format of GetExecutionHistory."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, second: float, **details: Any) -> "History":
        event = {"id": len(self.events) + 1, "type": kind, **details}
        self.events.append(event | {"timestamp": START + timedelta(seconds=second)})
        return self

    def entered(self, kind: str, name: str, second: float) -> "History":
        return self.add(f"{kind}StateEntered", second, stateEnteredEventDetails={"name": name})

    def exited(self, kind: str, name: str, second: float) -> "History":
        return self.add(f"{kind}StateExited", second, stateExitedEventDetails={"name": name})

    def tried(self, second: float) -> "History":
        return self.add("TaskScheduled", second, taskScheduledEventDetails={})

    def failed(self, error: str, second: float) -> "History":
        return self.add("TaskFailed", second, taskFailedEventDetails={"error": error, "cause": ""})

    def gave(self, payload: object, second: float) -> "History":
        output = json.dumps({"StatusCode": 200, "Payload": payload})
        return self.add("TaskSucceeded", second, taskSucceededEventDetails={"output": output})


def fill_loop() -> History:
    history = History().add("ExecutionStarted", 0)
    history.entered("Task", "Submit Orders", 0).tried(0).gave({"n": 1}, 1)
    history.exited("Task", "Submit Orders", 1)
    history.entered("Wait", "Wait For Fills", 1).exited("Wait", "Wait For Fills", 3)
    history.entered("Task", "Submit Orders", 3).tried(3).failed("BrokerUnavailableError", 4)
    history.tried(6).gave({"n": 2}, 7).exited("Task", "Submit Orders", 7)
    history.entered("Task", "Notify", 7).tried(7)
    return history


def test_visits_of_one_task_are_one_total_in_the_order_of_first_entry() -> None:
    timeline = Timeline()
    timeline.extend(fill_loop().events)
    assert timeline.totals() == [
        StateTotal("Submit Orders", 5.0, attempts=3, retries=1),
        StateTotal("Notify", 0.0, attempts=1, retries=0),
    ]


def test_only_what_ended_since_the_last_reading_is_reported() -> None:
    events = fill_loop().events
    timeline = Timeline()
    assert [visit.name for visit in timeline.extend(events[:5])] == ["Submit Orders"]
    again = timeline.extend(events)
    assert [visit.name for visit in again] == ["Wait For Fills", "Submit Orders"]
    totals = timeline.totals()
    assert timeline.extend(events) == []
    assert timeline.totals() == totals


def test_the_state_that_lasts_is_the_current_one() -> None:
    timeline = Timeline()
    assert timeline.current is None
    timeline.extend(fill_loop().events)
    assert timeline.current is not None
    assert timeline.current.name == "Notify"


def test_the_result_is_the_last_one_and_an_error_that_a_retry_fixed_is_forgotten() -> None:
    timeline = Timeline()
    timeline.extend(fill_loop().events)
    assert timeline.result("Submit Orders") == {"n": 2}
    assert timeline.result("Notify") is None
    assert [visit.error for visit in timeline.visits] == ["", "", "", ""]


def test_a_caught_error_stays_with_its_visit() -> None:
    history = History().entered("Task", "Fetch Bars", 0).tried(0)
    history.failed("BrokerAuthError", 1).exited("Task", "Fetch Bars", 1)
    timeline = Timeline()
    timeline.extend(history.events)
    assert timeline.visits[0].error == "BrokerAuthError"
    assert timeline.result("Fetch Bars") is None


def test_the_end_of_the_execution_ends_a_fail_state_which_never_exits() -> None:
    history = History().entered("Fail", "Run Failed", 0)
    history.add("ExecutionFailed", 0, executionFailedEventDetails={"error": "X", "cause": ""})
    timeline = Timeline()
    assert [visit.name for visit in timeline.extend(history.events)] == ["Run Failed"]
