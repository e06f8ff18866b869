"""Owns the order of reporting: read the run's event, record it, end the claim, publish.

The message goes last, so that everything in it is already true. Anything that breaks earlier leads
to exactly one message, the failure's. Nothing is lost if the step dies in between, since every part
can be repeated: record and claim are overwritten, and a message is sent twice rather than never.
The record comes before the claim, so that a run whose claim is done has its record.

A run that ended well must also be recorded. If that breaks, so does the step, and the machine goes
to Notify Failure. A failed run is reported in any case, and its message says what broke on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, TypeVar

from msgspec import Struct

from algotrader.adapters.run_lock import finish
from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, Failure, NotifyEvent, NotifyResult
from algotrader.messages import FailureReport, RunReport, Texts, make_texts, read_failure
from algotrader.model import Decision, Features, Run, Settings, Snapshot, Submission
from algotrader.notifier import Notifier
from algotrader.services.records import record_key

T = TypeVar("T")

# Step Functions stops at 32,768 characters of cause; a screen is enough.
MAX_CAUSE_CHARACTERS = 2000


class RunRecord(Struct, frozen=True):
    """``record.json`` in the journal; a field is null if the run never reached it."""

    execution_arn: str
    input: Any
    run: Run
    settings: Settings | None
    snapshot: Snapshot | None
    features: Features | None
    decision: Decision | None
    submission: Submission | None
    failure: Failure | None
    texts: Texts


def report(
    event: NotifyEvent,
    store: Store,
    notifiers: Iterable[Notifier],
    warn: Callable[..., None],
    unread: tuple[str, ...] = (),
) -> NotifyResult:
    """Record a run, end its claim, and send its messages.

    Parameters
    ----------
    warn : callable
        Logs a constant message and fields; called for each part that a failed run lacks.
    unread : tuple of str
        Parts of the event that are null because they could not be read.

    Raises
    ------
    Exception
        Whatever the bucket or a channel raises; for a failed run only what a channel raises.
    """
    failed = event.failure is not None
    notes = [f"{name} not read" for name in unread]

    def attempt(note: str, action: Callable[[], T]) -> T | None:
        """Note what breaks and continue; only a failed run may do so."""
        try:
            return action()
        except Exception as error:
            if not failed:
                raise
            notes.append(note)
            warn("A failed run was reported without a part", part=note, reason=repr(error))
            return None

    def read(artifact: Artifact | None, kind: type[T], name: str) -> T | None:
        if artifact is None:
            return None
        return attempt(f"{name} not read", lambda: store.get(artifact, kind))

    run = event.run
    run_report = RunReport(
        execution_arn=event.execution_arn,
        run=run,
        settings=read(event.settings, Settings, "settings"),
        snapshot=read(event.snapshot, Snapshot, "snapshot"),
        decision=read(event.decision, Decision, "decision"),
        submission=read(event.submission, Submission, "submission"),
        submitted=event.submission is not None,
        failure=_failure_report(event),
        record="" if run is None else f"s3://{store.bucket}/{record_key(run.journal)}",
    )
    features = read(event.features, Features, "features")
    if run is not None:
        record = _record(event, run, replace(run_report, notes=tuple(notes)), features)
        attempt("journal not written", lambda: store.write(record_key(run.journal), record))
        if run.takes_claim:
            state: Literal["failed", "done"] = "failed" if failed else "done"
            held = attempt("claim not ended", lambda: finish(store, run, state))
            if held is False:
                notes.append("claim held by another execution")
    texts = make_texts(replace(run_report, notes=tuple(notes)))
    for notifier in notifiers:
        notifier.publish(texts.subject, texts.sms, texts.email)
    return _result(texts, run_report.failure)


def _failure_report(event: NotifyEvent) -> FailureReport | None:
    failure = event.failure
    if failure is None:
        return None
    return read_failure(failure.state, failure.error, failure.cause)


def _record(
    event: NotifyEvent, run: Run, run_report: RunReport, features: Features | None
) -> RunRecord:
    return RunRecord(
        execution_arn=event.execution_arn,
        input=event.input,
        run=run,
        settings=run_report.settings,
        snapshot=run_report.snapshot,
        features=features,
        decision=run_report.decision,
        submission=run_report.submission,
        failure=event.failure,
        texts=make_texts(run_report),
    )


def _result(texts: Texts, failure: FailureReport | None) -> NotifyResult:
    return NotifyResult(
        sms=texts.sms,
        subject=texts.subject,
        email=texts.email,
        error="" if failure is None else failure.error,
        cause="" if failure is None else failure.message[:MAX_CAUSE_CHARACTERS],
    )
