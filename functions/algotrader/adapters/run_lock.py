"""Owns a run's claim, which only one execution has at a time and keeps until its end."""

from __future__ import annotations

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
    """``claim.json``: the execution that has the run, and the run's status.

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
    """The outcome of an attempt to claim a run."""

    NEW = "new"  # nobody had it
    AGAIN = "again"  # this execution has it already, or had it and failed
    TAKEN_OVER = "taken over"  # from one that failed or was stopped
    REFUSED = "refused"  # another one has it, or it is done


class LockResult(Struct, frozen=True):
    """The outcome of an attempt to claim a run, and the executions that hold or held the run.

    Attributes
    ----------
    holder : str
        The execution that has the run now, or had it before.
    holders : tuple of str
        All executions that hold or held the run, including this one, oldest first, or an empty
        tuple if this one does not get the claim.
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

    Every write is conditional, so only one of two simultaneous executions gets the claim.
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
    """End a run's claim; return False if the run's execution does not have the claim."""
    found = store.read_with_tag(claim_key(run), Claim)
    if found is None or found[0].execution_arn != run.execution_arn:
        return False
    ended = structs.replace(found[0], state=state, ended=datetime.now(UTC))
    return store.replace(claim_key(run), ended, found[1])


def is_under_way(store: Store, run: Run) -> bool | None:
    """Return whether the claim's execution may still be running, or None if there is no claim."""
    claim = store.read(claim_key(run), Claim)
    if claim is None:
        return None
    return claim.state == "running" and not _was_stopped(claim.execution_arn)


def active_holder(store: Store, run: Run) -> str | None:
    """Return another execution that may still have orders to come, or None if there is none.

    That execution is still running, or ended so recently that the broker may not list its last
    order yet. An execution that failed before it stored its decision has sent nothing. An execution
    whose status is unknown counts as running.

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
    """Return whether an execution claimed the run after an instant and may have sent orders."""
    claim = store.read(claim_key(run), Claim)
    if claim is None or claim.at <= instant:
        return False
    return claim.state != "failed" or store.holds(decision_key(run))


def _ended_at(execution_arn: str) -> datetime | None:
    """Return when an execution ended, or None if it is still running or its status is unknown."""
    ended: datetime | None = _describe(execution_arn).get("stopDate")
    return ended


def _was_stopped(execution_arn: str) -> bool:
    """Whether an execution ended without marking its claim; False if that is unknown."""
    return _describe(execution_arn).get("status") in _ENDED_WITHOUT_WORD


def _describe(execution_arn: str) -> dict[str, Any]:
    """Read an execution's status from Step Functions; return an empty string if that fails."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    def ask() -> dict[str, Any]:
        answer = client("stepfunctions").describe_execution(executionArn=execution_arn)
        return {"status": answer["status"], "stopDate": answer.get("stopDate")}

    try:
        return read_whole(ask)
    except (BotoCoreError, ClientError, ResponseParserError, LookupError):
        return {}
