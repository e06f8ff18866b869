"""Who may have a run."""

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
    Grip,
    Outcome,
    claim_key,
    claimed_since,
    finish,
    take_claim,
    who_may_act,
)
from algotrader.adapters.store import Artifacts
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
    """Stands where Step Functions does: execution ARNs, their status, and when they ended."""

    def __init__(self, *, ended: timedelta | None = None, broken: int = 0, **statuses: str) -> None:
        self.statuses = statuses
        self.ended = ended
        self.broken = broken  # so many answers are a gateway's, which botocore reads as empty

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
def artifacts(aws: None) -> Artifacts:
    del aws
    boto3.client("s3").create_bucket(Bucket="desk-bucket")
    return Artifacts("desk-bucket")


def hold(monkeypatch: pytest.MonkeyPatch, executions: Executions) -> None:
    real = module.client
    monkeypatch.setattr(
        module,
        "client",
        lambda service: executions if service == "stepfunctions" else real(service),
    )


def state_of(artifacts: Artifacts) -> Claim | None:
    return artifacts.read(claim_key(run_of(ONE)), Claim)


def test_the_first_execution_gets_the_run(artifacts: Artifacts) -> None:
    assert take_claim(artifacts, run_of(ONE), NOW) == Outcome(Grip.NEW, ONE, (ONE,))
    assert state_of(artifacts) == Claim(ONE, "running", NOW)


def test_the_same_execution_goes_on(artifacts: Artifacts) -> None:
    take_claim(artifacts, run_of(ONE), NOW)

    assert take_claim(artifacts, run_of(ONE), NOW).grip is Grip.AGAIN


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_a_run_that_another_execution_has_is_refused(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    hold(monkeypatch, Executions(one=status))
    take_claim(artifacts, run_of(ONE), NOW)

    assert take_claim(artifacts, run_of(TWO), NOW) == Outcome(Grip.REFUSED, ONE, ())
    assert state_of(artifacts) == Claim(ONE, "running", NOW)


def test_an_execution_that_cannot_be_described_counts_as_alive(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, Executions())
    take_claim(artifacts, run_of(ONE), NOW)

    assert take_claim(artifacts, run_of(TWO), NOW).grip is Grip.REFUSED


@pytest.mark.parametrize(("broken", "grip"), [(2, Grip.TAKEN_OVER), (9, Grip.REFUSED)])
def test_an_answer_that_is_not_of_step_functions_is_asked_for_again(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, broken: int, grip: Grip
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))
    hold(monkeypatch, Executions(one="FAILED", broken=broken))
    take_claim(artifacts, run_of(ONE), NOW)

    assert take_claim(artifacts, run_of(TWO), NOW).grip is grip


@pytest.mark.parametrize(("broken", "holder"), [(2, None), (9, ONE)])
def test_whether_an_execution_may_still_act_is_asked_again(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, broken: int, holder: str | None
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))
    hold(monkeypatch, Executions(one="ABORTED", ended=timedelta(hours=1), broken=broken))
    take_claim(artifacts, run_of(ONE), NOW)

    assert who_may_act(artifacts, run_of(TWO)) == holder


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_run_whose_execution_was_stopped_is_taken_over(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    hold(monkeypatch, Executions(one=status))
    take_claim(artifacts, run_of(ONE), NOW)

    assert take_claim(artifacts, run_of(TWO), NOW) == Outcome(Grip.TAKEN_OVER, ONE, (ONE, TWO))
    assert state_of(artifacts) == Claim(TWO, "running", NOW, earlier=(ONE,))


def test_a_failed_run_is_taken_over_without_asking(artifacts: Artifacts) -> None:
    take_claim(artifacts, run_of(ONE), NOW)
    assert finish(artifacts, run_of(ONE), "failed")

    assert take_claim(artifacts, run_of(TWO), NOW) == Outcome(Grip.TAKEN_OVER, ONE, (ONE, TWO))


def test_an_execution_that_failed_may_try_again_itself(artifacts: Artifacts) -> None:
    take_claim(artifacts, run_of(ONE), NOW)
    finish(artifacts, run_of(ONE), "failed")

    assert take_claim(artifacts, run_of(ONE), NOW).grip is Grip.AGAIN
    assert state_of(artifacts) == Claim(ONE, "running", NOW)


@pytest.mark.parametrize("arn", [ONE, TWO])
def test_a_run_that_is_done_is_done(artifacts: Artifacts, arn: str) -> None:
    take_claim(artifacts, run_of(ONE), NOW)
    finish(artifacts, run_of(ONE), "done")

    assert take_claim(artifacts, run_of(arn), NOW) == Outcome(Grip.REFUSED, ONE, ())


def test_only_its_holder_ends_a_claim(artifacts: Artifacts) -> None:
    assert not finish(artifacts, run_of(ONE), "done")
    take_claim(artifacts, run_of(ONE), NOW)

    assert not finish(artifacts, run_of(TWO), "failed")
    assert state_of(artifacts) == Claim(ONE, "running", NOW)


@pytest.mark.parametrize("is_failed", [False, True])
def test_of_parallel_executions_exactly_one_gets_the_run(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, *, is_failed: bool
) -> None:
    arns = [f"{ONE}-{n}" for n in range(6)]
    hold(monkeypatch, Executions(**{arn.rsplit(":", 1)[-1]: "RUNNING" for arn in arns}))
    if is_failed:
        take_claim(artifacts, run_of(TWO), NOW)
        finish(artifacts, run_of(TWO), "failed")
    client("s3")
    start = threading.Barrier(len(arns))
    grips: list[Grip] = []

    def take(arn: str) -> None:
        start.wait()
        grips.append(take_claim(artifacts, run_of(arn), NOW).grip)

    threads = [threading.Thread(target=take, args=(arn,)) for arn in arns]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    winner = Grip.TAKEN_OVER if is_failed else Grip.NEW
    assert sorted(grips) == sorted([winner] + [Grip.REFUSED] * 5)


DECISION = "runs/2026-01-06/2026-01-06-day/decision.json"
MOMENT, LONG = timedelta(seconds=20), timedelta(minutes=3)


def done_ago(artifacts: Artifacts, ago: timedelta | None) -> None:
    ended = None if ago is None else datetime.now(UTC) - ago
    artifacts.write(claim_key(run_of(ONE)), Claim(ONE, "done", NOW, ended))


def test_a_run_that_lives_may_act_and_one_that_is_done_or_nobodys_may_not(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, Executions(one="RUNNING"))
    assert who_may_act(artifacts, run_of(TWO)) is None
    take_claim(artifacts, run_of(ONE), NOW)
    assert who_may_act(artifacts, run_of(TWO)) == ONE
    assert who_may_act(artifacts, run_of(ONE)) is None  # an execution is in no way of its own
    finish(artifacts, run_of(ONE), "done")
    done_ago(artifacts, LONG)
    assert who_may_act(artifacts, run_of(TWO)) is None


@pytest.mark.parametrize(("ago", "may_act"), [(MOMENT, True), (timedelta(seconds=61), False)])
def test_the_last_orders_of_a_run_that_was_done_a_moment_ago_may_not_show_yet(
    artifacts: Artifacts, ago: timedelta, *, may_act: bool
) -> None:
    take_claim(artifacts, run_of(ONE), NOW)
    finish(artifacts, run_of(ONE), "done")
    assert who_may_act(artifacts, run_of(TWO)) == ONE
    done_ago(artifacts, ago)

    assert who_may_act(artifacts, run_of(TWO)) == (ONE if may_act else None)
    assert who_may_act(artifacts, run_of(ONE)) is None


@pytest.mark.parametrize(("ago", "may_act"), [(None, True), (MOMENT, True), (LONG, False)])
def test_of_a_run_that_is_done_and_does_not_say_since_when_step_functions_is_asked(
    artifacts: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    ago: timedelta | None,
    *,
    may_act: bool,
) -> None:
    hold(monkeypatch, Executions(one="SUCCEEDED", ended=ago))
    done_ago(artifacts, None)
    assert who_may_act(artifacts, run_of(TWO)) == (ONE if may_act else None)


@pytest.mark.parametrize("ended", [None, MOMENT])
def test_what_a_run_that_failed_a_moment_ago_has_sent_may_not_show_yet(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch, ended: timedelta | None
) -> None:
    hold(monkeypatch, Executions(one="FAILED", ended=ended))
    take_claim(artifacts, run_of(ONE), NOW)
    finish(artifacts, run_of(ONE), "failed")
    assert who_may_act(artifacts, run_of(TWO)) is None  # it had not decided: nothing was sent
    artifacts.create(DECISION, {})
    assert who_may_act(artifacts, run_of(TWO)) == ONE
    hold(monkeypatch, Executions(one="FAILED", ended=LONG))
    assert who_may_act(artifacts, run_of(TWO)) is None


def test_a_function_of_a_stopped_execution_may_send_for_a_while(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_claim(artifacts, run_of(ONE), NOW)
    hold(monkeypatch, Executions(one="ABORTED", ended=timedelta(seconds=140)))
    assert who_may_act(artifacts, run_of(TWO)) == ONE
    hold(monkeypatch, Executions(one="ABORTED", ended=LONG))
    assert who_may_act(artifacts, run_of(TWO)) is None


def test_a_run_is_overtaken_by_one_that_was_claimed_later_and_may_have_sent(
    artifacts: Artifacts,
) -> None:
    assert not claimed_since(artifacts, run_of(ONE), NOW)
    take_claim(artifacts, run_of(ONE), NOW)
    assert not claimed_since(artifacts, run_of(ONE), NOW)
    before = NOW - timedelta(seconds=1)
    assert claimed_since(artifacts, run_of(ONE), before)
    finish(artifacts, run_of(ONE), "failed")
    assert not claimed_since(artifacts, run_of(ONE), before)
    artifacts.create(DECISION, {})
    assert claimed_since(artifacts, run_of(ONE), before)
