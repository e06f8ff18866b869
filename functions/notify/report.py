"""Owns the order of Notify's work: read the event, write the record, end the claim, publish.

Notify publishes last, so everything in the message is already true. If an earlier part fails, the
run sends only the failure message. Each part can be repeated after a crash: a repeat overwrites
the record and the claim, and may send the message twice. Notify writes the record before it ends
the claim, so a claim that is done always has a record.

For a successful run, an error here fails the step, and the state machine continues with Notify
Failure. For a failed run, Notify always sends a message, which lists what else went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.run_lock import finish
from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, Failure, NotifyEvent, NotifyResult
from algotrader.messages import RunReport, Texts, make_texts, read_failure
from algotrader.model import Decision, Features, Run, Settings, Snapshot, Submission
from algotrader.notifier import Notifier
from algotrader.services.records import record_key

T = TypeVar("T")

# Step Functions accepts 32,768 characters of cause, but a reader needs only a screenful.
MAX_CAUSE_CHARACTERS = 2000


class RunRecord(Struct, frozen=True):
    """``record.json`` in the journal; a field is null if the run ended before that part."""

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
        Logs a constant message with fields, once for each part that fails.
    unread : tuple of str
        The unreadable parts of the event, which are null in it.

    Raises
    ------
    Exception
        Any error of the bucket or a channel; for a failed run, only a channel's errors. A channel's
        error is raised after every other channel has been tried.
    """
    failure = event.failure
    notes = [f"{name} not read" for name in unread]

    def attempt(note: str, action: Callable[[], T]) -> T | None:
        """Run an action; for a failed run, note its error and continue."""
        try:
            return action()
        except Exception as error:
            if failure is None:
                raise
            notes.append(note)
            warn("The report of a failed run lacks a part", part=note, reason=repr(error))
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
        failure=read_failure(failure.state, failure.error, failure.cause) if failure else None,
        record="" if run is None else f"s3://{store.bucket}/{record_key(run.journal)}",
    )
    features = read(event.features, Features, "features")
    if run is not None:
        record = _record(event, run, replace(run_report, notes=tuple(notes)), features)
        attempt("journal not written", lambda: store.write(record_key(run.journal), record))
        if run.takes_claim:
            state: Literal["failed", "done"] = "failed" if failure else "done"
            is_ours = attempt("claim not ended", lambda: finish(store, run, state))
            if is_ours is False:
                notes.append("claim held by another execution")
    texts = make_texts(replace(run_report, notes=tuple(notes)))
    _publish(texts, notifiers, warn)
    reason = run_report.failure
    return NotifyResult(
        sms=texts.sms,
        subject=texts.subject,
        email=texts.email,
        error="" if reason is None else reason.error,
        cause="" if reason is None else reason.message[:MAX_CAUSE_CHARACTERS],
    )


def _publish(texts: Texts, notifiers: Iterable[Notifier], warn: Callable[..., None]) -> None:
    """Send the messages on every channel; raise the first error after the last channel."""
    errors: list[Exception] = []
    for notifier in notifiers:
        try:
            notifier.publish(texts.subject, texts.sms, texts.email)
        except Exception as error:  # noqa: BLE001 - raised after the last channel
            errors.append(error)
            warn("A channel did not take the messages", reason=repr(error))
    if errors:
        raise errors[0]


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
