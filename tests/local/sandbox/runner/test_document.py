from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.execution_history import Timeline, Visit
from local.sandbox.runner.document import BrokerView, Ending, message_of, run_document

START = datetime(2026, 1, 5, 14, 35, tzinfo=UTC)
SUCCEEDED = Ending("one", "SUCCEEDED", None, None, 3.14159)
RUN = {"run_id": "2026-01-05-day", "session": "2026-01-05", "desk": "abc123"}
DENIED = {"symbol": "IBM", "side": "buy", "qty": "3", "code": "NOTIONAL", "detail": "too much"}
REJECTED = {"client_order_id": "x", "symbol": "AAPL", "code": "40310000", "detail": "no cash"}
TEXTS = {"sms": "Bought 3.", "subject": "Day", "email": "Long.", "error": "", "cause": ""}


def task(name: str, result: Any = None, seconds: float = 0.25, attempts: int = 1) -> Visit:
    return Visit(name, "Task", START, START + timedelta(seconds=seconds), attempts, result)


def order(identity: str, **fields: Any) -> dict[str, Any]:
    usual = {
        "client_order_id": identity,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "3",
        "status": "filled",
        "filled_qty": "3",
        "filled_avg_price": "10.5",
        "order_type": "limit",
    }
    return usual | fields


def inline(artifact: Mapping[str, Any]) -> Any:
    return artifact.get("inline")


def document(
    *visits: Visit, broker: BrokerView | None = None, ending: Ending = SUCCEEDED
) -> dict[str, Any]:
    timeline = Timeline(list(visits))
    return run_document(ending, timeline, broker or BrokerView(), inline, "2026-01-06")


def trading_day(submission: dict[str, Any] | None = None) -> list[Visit]:
    decision = {"run_id": RUN["run_id"], "denied": [DENIED], "why": {"IBM": "too dear"}}
    return [
        task("Fetch Bars", {"outcome": "OPEN", "message": "", "run": RUN}),
        task("Compute Indicators", {"features": {"inline": {}}}),
        task("Decide Orders", {"outcome": "SUBMIT", "decision": {"inline": decision}}),
        task("Submit Orders", {"submission": {"inline": {"orders": []}}}),
        task("Submit Orders", {"submission": {"inline": submission or {"orders": []}}}),
        task("Notify", TEXTS),
    ]


def test_every_field_is_there_also_when_nothing_was() -> None:
    assert document(ending=Ending("one", "FAILED", "X", "because", 0.0)) == {
        "execution": {
            "name": "one",
            "status": "FAILED",
            "error": "X",
            "cause": "because",
            "seconds": 0.0,
        },
        "states": [],
        "session": "2026-01-06",
        "run_id": None,
        "decision": None,
        "orders": [],
        "denied": [],
        "notification": None,
        "account": None,
        "returns": None,
    }


def test_the_runs_own_session_goes_before_the_one_asked_for() -> None:
    built = document(*trading_day())
    assert (built["session"], built["run_id"]) == ("2026-01-05", "2026-01-05-day")


def test_states_are_the_tasks_with_their_visits_added_up() -> None:
    assert document(*trading_day())["states"] == [
        {"name": "Fetch Bars", "seconds": 0.25, "attempts": 1, "retries": 0},
        {"name": "Compute Indicators", "seconds": 0.25, "attempts": 1, "retries": 0},
        {"name": "Decide Orders", "seconds": 0.25, "attempts": 1, "retries": 0},
        {"name": "Submit Orders", "seconds": 0.5, "attempts": 2, "retries": 0},
        {"name": "Notify", "seconds": 0.25, "attempts": 1, "retries": 0},
    ]


def test_orders_are_the_runs_own_as_the_broker_holds_them() -> None:
    own = "at1-abc123-2026-01-05-day-AAPL-entry-0"
    foreign = "at1-abc123-2026-01-02-day-AAPL-entry-0"
    held = (order(own), order(foreign), order("typed by hand"), {"client_order_id": None})
    submission = {"orders": [order(own, status="new", filled_qty="0", filled_avg_price=None)]}
    built = document(*trading_day(submission), broker=BrokerView({}, held))
    assert built["orders"] == [
        {
            "client_order_id": own,
            "symbol": "AAPL",
            "side": "buy",
            "qty": "3",
            "notional": None,
            "order_type": "limit",
            "limit_price": None,
            "stop_price": None,
            "status": "filled",
            "filled_qty": "3",
            "filled_avg_price": "10.5",
        }
    ]


def test_orders_that_the_broker_does_not_report_come_from_the_runs_record() -> None:
    own = "at1-abc123-2026-01-05-day-AAPL-entry-0"
    submission = {"orders": [order(own, status="new", filled_qty="0", filled_avg_price=None)]}
    (built,) = document(*trading_day(submission))["orders"]
    assert (built["status"], built["filled_qty"], built["filled_avg_price"]) == ("new", "0", None)


def test_orders_of_a_run_that_failed_while_sending_come_from_the_broker() -> None:
    own = "at1-abc123-2026-01-05-day-AAPL-entry-0"
    visits = [*trading_day()[:3], task("Submit Orders"), task("Notify Failure", TEXTS)]
    built = document(*visits, broker=BrokerView({}, (order(own),)))
    assert [one["client_order_id"] for one in built["orders"]] == [own]


def test_denied_orders_are_those_of_the_desk_then_those_of_the_broker_each_once() -> None:
    submission = {"orders": [], "denied": [DENIED], "rejected": [REJECTED]}
    assert document(*trading_day(submission))["denied"] == [
        {"symbol": "IBM", "code": "NOTIONAL", "detail": "too much"},
        {"symbol": "AAPL", "code": "40310000", "detail": "no cash"},
    ]


@pytest.mark.parametrize("state", ["Notify", "Notify Failure"])
def test_the_text_is_that_of_either_notify_state(state: str) -> None:
    built = document(task(state, TEXTS))["notification"]
    assert built == {"sms": "Bought 3.", "subject": "Day", "email": "Long."}


def test_a_direct_publish_is_not_a_text_of_ours() -> None:
    assert document(task("Publish Failure", {"MessageId": "1"}))["notification"] is None


def test_the_account_is_as_the_broker_shows_it_after_the_run() -> None:
    view = BrokerView({"equity": "100.5", "last_equity": 99, "cash": "7", "id": "x"})
    submission = {"orders": [], "account": {"equity": "1", "last_equity": "1", "cash": "1"}}
    built = document(*trading_day(submission), broker=view)["account"]
    assert built == {"equity": "100.5", "last_equity": "99", "cash": "7", "profit": None}


def test_the_account_falls_back_to_the_last_one_that_the_run_read() -> None:
    submission = {"orders": [], "account": {"equity": "1", "last_equity": "2", "cash": "3"}}
    built = document(*trading_day(submission))["account"]
    assert built == {"equity": "1", "last_equity": "2", "cash": "3", "profit": None}


def test_the_account_s_profit_is_what_fetch_bars_measured() -> None:
    fetched = task("Fetch Bars", {"run": RUN, "snapshot": {"inline": {"since_close_pnl": "-4.5"}}})
    built = document(fetched, broker=BrokerView({"equity": "9", "last_equity": "1", "cash": "1"}))
    assert built["account"]["profit"] == "-4.5"


def test_an_artifact_that_cannot_be_read_counts_as_none() -> None:
    visits = [task("Decide Orders", {"decision": {"s3": "s3://gone"}})]
    assert document(*visits)["decision"] is None


def test_the_message_is_that_of_fetch_bars() -> None:
    closed = task("Fetch Bars", {"outcome": "CLOSED", "message": "Closed.", "run": None})
    assert message_of(Timeline([closed])) == "Closed."
    assert message_of(Timeline([])) == ""
