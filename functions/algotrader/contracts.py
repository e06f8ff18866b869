"""Owns the messages between states: events, results, artifacts, and the execution's input."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.model import Run
from algotrader.soundness import LONGEST_ARN, first_flaw, is_instant

T = TypeVar("T")

#: Version of what the steps exchange and store in a run's journal. The state machine names it too.
#: docs/decisions/0044 says when to raise it, and what the next version must still read.
CONTRACT_VERSION = 1

_SHOWN_LENGTH = 40


class Artifact(Struct, frozen=True, forbid_unknown_fields=True):
    """A value between steps: inline if small, otherwise its S3 key and SHA-256."""

    inline: Any | UnsetType = UNSET
    s3: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET


class ExecutionInput(Struct, frozen=True, forbid_unknown_fields=True):
    """The input of an execution; it can restrict a run and never extend what it may do.

    The console fills in ``Comment``; nothing reads it.
    """

    scheduled_time: str | None = None
    slot: str | None = None
    dry_run: bool = False
    report_only: bool = False
    flatten: bool = False
    symbols: tuple[str, ...] | None = None
    comment: Any = msgspec.field(name="Comment", default=None)


class StepEvent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every step's event: the contract version that the state machine names."""

    contract: int = CONTRACT_VERSION


ExecutionArn = Annotated[str, Meta(max_length=LONGEST_ARN)]


class FetchBarsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``input`` is the execution's input, unchanged and not yet validated."""

    execution_arn: ExecutionArn
    input: Any


class FetchBarsResult(Struct, frozen=True):
    """``outcome`` drives the Choice; a field that the outcome does not need is null.

    ``settings`` is a `Settings`, ``bars`` a dict of symbol to `Bars`, ``snapshot`` a `Snapshot`. A
    take-over reads this result from the execution's history, so it carries its own ``contract``.
    """

    outcome: Literal["OPEN", "CLOSED", "DUPLICATE", "REPORT", "FLATTEN"]
    message: str
    run: Run | None = None
    settings: Artifact | None = None
    bars: Artifact | None = None
    snapshot: Artifact | None = None
    contract: int = CONTRACT_VERSION


class ComputeIndicatorsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``settings`` and ``bars`` as in `FetchBarsResult`."""

    run: Run
    settings: Artifact
    bars: Artifact


class ComputeIndicatorsResult(Struct, frozen=True):
    """``features`` is a `Features`."""

    features: Artifact


class DecideOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``snapshot`` is a `Snapshot`, ``features`` a `Features`; only a flatten has null."""

    run: Run
    settings: Artifact
    snapshot: Artifact
    features: Artifact | None


class DecideOrdersResult(Struct, frozen=True):
    """``outcome`` drives the Choice; ``decision`` is a `Decision`, ``plan`` its first `Plan`."""

    outcome: Literal["SUBMIT", "NOTHING_TO_SUBMIT"]
    decision: Artifact
    plan: Artifact


class SubmitOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``plan`` is what the previous step, or the previous call of this step, returned."""

    run: Run
    settings: Artifact
    decision: Artifact
    plan: Artifact


class SubmitOrdersResult(Struct, frozen=True):
    """``outcome`` drives the Choice; ``wait_seconds`` is a whole number for the Wait state."""

    outcome: Literal["COMPLETE", "WORKING"]
    wait_seconds: int
    plan: Artifact
    submission: Artifact


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run failed: the state, Step Functions' error name and its cause."""

    state: str
    error: str
    cause: str


class NotifyEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """Everything that the run knows when it ends; a value that it never reached is null."""

    execution_arn: str
    input: Any
    run: Run | None
    settings: Artifact | None
    snapshot: Artifact | None
    features: Artifact | None
    decision: Artifact | None
    submission: Artifact | None
    failure: Failure | None


class NotifyResult(Struct, frozen=True):
    """The messages as sent; the Fail state takes ``error`` and ``cause``, empty on success."""

    sms: str
    subject: str
    email: str
    error: str
    cause: str


def decode(kind: type[T], value: object, what: str) -> T:
    """Parse a value from another step or from a sample event.

    Raises
    ------
    InvalidInputError
        ``STATE_INVALID`` with the path of the first field that is not valid.
    """
    try:
        found = msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise _state_invalid(what, str(error)) from error
    flaw = first_flaw(found)
    if flaw:
        raise _state_invalid(what, flaw)
    return found


def decode_event(kind: type[T], event: object, what: str) -> T:
    """Parse the event of a step, after a check that its contract version is this code's.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN``, before anything else is read: another version may have any shape.
    InvalidInputError
        ``STATE_INVALID``.
    """
    contract = decode(_Versioned, event, what).contract
    if contract != CONTRACT_VERSION:
        raise _deployed_during_run("Start it again once the deploy is over.", contract)
    return decode(kind, event, what)


def stamp_version(value: object) -> dict[str, Any]:
    """Return a journal entry as it is stored, with the contract version."""
    return {**encode(value), "contract": CONTRACT_VERSION}


def is_current(value: object, what: str) -> bool:
    """Whether a stored or returned value has this code's contract version."""
    return decode(_Stamped, value, what).contract == CONTRACT_VERSION


def decode_versioned(kind: type[T], value: object, what: str) -> T:
    """Parse what an execution of this contract version, or of the previous one, left.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN``, before anything else is read.
    InvalidInputError
        ``STATE_INVALID``.
    """
    contract = decode(_Stamped, value, what).contract
    if contract not in {CONTRACT_VERSION - 1, CONTRACT_VERSION}:
        advice = (
            "Another version of the code began this run. Deploy that version, or let the next "
            "session trade."
        )
        raise _deployed_during_run(advice, contract)
    return decode(kind, value, what)


def replace_surrogates(event: object) -> Any:
    """Return an event with a question mark instead of each lone surrogate."""
    return json.loads(json.dumps(event, ensure_ascii=False).encode(errors="replace"))


def encode(value: object) -> Any:
    """Convert a value to what JSON can hold; Decimals and instants become strings."""
    return msgspec.to_builtins(value)


def canonical_json(value: object) -> bytes:
    """Format a value as canonical JSON, for its hash: sorted keys, no spaces."""
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def sha256_of(value: object) -> str:
    """Compute the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def parse_execution_input(raw: object) -> ExecutionInput:
    """Parse the execution's input; the error names the first field that is unknown or not valid.

    Raises
    ------
    InvalidInputError
        ``INPUT_INVALID``.
    """
    try:
        problem = first_flaw(raw)
        given = None if problem else msgspec.convert(raw, ExecutionInput)
    except (msgspec.ValidationError, RecursionError) as error:
        given, problem = None, str(error)
    if given is None:
        raise InvalidInputError(
            "INPUT_INVALID",
            "Start the execution with {} or with these fields: scheduled_time, slot, dry_run, "
            "report_only, flatten, symbols. Only the deployed template sets mode, limits, account "
            "and strategy.",
            problem=f'"{problem}"',
        )
    return given


def parse_scheduled_time(text: str) -> datetime:
    """Parse the input's ``scheduled_time``, an RFC 3339 instant with its offset.

    Raises
    ------
    InvalidInputError
        ``INSTANT_INVALID``.
    """
    try:
        instant = msgspec.convert(text, datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):
        instant = None
    if instant is None or not is_instant(instant):
        raise InvalidInputError(
            "INSTANT_INVALID",
            "Write an RFC 3339 instant with its offset, such as 2026-01-05T14:35:00Z.",
            field="scheduled_time",
            value=repr(text[:_SHOWN_LENGTH]),
        )
    return instant


def _state_invalid(what: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        "STATE_INVALID",
        "Compare it with a file in events/. Within a run this is a bug: please report it.",
        what=what,
        problem=f'"{problem}"',
    )


class _Versioned(Struct, frozen=True):
    contract: int


class _Stamped(Struct, frozen=True):
    contract: int = 0


def _deployed_during_run(advice: str, contract: int) -> ConfigurationError:
    return ConfigurationError(
        "DEPLOYED_DURING_RUN", advice, contract=contract, deployed=CONTRACT_VERSION
    )
