"""Owns what crosses between states, both ways: events, results, artifacts, the input."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.model import Bar, Run, Settings
from algotrader.soundness import LONGEST_ARN, first_flaw, is_instant

T = TypeVar("T")

#: Version of what steps hand to each other and store in a run's journal. The state machine names it
#: too; docs/decisions/0044 says when to raise it, and what the next version must still read.
CONTRACT_VERSION = 1


_SHOWN_LENGTH = 40


class Artifact(Struct, frozen=True, forbid_unknown_fields=True):
    """A value between steps: in line when small, else in the bucket with its SHA-256."""

    inline: Any | UnsetType = UNSET
    s3: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET


class BarColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """Bars of one symbol as columns of equal length, oldest first."""

    session: tuple[date, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]

    @classmethod
    def from_bars(cls, bars: tuple[Bar, ...]) -> BarColumns:
        """Turn rows into columns."""
        return cls(
            session=tuple(bar.session for bar in bars),
            open=tuple(bar.open for bar in bars),
            high=tuple(bar.high for bar in bars),
            low=tuple(bar.low for bar in bars),
            close=tuple(bar.close for bar in bars),
            volume=tuple(bar.volume for bar in bars),
        )


class ExecutionInput(Struct, frozen=True, forbid_unknown_fields=True):
    """What StartExecution may be given; it can narrow a run and never widen it.

    ``Comment`` is what the console pre-fills; it means nothing.
    """

    scheduled_time: str | None = None
    slot: str | None = None
    dry_run: bool = False
    report_only: bool = False
    flatten: bool = False
    symbols: tuple[str, ...] | None = None
    comment: Any = msgspec.field(name="Comment", default=None)


class StepEvent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every step is handed: the version that the execution's state machine names."""

    contract: int = CONTRACT_VERSION


ExecutionArn = Annotated[str, Meta(max_length=LONGEST_ARN)]


class FetchBarsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``input`` is the execution's input as it came, whatever it is."""

    execution_arn: ExecutionArn
    input: Any


class FetchBarsResult(Struct, frozen=True):
    """``outcome`` drives the Choice; the rest is null unless the outcome needs it.

    ``bars`` is a dict of symbol to `BarColumns`, ``snapshot`` a `Snapshot`. A take-over reads this
    result in the execution's history, so it says its own ``contract``.
    """

    outcome: Literal["OPEN", "CLOSED", "DUPLICATE", "REPORT", "FLATTEN"]
    message: str
    run: Run | None = None
    settings: Settings | None = None
    bars: Artifact | None = None
    snapshot: Artifact | None = None
    contract: int = CONTRACT_VERSION


class ComputeIndicatorsEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``bars`` as in `FetchBarsResult`."""

    run: Run
    settings: Settings
    bars: Artifact


class ComputeIndicatorsResult(Struct, frozen=True):
    """``features`` is a `Features`."""

    features: Artifact


class DecideOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``snapshot`` is a `Snapshot`, ``features`` a `Features`, null for a flatten alone."""

    run: Run
    settings: Settings
    snapshot: Artifact
    features: Artifact | None


class DecideOrdersResult(Struct, frozen=True):
    """``outcome`` drives the Choice; ``decision`` is a `Decision`, ``plan`` its first `Plan`."""

    outcome: Literal["SUBMIT", "NOTHING_TO_SUBMIT"]
    decision: Artifact
    plan: Artifact


class SubmitOrdersEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """``plan`` is the one that the step before, or the last call of this step, returned."""

    run: Run
    settings: Settings
    decision: Artifact
    plan: Artifact


class SubmitOrdersResult(Struct, frozen=True):
    """``outcome`` drives the Choice; ``wait_seconds`` is a whole number for the Wait state."""

    outcome: Literal["COMPLETE", "WORKING"]
    wait_seconds: int
    plan: Artifact
    submission: Artifact


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run broke: the state, Step Functions' error name and its cause."""

    state: str
    error: str
    cause: str


class NotifyEvent(StepEvent, frozen=True, forbid_unknown_fields=True):
    """All that the run knows when it ends; null is what it never got to."""

    execution_arn: str
    input: Any
    run: Run | None
    settings: Settings | None
    snapshot: Artifact | None
    features: Artifact | None
    decision: Artifact | None
    submission: Artifact | None
    failure: Failure | None


class NotifyResult(Struct, frozen=True):
    """The texts as sent; ``error`` and ``cause`` feed the Fail state, empty on success."""

    sms: str
    subject: str
    email: str
    error: str
    cause: str


def decode(kind: type[T], value: object, what: str) -> T:
    """Read a value that another step, or a user's sample event, handed in.

    Raises
    ------
    InvalidInputError
        ``STATE_INVALID`` with the path of the first field that does not fit.
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
    """Read the event of a step, once its contract is known to be this code's own.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN`` before anything else is read: another version may have any shape.
    InvalidInputError
        ``STATE_INVALID``.
    """
    contract = decode(_Versioned, event, what).contract
    if contract != CONTRACT_VERSION:
        raise _deployed_during_run("Start it again once the deploy is over.", contract)
    return decode(kind, event, what)


def stamp_version(value: object) -> dict[str, Any]:
    """Return an entry of a run's journal as it is stored, with the contract's version."""
    return {**encode(value), "contract": CONTRACT_VERSION}


def is_current(value: object, what: str) -> bool:
    """Whether what an execution stored, or returned, is of this very contract."""
    return decode(_Stamped, value, what).contract == CONTRACT_VERSION


def decode_versioned(kind: type[T], value: object, what: str) -> T:
    """Read what an execution of this contract, or of the one before, stored or returned.

    Raises
    ------
    ConfigurationError
        ``DEPLOYED_DURING_RUN`` before anything else is read.
    InvalidInputError
        ``STATE_INVALID``.
    """
    contract = decode(_Stamped, value, what).contract
    if contract not in {CONTRACT_VERSION - 1, CONTRACT_VERSION}:
        advice = "Deploy the version that began the run, or let the next session trade."
        raise _deployed_during_run(advice, contract)
    return decode(kind, value, what)


def replace_surrogates(event: object) -> Any:
    """Return an event with a question mark in place of each lone surrogate, which no text holds."""
    return json.loads(json.dumps(event, ensure_ascii=False).encode(errors="replace"))


def encode(value: object) -> Any:
    """Turn a value of ours into what JSON can hold; Decimals and instants become strings."""
    return msgspec.to_builtins(value)


def canonical_json(value: object) -> bytes:
    """Format a value as the one JSON text that its hash is taken of: sorted keys, no spaces."""
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def sha256_of(value: object) -> str:
    """Hash a value by its canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def parse_execution_input(raw: object) -> ExecutionInput:
    """Read the execution's input; anything but an object with known fields is refused by name.

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
            "report_only, flatten, symbols. Mode, limits, account and strategy come from the "
            "deployed template alone.",
            problem=f'"{problem}"',
        )
    return given


def parse_instant(text: str, field: str) -> datetime:
    """Read an RFC 3339 instant with its offset.

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
            "Give an RFC 3339 instant with its offset, such as 2026-01-05T14:35:00Z.",
            field=field,
            value=repr(text[:_SHOWN_LENGTH]),
        )
    return instant


def _state_invalid(what: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        "STATE_INVALID",
        "Compare it with a file in events/; within a run this is a bug, please report it.",
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
