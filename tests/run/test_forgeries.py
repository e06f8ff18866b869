"""Write access to the bucket cannot make a whole run trade, and the text names the forgery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import SESSION, Bench
from tests.support.distorting_proxy import Answer

DAY = SESSION.isoformat()
JOURNAL = f"runs/{DAY}/{DAY}-day/"


@pytest.fixture
def fresh(bench: Bench) -> Iterator[PaperBrokerProcess]:
    """Return a new broker behind the bench's proxy."""
    with bench.own_broker(clock_scale=10) as process:
        yield process


def put(bench: Bench, stack: Stack, name: str, value: Any) -> None:
    s3 = bench.aws.client("s3")
    s3.put_object(Bucket=stack.bucket, Key=f"{JOURNAL}{name}", Body=json.dumps(value).encode())


def read(bench: Bench, stack: Stack, name: str) -> Any:
    s3 = bench.aws.client("s3")
    return json.load(s3.get_object(Bucket=stack.bucket, Key=f"{JOURNAL}{name}")["Body"])


def fail_after_one_order(bench: Bench, stack: Stack) -> None:
    """Ring with a broker that is down after the first order, then bring the broker back."""
    posts = 0

    def go_down(method: str, _path: str) -> Answer | None:
        nonlocal posts
        posts += method == "POST"
        return Answer(504, b"<html>late</html>") if posts > 1 else None

    bench.proxy.intercept = go_down
    assert bench.ring(stack, {}).status == "FAILED"
    bench.proxy.intercept = None


def test_a_forged_plan_is_not_sent(bench: Bench, fresh: PaperBrokerProcess) -> None:
    stack = bench.deploy()
    desk = _desk_of(bench, stack)
    order = {
        "client_order_id": f"at1-{desk}-{DAY}-day-TSLA-entry-0",
        "symbol": "TSLA",
        "side": "buy",
        "leg": "entry",
        "qty": "100000",
        "order_type": "market",
        "limit_price": None,
        "reference_price": "30",
        "why": "forged",
    }
    closed = dict.fromkeys(("exits_closed", "entries_closed", "stops_closed"))
    plan = {"run_id": f"{DAY}-day", "sequence": 1, "polls": 0}
    plan |= {"waited_seconds": 0, "orders": [order], "cancels": [], "denied": [], "rejected": []}
    put(bench, stack, "plan-001.json", plan | closed)
    reported = bench.ring(stack, {})
    assert reported.outcome == ("FAILED", "DecisionConflictError", 0)
    assert fresh.orders() == []
    assert "PLAN_CONFLICT" in reported.sms
    assert "TSLA-entry-0: buy 100000 TSLA" in reported.email


def _desk_of(bench: Bench, stack: Stack) -> str:
    bench.ring(stack, {"dry_run": True})
    s3 = bench.aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=stack.bucket)["Contents"]]
    record = next(each for each in keys if each.endswith("fetched.json"))
    found = json.load(s3.get_object(Bucket=stack.bucket, Key=record)["Body"])
    return str(found["run"]["desk"])


def test_a_forged_journal_is_not_taken_over(bench: Bench, fresh: PaperBrokerProcess) -> None:
    """Both the journal and its failed claim are copies from a run with wider limits."""
    wide = bench.deploy({"MaxOrderNotional": "100000", "MaxPositionWeight": "1"})
    fail_after_one_order(bench, wide)
    placed = len(fresh.orders())
    stack = bench.deploy({"MaxOrderNotional": "1000"})
    for name in ("claim.json", "fetched.json", "decision.json"):
        put(bench, stack, name, read(bench, wide, name))
    claim = read(bench, wide, "claim.json")
    stranger = claim["execution_arn"].replace(f":{wide.name}:", f":{stack.name}:")
    put(bench, stack, "claim.json", claim | {"execution_arn": stranger})
    reported = bench.ring(stack, {})
    assert reported.outcome == ("FAILED", "DecisionConflictError", 0)
    assert "DECISION_UNPROVEN" in reported.sms
    assert len(fresh.orders()) == placed


def test_a_take_over_after_a_deploy_settles_and_sends_nothing_more(
    bench: Bench, fresh: PaperBrokerProcess
) -> None:
    stack = bench.deploy()
    fail_after_one_order(bench, stack)
    assert len(fresh.orders()) == 1
    bench.deploy_again(stack, {"MaxOrderNotional": "1000"})
    reported = bench.ring(stack, {})
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 0), reported.cause
    assert "Sent nothing more (a deploy changed MaxOrderNotional)" in reported.sms
    assert "DEADLINE_PASSED" in reported.email
    assert len(fresh.orders()) == 1


def test_a_take_over_after_a_trade_by_hand_settles_and_sends_nothing_more(
    bench: Bench, fresh: PaperBrokerProcess
) -> None:
    stack = bench.deploy()
    fail_after_one_order(bench, stack)
    ticket = {"symbol": "GOOG", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}
    fresh.request("POST", "/v2/orders", ticket)
    reported = bench.ring(stack, {})
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 0), reported.cause
    assert "Sent nothing more (the account changed: 1 GOOG" in reported.sms
