from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim, claim_key
from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, Failure, NotifyEvent, encode
from algotrader.errors import InvalidInputError
from algotrader.model import Features, FeatureValue
from algotrader.services.records import record_key
from notify.report import MAX_CAUSE_CHARACTERS, RunRecord, report
from tests.support.desk_world import SETTINGS
from tests.support.finished_runs import (
    DRY_RUN,
    REPORT,
    RUN,
    SNAPSHOT,
    decision,
    intent,
    order,
    submission,
)

FEATURES = Features(
    as_of=SNAPSHOT.previous_session,
    values={"AAPL": {"roc": FeatureValue(0.5, 0.25)}},
    definitions=3,
)
FAILURE = Failure(
    state="Submit Orders",
    error="OrderConflictError",
    cause=json.dumps({"errorMessage": "ORDER_CONFLICT: id=x. Look at it.", "stackTrace": ["a"]}),
)


def event(**changes) -> NotifyEvent:
    plain = {
        "execution_arn": RUN.execution_arn,
        "input": {"Comment": "by hand"},
        "run": RUN,
        "settings": Artifact(inline=encode(SETTINGS)),
        "snapshot": Artifact(inline=encode(SNAPSHOT)),
        "features": Artifact(inline=encode(FEATURES)),
        "decision": Artifact(inline=encode(decision(intent("AAPL", "56")))),
        "submission": Artifact(inline=encode(submission(order("AAPL", "56")))),
        "failure": None,
    }
    return NotifyEvent(**{**plain, **changes})


def ignore(*_words, **_fields) -> None:
    """Log nothing."""


def put_claim(store: Store, **changes) -> None:
    plain = {"execution_arn": RUN.execution_arn, "state": "running", "at": RUN.started_at}
    store.write(claim_key(RUN), Claim(**{**plain, **changes}))


def claim_state(store: Store) -> str:
    return store.read(claim_key(RUN), Claim).state


def keys() -> list[str]:
    listed = client("s3").list_objects_v2(Bucket="desk-bucket")
    return [each["Key"] for each in listed.get("Contents", [])]


class BrokenBucket(Store):
    """A bucket that accepts no writes."""

    def write(self, key, value):
        message = f"no room for {key} of {value!r:.9}"
        raise ConnectionError(message)


class BrokenNotifier:
    """A notifier whose topic is unavailable."""

    def publish(self, subject, sms, email):
        message = f"down: {subject}{sms}{email}"[:9]
        raise ConnectionError(message)


def test_a_run_that_ended_well_is_reported_and_recorded_and_its_claim_is_done(store, inbox):
    put_claim(store)
    result = report(event(), store, [inbox], ignore)
    assert inbox.texts == [(result.subject, result.sms, result.email)]
    assert result.sms.startswith("algo-trader PAPER 2013-02-28: bought 56 AAPL, holds 1. ")
    assert (result.error, result.cause) == ("", "")
    assert claim_state(store) == "done"
    assert f"s3://desk-bucket/{RUN.journal}record.json" in result.email


def test_the_schedules_own_report_ends_its_claim_and_one_by_hand_has_none(store, inbox):
    scheduled = replace(REPORT, journal=f"runs/{REPORT.session}/{REPORT.run_id}/")
    claim = Claim(scheduled.execution_arn, "running", scheduled.started_at)
    store.write(claim_key(scheduled), claim)
    nothing_decided = {"features": None, "decision": None, "submission": None}
    report(event(run=REPORT, **nothing_decided), store, [inbox], ignore)
    assert store.read(claim_key(scheduled), Claim) == claim
    report(event(run=scheduled, **nothing_decided), store, [inbox], ignore)
    assert store.read(claim_key(scheduled), Claim).state == "done"


def test_the_record_holds_all_that_the_run_knew_and_what_was_sent(store, inbox):
    put_claim(store)
    report(event(), store, [inbox], ignore)
    record = store.read(record_key(RUN.journal), RunRecord)
    assert record.input == {"Comment": "by hand"}
    assert (record.run, record.settings, record.snapshot) == (RUN, SETTINGS, SNAPSHOT)
    assert record.features == FEATURES
    assert record.decision == decision(intent("AAPL", "56"))
    assert record.submission == submission(order("AAPL", "56"))
    assert record.failure is None
    assert [(record.texts.subject, record.texts.sms, record.texts.email)] == inbox.texts


def test_values_that_came_by_reference_are_reported_like_inline_ones(store, inbox):
    put_claim(store)
    many = decision(*(intent(f"S{n}", "5") for n in range(200)))
    by_reference = store.put(RUN, "decision", many)
    assert by_reference.s3
    report(event(decision=by_reference), store, [inbox], ignore)
    assert store.read(record_key(RUN.journal), RunRecord).decision == many


@pytest.mark.parametrize("run", [DRY_RUN, REPORT])
def test_a_run_that_sends_no_orders_is_recorded_and_has_no_claim_to_end(store, inbox, run):
    put_claim(store)
    report(event(run=run, submission=None), store, [inbox], ignore)
    assert keys() == sorted([record_key(run.journal), claim_key(RUN)])
    assert claim_state(store) == "running"
    ((_, _, email),) = inbox.texts
    assert "claim" not in email


def test_a_failed_run_is_reported_by_its_leaf_and_recorded_and_its_claim_has_failed(store, inbox):
    put_claim(store)
    result = report(event(failure=FAILURE), store, [inbox], ignore)
    assert (result.error, result.cause) == (
        "OrderConflictError",
        "ORDER_CONFLICT: id=x. Look at it.",
    )
    assert result.sms.startswith("FAILED algo-trader PAPER 2013-02-28: ORDER_CONFLICT. ")
    assert claim_state(store) == "failed"
    assert store.read(record_key(RUN.journal), RunRecord).failure == FAILURE


def test_a_run_that_broke_in_notify_gives_its_claim_back(store, inbox):
    put_claim(store, state="done")
    report(event(failure=Failure("Notify", "Lambda.Unknown", "")), store, [inbox], ignore)
    assert claim_state(store) == "failed"


def test_a_run_that_broke_before_it_had_a_name_is_reported_and_leaves_nothing(store, inbox):
    failure = Failure("Fetch Bars", "InvalidInputError", "INPUT_INVALID: Start with {}.")
    nothing = dict.fromkeys(
        ("run", "settings", "snapshot", "features", "decision", "submission"), None
    )
    result = report(event(input=[1, 2], failure=failure, **nothing), store, [inbox], ignore)
    assert result.sms == (
        "FAILED algo-trader: InvalidInputError INPUT_INVALID. No order sent. Stops untouched. "
        "Start with {}."
    )
    assert keys() == []


def test_a_cause_is_cut_to_what_a_screen_holds(store, inbox):
    failure = Failure("Fetch Bars", "X", "y" * 9000)
    assert report(event(run=None, failure=failure), store, [inbox], ignore).cause == (
        "y" * MAX_CAUSE_CHARACTERS
    )


def test_a_failure_is_reported_though_the_journal_is_broken(store, inbox):
    put_claim(store)
    warned = []
    report(
        event(failure=FAILURE),
        BrokenBucket(store.bucket),
        [inbox],
        lambda *words, **fields: warned.append((words, fields)),
    )
    ((_, sms, email),) = inbox.texts
    assert "journal not written" in sms
    assert "journal not written" in email
    assert claim_state(store) == "failed"
    assert [fields["part"] for _, fields in warned] == ["journal not written"]


def test_a_failure_is_reported_though_the_claim_cannot_be_ended(store, inbox):
    store.write(claim_key(RUN), {"of another": "shape"})
    report(event(failure=FAILURE), store, [inbox], ignore)
    assert "claim not ended" in inbox.texts[0][1]


def test_a_failure_is_reported_though_a_value_of_the_run_is_gone(store, inbox):
    put_claim(store)
    gone = Artifact(s3="s3://desk-bucket/runs/gone.json", sha256="0" * 64)
    report(event(failure=FAILURE, decision=gone, submission=gone), store, [inbox], ignore)
    ((_, sms, email),) = inbox.texts
    assert "Orders may be out, check the broker" in sms
    assert "decision not read" in email
    assert "submission not read" in email
    assert store.read(record_key(RUN.journal), RunRecord).submission is None


def test_a_failure_is_reported_though_the_settings_are_gone(store, inbox):
    put_claim(store)
    gone = Artifact(s3="s3://desk-bucket/runs/gone.json", sha256="0" * 64)
    result = report(event(failure=FAILURE, settings=gone), store, [inbox], ignore)
    ((_, sms, email),) = inbox.texts
    assert sms.startswith("FAILED algo-trader PAPER 2013-02-28: ORDER_CONFLICT. ")
    assert "settings not read" in email
    assert result.error == "OrderConflictError"
    assert claim_state(store) == "failed"
    assert store.read(record_key(RUN.journal), RunRecord).settings is None


def test_no_order_is_never_claimed_when_the_submission_cannot_be_read(store, inbox):
    put_claim(store)
    gone = Artifact(s3="s3://desk-bucket/runs/gone.json", sha256="0" * 64)
    failure = Failure("Notify", "InvalidInputError", "ARTIFACT_INVALID: Start fresh.")
    report(event(failure=failure, submission=gone), store, [inbox], ignore)
    assert "Orders may be out, check the broker" in inbox.texts[0][1]


def test_a_run_that_ended_well_fails_when_its_record_cannot_be_written(store, inbox):
    put_claim(store)
    with pytest.raises(ConnectionError):
        report(event(), BrokenBucket(store.bucket), [inbox], ignore)
    assert inbox.texts == []
    assert claim_state(store) == "running"


def test_a_run_that_ended_well_fails_when_a_value_of_it_is_gone(store, inbox):
    put_claim(store)
    gone = Artifact(s3="s3://desk-bucket/runs/gone.json", sha256="0" * 64)
    with pytest.raises(InvalidInputError):
        report(event(submission=gone), store, [inbox], ignore)
    assert inbox.texts == []


@pytest.mark.parametrize("failure", [None, FAILURE])
def test_a_text_that_cannot_be_sent_fails_the_step(store, failure):
    put_claim(store)
    with pytest.raises(ConnectionError):
        report(event(failure=failure), store, [BrokenNotifier()], ignore)


@pytest.mark.parametrize("failure", [None, FAILURE])
def test_each_channel_gets_its_try_before_the_step_fails(store, inbox, failure):
    put_claim(store)
    with pytest.raises(ConnectionError):
        report(event(failure=failure), store, [BrokenNotifier(), inbox], ignore)
    assert len(inbox.texts) == 1


def test_telling_twice_leaves_what_telling_once_does(store, inbox):
    put_claim(store)
    first = report(event(), store, [inbox], ignore)
    record = store.read(record_key(RUN.journal), RunRecord)
    assert report(event(), store, [inbox], ignore) == first
    assert store.read(record_key(RUN.journal), RunRecord) == record
    assert claim_state(store) == "done"


def test_a_claim_that_another_execution_holds_is_left_alone_and_reported(store, inbox):
    put_claim(store, execution_arn="arn:other")
    report(event(), store, [inbox], ignore)
    assert claim_state(store) == "running"
    assert "claim held by another execution" in inbox.texts[0][2]


def test_a_run_of_another_slot_is_recorded_in_its_own_journal(store, inbox):
    run = replace(DRY_RUN, journal="runs/2013-02-28/2013-02-28-1030/dry-run/two/")
    report(event(run=run), store, [inbox], ignore)
    assert keys() == ["runs/2013-02-28/2013-02-28-1030/dry-run/two/record.json"]
