"""Only one execution at a time may acquire the lock on a run."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from algotrader.adapters import run_lock as module
from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import (
    Claim,
    LockResult,
    LockState,
    acquire,
    active_holder,
    claim_key,
    claimed_since,
    finish,
)
from algotrader.adapters.store import Store
from algotrader.model import Run, TradingMode

NOW = datetime(2026, 1, 6, 14, 35, tzinfo=UTC)
ONE = "arn:aws:states:us-east-1:123456789012:execution:desk:one"
TWO = "arn:aws:states:us-east-1:123456789012:execution:desk:two"


def run_of(arn: str) -> Run:
    return Run(
        run_id="2026-01-06-day",
        session=date(2026, 1, 6),
        slot="day",
        desk="abcdef",
        mode=TradingMode.PAPER,
        execution_arn=arn,
        journal="runs/2026-01-06/2026-01-06-day/",
        sends_orders=True,
        entry_symbols=("AAPL",),
        started_at=NOW,
        deadline=NOW,
    )


class Executions:
    """A fake Step Functions that knows executions by ARN, their status and when they ended."""

    def __init__(self, *, ended: timedelta | None = None, broken: int = 0, **statuses: str) -> None:
        self.statuses = statuses
        self.ended = ended
        self.broken = broken  # answers from a gateway, which botocore reads as empty

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.broken -= 1
        if self.broken >= 0:
            return {}
        name = executionArn.rsplit(":", 1)[-1]
        if name not in self.statuses:
            error = {"Error": {"Code": "ExecutionDoesNotExist"}}
            raise ClientError(error, "DescribeExecution")
        end = {} if self.ended is None else {"stopDate": datetime.now(UTC) - self.ended}
        return {"status": self.statuses[name], **end}


@pytest.fixture
def store(aws: None) -> Store:
    del aws
    boto3.client("s3").create_bucket(Bucket="desk-bucket")
    return Store("desk-bucket")


def hold(monkeypatch: pytest.MonkeyPatch, executions: Executions) -> None:
    real = module.client
    monkeypatch.setattr(
        module,
        "client",
        lambda service: executions if service == "stepfunctions" else real(service),
    )


def state_of(store: Store) -> Claim | None:
    return store.read(claim_key(run_of(ONE)), Claim)


def test_the_first_execution_gets_the_run(store: Store) -> None:
    assert acquire(store, run_of(ONE), NOW) == LockResult(LockState.NEW, ONE, (ONE,))
    assert state_of(store) == Claim(ONE, "running", NOW)


def test_the_same_execution_continues(store: Store) -> None:
    acquire(store, run_of(ONE), NOW)

    assert acquire(store, run_of(ONE), NOW).state is LockState.AGAIN


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_a_run_that_another_execution_has_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    hold(monkeypatch, Executions(one=status))
    acquire(store, run_of(ONE), NOW)

    assert acquire(store, run_of(TWO), NOW) == LockResult(LockState.REFUSED, ONE, ())
    assert state_of(store) == Claim(ONE, "running", NOW)


def test_an_execution_that_cannot_be_described_counts_as_alive(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, Executions())
    acquire(store, run_of(ONE), NOW)

    assert acquire(store, run_of(TWO), NOW).state is LockState.REFUSED


@pytest.mark.parametrize(("broken", "grip"), [(2, LockState.TAKEN_OVER), (9, LockState.REFUSED)])
def test_an_answer_that_is_not_of_step_functions_is_asked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: int, grip: LockState
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))
    hold(monkeypatch, Executions(one="FAILED", broken=broken))
    acquire(store, run_of(ONE), NOW)

    assert acquire(store, run_of(TWO), NOW).state is grip


@pytest.mark.parametrize(("broken", "holder"), [(2, None), (9, ONE)])
def test_whether_an_execution_may_still_act_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: int, holder: str | None
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))
    hold(monkeypatch, Executions(one="ABORTED", ended=timedelta(hours=1), broken=broken))
    acquire(store, run_of(ONE), NOW)

    assert active_holder(store, run_of(TWO)) == holder


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_run_whose_execution_was_stopped_is_taken_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    hold(monkeypatch, Executions(one=status))
    acquire(store, run_of(ONE), NOW)

    assert acquire(store, run_of(TWO), NOW) == LockResult(LockState.TAKEN_OVER, ONE, (ONE, TWO))
    assert state_of(store) == Claim(TWO, "running", NOW, earlier=(ONE,))


def test_a_failed_run_is_taken_over_without_asking(store: Store) -> None:
    acquire(store, run_of(ONE), NOW)
    assert finish(store, run_of(ONE), "failed")

    assert acquire(store, run_of(TWO), NOW) == LockResult(LockState.TAKEN_OVER, ONE, (ONE, TWO))


def test_an_execution_that_failed_may_try_again_itself(store: Store) -> None:
    acquire(store, run_of(ONE), NOW)
    finish(store, run_of(ONE), "failed")

    assert acquire(store, run_of(ONE), NOW).state is LockState.AGAIN
    assert state_of(store) == Claim(ONE, "running", NOW)


@pytest.mark.parametrize("arn", [ONE, TWO])
def test_a_run_that_is_done_is_done(store: Store, arn: str) -> None:
    acquire(store, run_of(ONE), NOW)
    finish(store, run_of(ONE), "done")

    assert acquire(store, run_of(arn), NOW) == LockResult(LockState.REFUSED, ONE, ())


def test_only_its_holder_ends_a_claim(store: Store) -> None:
    assert not finish(store, run_of(ONE), "done")
    acquire(store, run_of(ONE), NOW)

    assert not finish(store, run_of(TWO), "failed")
    assert state_of(store) == Claim(ONE, "running", NOW)


@pytest.mark.parametrize("is_failed", [False, True])
def test_of_parallel_executions_exactly_one_gets_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, is_failed: bool
) -> None:
    arns = [f"{ONE}-{n}" for n in range(6)]
    hold(monkeypatch, Executions(**{arn.rsplit(":", 1)[-1]: "RUNNING" for arn in arns}))
    if is_failed:
        acquire(store, run_of(TWO), NOW)
        finish(store, run_of(TWO), "failed")
    client("s3")
    start = threading.Barrier(len(arns))
    grips: list[LockState] = []

    def take(arn: str) -> None:
        start.wait()
        grips.append(acquire(store, run_of(arn), NOW).state)

    threads = [threading.Thread(target=take, args=(arn,)) for arn in arns]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    winner = LockState.TAKEN_OVER if is_failed else LockState.NEW
    assert sorted(grips) == sorted([winner] + [LockState.REFUSED] * 5)


DECISION = "runs/2026-01-06/2026-01-06-day/decision.json"
MOMENT, LONG = timedelta(seconds=20), timedelta(minutes=3)


def done_ago(store: Store, ago: timedelta | None) -> None:
    ended = None if ago is None else datetime.now(UTC) - ago
    store.write(claim_key(run_of(ONE)), Claim(ONE, "done", NOW, ended))


def test_a_run_that_lives_may_act_and_one_that_is_done_or_nobodys_may_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, Executions(one="RUNNING"))
    assert active_holder(store, run_of(TWO)) is None
    acquire(store, run_of(ONE), NOW)
    assert active_holder(store, run_of(TWO)) == ONE
    assert active_holder(store, run_of(ONE)) is None  # an execution does not block itself
    finish(store, run_of(ONE), "done")
    done_ago(store, LONG)
    assert active_holder(store, run_of(TWO)) is None


@pytest.mark.parametrize(("ago", "may_act"), [(MOMENT, True), (timedelta(seconds=61), False)])
def test_the_last_orders_of_a_run_that_was_done_a_moment_ago_may_not_show_yet(
    store: Store, ago: timedelta, *, may_act: bool
) -> None:
    acquire(store, run_of(ONE), NOW)
    finish(store, run_of(ONE), "done")
    assert active_holder(store, run_of(TWO)) == ONE
    done_ago(store, ago)

    assert active_holder(store, run_of(TWO)) == (ONE if may_act else None)
    assert active_holder(store, run_of(ONE)) is None


@pytest.mark.parametrize(("ago", "may_act"), [(None, True), (MOMENT, True), (LONG, False)])
def test_of_a_run_that_is_done_and_does_not_say_since_when_step_functions_is_asked(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    ago: timedelta | None,
    *,
    may_act: bool,
) -> None:
    hold(monkeypatch, Executions(one="SUCCEEDED", ended=ago))
    done_ago(store, None)
    assert active_holder(store, run_of(TWO)) == (ONE if may_act else None)


@pytest.mark.parametrize("ended", [None, MOMENT])
def test_what_a_run_that_failed_a_moment_ago_has_sent_may_not_show_yet(
    store: Store, monkeypatch: pytest.MonkeyPatch, ended: timedelta | None
) -> None:
    hold(monkeypatch, Executions(one="FAILED", ended=ended))
    acquire(store, run_of(ONE), NOW)
    finish(store, run_of(ONE), "failed")
    assert active_holder(store, run_of(TWO)) is None  # no decision: nothing sent
    store.create(DECISION, {})
    assert active_holder(store, run_of(TWO)) == ONE
    hold(monkeypatch, Executions(one="FAILED", ended=LONG))
    assert active_holder(store, run_of(TWO)) is None


def test_a_function_of_a_stopped_execution_may_send_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire(store, run_of(ONE), NOW)
    hold(monkeypatch, Executions(one="ABORTED", ended=timedelta(seconds=140)))
    assert active_holder(store, run_of(TWO)) == ONE
    hold(monkeypatch, Executions(one="ABORTED", ended=LONG))
    assert active_holder(store, run_of(TWO)) is None


def test_a_run_is_overtaken_by_one_that_was_claimed_later_and_may_have_sent(
    store: Store,
) -> None:
    assert not claimed_since(store, run_of(ONE), NOW)
    acquire(store, run_of(ONE), NOW)
    assert not claimed_since(store, run_of(ONE), NOW)
    before = NOW - timedelta(seconds=1)
    assert claimed_since(store, run_of(ONE), before)
    finish(store, run_of(ONE), "failed")
    assert not claimed_since(store, run_of(ONE), before)
    store.create(DECISION, {})
    assert claimed_since(store, run_of(ONE), before)
