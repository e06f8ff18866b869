"""Owns the claim on a run: one execution at a time has it, and never loses it while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, structs

from algotrader.adapters.aws import client, read_whole
from algotrader.adapters.store import Store
from algotrader.model import Run
from algotrader.session.timing import LAST_CALL, SETTLE

_ATTEMPTS = 5
_MOST_EARLIER = 20
_ENDED_WITHOUT_WORD = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


class Claim(Struct, frozen=True):
    """``claim.json``: which execution has the run, and the run's status.

    ``at`` is when the execution got the claim, by the broker's clock; ``ended`` is when it ended
    the claim, by the function's clock. ``earlier`` are the executions that had the run before,
    oldest first.
    """

    execution_arn: str
    state: Literal["running", "done", "failed"]
    at: datetime
    ended: datetime | None = None
    earlier: tuple[str, ...] = ()


class LockState(StrEnum):
    """The result of an attempt to claim a run."""

    NEW = "new"  # nobody had it
    AGAIN = "again"  # this execution has it already, or had it and failed
    TAKEN_OVER = "taken over"  # from one that failed or was stopped
    REFUSED = "refused"  # another one has it, or it is done


@dataclass(frozen=True, slots=True)
class LockResult:
    """The result of an attempt to claim a run, and who holds the run.

    Attributes
    ----------
    holder : str
        The execution that has the run now, or had it before.
    holders : tuple of str
        All executions that have or had the run, this one included, oldest first; empty if the
        claim is refused.
    """

    state: LockState
    holder: str
    holders: tuple[str, ...]


def claim_key(run: Run) -> str:
    """Return the key of a run's claim."""
    return f"{run.journal}claim.json"


def decision_key(run: Run) -> str:
    """Return the key of the decision that a run stores before its first order."""
    return f"{run.journal}decision.json"


def acquire(store: Store, run: Run, now: datetime) -> LockResult:
    """Claim a run for its execution.

    Every write is conditional, so that one of two simultaneous executions is refused.
    """
    key = claim_key(run)
    me, holder = run.execution_arn, ""
    for _ in range(_ATTEMPTS):
        if store.create(key, Claim(me, "running", now)):
            return LockResult(LockState.NEW, me, (me,))
        found = store.read_with_tag(key, Claim)
        if found is None:
            continue
        claim, tag = found
        holder = claim.execution_arn
        is_own = holder == me
        before = tuple(each for each in (*claim.earlier, holder) if each != me)[-_MOST_EARLIER:]
        if is_own and claim.state == "running":
            return LockResult(LockState.AGAIN, holder, (*before, me))
        if claim.state == "done" or (claim.state == "running" and not _was_stopped(holder)):
            return LockResult(LockState.REFUSED, holder, ())
        if store.replace(key, Claim(me, "running", now, earlier=before), tag):
            return LockResult(
                LockState.AGAIN if is_own else LockState.TAKEN_OVER, holder, (*before, me)
            )
    return LockResult(LockState.REFUSED, holder, ())


def finish(store: Store, run: Run, state: Literal["done", "failed"]) -> bool:
    """End the claim of a run; False if its execution does not have it (any more)."""
    found = store.read_with_tag(claim_key(run), Claim)
    if found is None or found[0].execution_arn != run.execution_arn:
        return False
    ended = structs.replace(found[0], state=state, ended=datetime.now(UTC))
    return store.replace(claim_key(run), ended, found[1])


def is_under_way(store: Store, run: Run) -> bool | None:
    """Return whether an execution that may still run has the claim; None if there is no claim."""
    claim = store.read(claim_key(run), Claim)
    if claim is None:
        return None
    return claim.state == "running" and not _was_stopped(claim.execution_arn)


def active_holder(store: Store, run: Run) -> str | None:
    """Return another execution whose orders may still come or be unlisted; None if none is.

    Such an execution is still running, or ended so recently that the broker may not list its last
    stop or entry yet. An execution that failed before it stored its decision has sent nothing. If
    its state is unknown, it counts as running.

    Parameters
    ----------
    run : Run
        The run to check; its ``execution_arn`` is the execution that asks.
    """
    claim = store.read(claim_key(run), Claim)
    if claim is None or claim.execution_arn == run.execution_arn:
        return None
    if claim.state == "failed" and not store.holds(decision_key(run)):
        return None
    quiet = SETTLE + LAST_CALL if claim.state == "running" else SETTLE
    reported = claim.ended if claim.state == "done" else None
    ended = reported or _ended_at(claim.execution_arn)
    if ended is not None and datetime.now(UTC) - ended >= quiet:
        return None
    return claim.execution_arn


def claimed_since(store: Store, run: Run, instant: datetime) -> bool:
    """Return whether a run was claimed after an instant, and may have sent orders."""
    claim = store.read(claim_key(run), Claim)
    if claim is None or claim.at <= instant:
        return False
    return claim.state != "failed" or store.holds(decision_key(run))


def _ended_at(execution_arn: str) -> datetime | None:
    """Return when an execution ended; None if it still runs, or if that is unknown."""
    ended: datetime | None = _describe(execution_arn).get("stopDate")
    return ended


def _was_stopped(execution_arn: str) -> bool:
    """Whether an execution ended without marking its claim; False if that is unknown."""
    return _describe(execution_arn).get("status") in _ENDED_WITHOUT_WORD


def _describe(execution_arn: str) -> dict[str, Any]:
    """Read an execution's status from Step Functions; empty if there is no answer."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    def ask() -> dict[str, Any]:
        answer = client("stepfunctions").describe_execution(executionArn=execution_arn)
        return {"status": answer["status"], "stopDate": answer.get("stopDate")}

    try:
        return read_whole(ask)
    except (BotoCoreError, ClientError, ResponseParserError, LookupError):
        return {}
