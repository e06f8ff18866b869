"""Owns the order of telling: read what the run handed on, record it, end the claim, publish.

The text goes last, so that all it says is already so, and so that whatever breaks before it leads
to exactly one text, that of the failure. Nothing is lost when the step dies in between: every part
can be done again. Record and claim are written over, and a text is sent twice rather than never.
The record comes before the claim, so that a run whose claim is done has its record.

A run that ended well must also be recorded: when that breaks, so does the step, and the machine
goes to Notify Failure. A failed run is told in any case, and its text says what broke on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal, TypeVar

from algotrader.adapters.run_lock import finish
from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, NotifyEvent, NotifyResult
from algotrader.messages import FailureReport, RunReport, Texts, make_texts, read_failure
from algotrader.model import Decision, Features, Run, Snapshot, Submission
from algotrader.notifier import Notifier
from algotrader.services.records import record_key
from notify.record import RunRecord

T = TypeVar("T")

# Step Functions stops at 32,768 characters of cause; a screen is enough.
MAX_CAUSE_CHARACTERS = 2000


def report(
    event: NotifyEvent,
    store: Store,
    notifiers: Iterable[Notifier],
    warn: Callable[..., None],
    unread: tuple[str, ...] = (),
) -> NotifyResult:
    """Record a run, end its claim, and send its texts.

    Parameters
    ----------
    warn : callable
        Logs a constant message and fields; called for what a failed run does without.
    unread : tuple of str
        Parts of the event that are null since they could not be read.

    Raises
    ------
    Exception
        Whatever the bucket or a channel raises; for a failed run only what a channel raises.
    """
    failed = event.failure is not None
    notes = [f"{name} not read" for name in unread]

    def attempt(note: str, action: Callable[[], T]) -> T | None:
        """Do without what breaks, for a failed run alone, and say so."""
        try:
            return action()
        except Exception as error:
            if not failed:
                raise
            notes.append(note)
            warn("A failed run was told without a part", part=note, reason=repr(error))
            return None

    def read(artifact: Artifact | None, kind: type[T], name: str) -> T | None:
        if artifact is None:
            return None
        return attempt(f"{name} not read", lambda: store.get(artifact, kind))

    run = event.run
    outcome = RunReport(
        execution_arn=event.execution_arn,
        run=run,
        settings=event.settings,
        snapshot=read(event.snapshot, Snapshot, "snapshot"),
        decision=read(event.decision, Decision, "decision"),
        submission=read(event.submission, Submission, "submission"),
        submitted=event.submission is not None,
        failure=_breakdown(event),
        record="" if run is None else f"s3://{store.bucket}/{record_key(run.journal)}",
    )
    features = read(event.features, Features, "features")
    if run is not None:
        record = _record(event, run, replace(outcome, notes=tuple(notes)), features)
        attempt("journal not written", lambda: store.write(record_key(run.journal), record))
        if run.takes_claim:
            state: Literal["failed", "done"] = "failed" if failed else "done"
            held = attempt("claim not ended", lambda: finish(store, run, state))
            if held is False:
                notes.append("claim held by another execution")
    texts = make_texts(replace(outcome, notes=tuple(notes)))
    for notifier in notifiers:
        notifier.publish(texts.subject, texts.sms, texts.email)
    return _result(texts, outcome.failure)


def _breakdown(event: NotifyEvent) -> FailureReport | None:
    failure = event.failure
    if failure is None:
        return None
    return read_failure(failure.state, failure.error, failure.cause)


def _record(
    event: NotifyEvent,
    run: Run,
    outcome: RunReport,
    features: Features | None,
) -> RunRecord:
    return RunRecord(
        execution_arn=event.execution_arn,
        input=event.input,
        run=run,
        settings=event.settings,
        snapshot=outcome.snapshot,
        features=features,
        decision=outcome.decision,
        submission=outcome.submission,
        failure=event.failure,
        texts=make_texts(outcome),
    )


def _result(texts: Texts, failure: FailureReport | None) -> NotifyResult:
    return NotifyResult(
        sms=texts.sms,
        subject=texts.subject,
        email=texts.email,
        error="" if failure is None else failure.error,
        cause="" if failure is None else failure.message[:MAX_CAUSE_CHARACTERS],
    )
