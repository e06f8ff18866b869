"""Owns the messages between states: events, results, artifacts, and the execution's input."""

from __future__ import annotations

import hashlib
import json
from array import array
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.model import Run
from algotrader.soundness import LONGEST_ARN, first_flaw, is_instant

T = TypeVar("T")

#: Version of the data that the steps exchange and store in a run's journal. The state machine names
#: it too. docs/decisions/0044 says when to raise it, and what the next version must still read.
CONTRACT_VERSION = 1


class Artifact(Struct, frozen=True, forbid_unknown_fields=True):
    """A value that steps exchange: inline if small, otherwise its S3 key and SHA-256."""

    inline: Any | UnsetType = UNSET
    s3: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET


class ExecutionInput(Struct, frozen=True, forbid_unknown_fields=True):
    """The input of an execution, which can restrict a run but never extend it.

    The console fills in ``Comment``, and no step reads it.
    """

    scheduled_time: str | None = None
    slot: str | None = None
    dry_run: bool = False
    report_only: bool = False
    flatten: bool = False
    symbols: tuple[str, ...] | None = None
    comment: Any = msgspec.field(name="Comment", default=None)


class StepEvent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of every step's event, with the state machine's contract version."""

    contract: int = CONTRACT_VERSION


ExecutionArn = Annotated[str, Meta(max_length=LONGEST_ARN)]


class FetchBarsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """The event of Fetch Bars; ``input`` is the execution's input, not yet validated."""

    execution_arn: ExecutionArn
    input: Any


class FetchBarsResult(Struct, frozen=True):
    """The result of Fetch Bars; a field that the outcome does not need is null.

    ``settings`` is a `Settings`, ``bars`` a dict of symbol to `Bars`, ``snapshot`` a `Snapshot`. A
    take-over reads this result from the execution's history, so it has its own ``contract``.
    """

    outcome: Literal["OPEN", "CLOSED", "DUPLICATE", "REPORT", "CANCEL_STOPS", "FLATTEN"]
    message: str
    run: Run | None = None
    settings: Artifact | None = None
    bars: Artifact | None = None
    snapshot: Artifact | None = None
    contract: int = CONTRACT_VERSION


class ComputeIndicatorsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """The event of Compute Indicators, with the artifacts of `FetchBarsResult`."""

    run: Run
    settings: Artifact
    bars: Artifact


class ComputeIndicatorsResult(Struct, frozen=True):
    """The result of Compute Indicators; ``features`` is a `Features`."""

    features: Artifact


class DecideOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """The event of Decide Orders; ``features`` is null in a flatten."""

    run: Run
    settings: Artifact
    snapshot: Artifact
    features: Artifact | None


class DecideOrdersResult(Struct, frozen=True):
    """The result of Decide Orders: a `Decision` and its first `Plan`."""

    outcome: Literal["SUBMIT", "NOTHING_TO_SUBMIT"]
    decision: Artifact
    plan: Artifact


class SubmitOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """The event of Submit Orders; ``plan`` is from Decide Orders or the previous call."""

    run: Run
    settings: Artifact
    decision: Artifact
    plan: Artifact


class SubmitOrdersResult(Struct, frozen=True):
    """The result of Submit Orders; the Wait state waits for ``wait_seconds``.

    ``submission`` is null if the call could read nothing. The last one then still counts.
    """

    outcome: Literal["COMPLETE", "WORKING"]
    wait_seconds: int
    plan: Artifact
    submission: Artifact | None


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """A run's failure: the state that failed, and Step Functions' error and cause."""

    state: str
    error: str
    cause: str


class NotifyEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """Everything that a run knows at its end; a value that it did not produce is null."""

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
    """The messages sent, and the Fail state's ``error`` and ``cause``, both empty on success."""

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
        ``STATE_INVALID``, with the path of the first invalid field.
    """
    try:
        found = msgspec.convert(value, kind, dec_hook=_to_array)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise state_invalid(what, str(error)) from error
    flaw = first_flaw(found)
    if flaw:
        raise state_invalid(what, flaw)
    return found


def decode_event(kind: type[T], event: object, what: str) -> T:
    """Check that a step's event has this code's contract version, then parse it.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN``. This check comes first, since another version may have any shape.
    InvalidInputError
        ``STATE_INVALID``.
    """
    contract = decode(_Versioned, event, what).contract
    if contract != CONTRACT_VERSION:
        raise _deployed_during_run("Start the run again after the deploy.", contract)
    return decode(kind, event, what)


def stamp_version(value: object) -> dict[str, Any]:
    """Return a journal entry in its stored form, with the contract version."""
    return {**encode(value), "contract": CONTRACT_VERSION}


def is_current(value: object, what: str) -> bool:
    """Whether a stored or returned value has this code's contract version."""
    return decode(_Stamped, value, what).contract == CONTRACT_VERSION


def decode_versioned(kind: type[T], value: object, what: str) -> T:
    """Parse a stored value of this contract version or of the previous one.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN`` if the value has another version.
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
    """Convert a value to JSON types; Decimals and instants become strings."""
    return msgspec.to_builtins(value, enc_hook=_to_list)


def canonical_json(value: object) -> bytes:
    """Format a value as canonical JSON, with sorted keys and without spaces."""
    return msgspec.json.encode(encode(value), order="sorted")


def sha256_of(value: object) -> str:
    """Compute the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def parse_execution_input(raw: object) -> ExecutionInput:
    """Parse the execution's input; the error names the first unknown or invalid field.

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
            value=repr(text[:40]),
        )
    return instant


def _to_list(value: object) -> list[float]:
    """Convert a column of bars to a type that JSON has."""
    if isinstance(value, array):
        return value.tolist()
    raise NotImplementedError


def _to_array(kind: type, value: object) -> object:
    """Convert a list of numbers to a column of bars."""
    if kind is not array:
        raise NotImplementedError
    try:
        return array("d", msgspec.convert(value, tuple[float, ...]))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error  # msgspec then adds the column's path


def state_invalid(what: str, problem: str) -> InvalidInputError:
    """Build the error for a value from another step that this step cannot use."""
    return InvalidInputError(
        "STATE_INVALID",
        "Compare the value with a file in events/. If a run caused this, please report the bug.",
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
