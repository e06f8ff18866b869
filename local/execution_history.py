"""Owns an execution's history: which states ran, for how long, and what they returned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# States of the state machine, as its history names them.
FETCH, DECIDE, SUBMIT = "Fetch Bars", "Decide Orders", "Submit Orders"
NOTIFY, NOTIFY_FAILURE = "Notify", "Notify Failure"

ENTERED = "StateEntered"
EXITED = "StateExited"
TASK = "Task"
TRIED = frozenset({"TaskScheduled", "LambdaFunctionScheduled"})
FAILED = frozenset({"TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut"})


@dataclass(slots=True)
class Visit:
    """One stay in one state.

    Attributes
    ----------
    kind : str
        ``Task``, ``Choice``, ``Wait``, ``Pass``, ``Succeed`` or ``Fail``.
    attempts : int
        The Task's attempts in this stay, including retries.
    result : object
        What the Task's function returned; None until it returns or if it fails.
    error : str
        The name of the last error in this stay, or an empty string if there was none.
    """

    name: str
    kind: str
    entered: datetime
    left: datetime | None = None
    attempts: int = 0
    result: Any = None
    error: str = ""

    @property
    def seconds(self) -> float:
        """The duration of the stay; 0 until it ends."""
        return (self.left - self.entered).total_seconds() if self.left else 0.0


@dataclass(frozen=True, slots=True)
class StateTotal:
    """The sum of all stays in one Task state; ``attempts`` includes retries and repeated visits."""

    name: str
    seconds: float
    attempts: int
    retries: int


@dataclass(slots=True)
class Timeline:
    """An execution's stays, in the order in which they began."""

    visits: list[Visit] = field(default_factory=list)
    _seen: int = 0

    def extend(self, events: Iterable[Mapping[str, Any]]) -> list[Visit]:
        """Read the whole history, oldest first; return the stays that ended since the last call.

        The ids show which events an earlier call has read.
        """
        ended: list[Visit] = []
        for event in events:
            if event["id"] <= self._seen:
                continue
            self._seen = event["id"]
            visit = self._take(event)
            if visit is not None:
                ended.append(visit)
        return ended

    @property
    def current(self) -> Visit | None:
        """The current stay; None between two stays."""
        return self.visits[-1] if self.visits and self.visits[-1].left is None else None

    def totals(self) -> list[StateTotal]:
        """Return the sum for each Task state, in the order of their first stays."""
        totals: dict[str, StateTotal] = {}
        for visit in self.visits:
            if visit.kind != TASK:
                continue
            before = totals.get(visit.name, StateTotal(visit.name, 0.0, 0, 0))
            totals[visit.name] = StateTotal(
                visit.name,
                before.seconds + visit.seconds,
                before.attempts + visit.attempts,
                before.retries + max(visit.attempts - 1, 0),
            )
        return list(totals.values())

    def result(self, *names: str) -> dict[str, Any] | None:
        """Return the result of the last successful stay in one of the named states."""
        for visit in reversed(self.visits):
            if visit.name in names and isinstance(visit.result, dict):
                return visit.result
        return None

    def _take(self, event: Mapping[str, Any]) -> Visit | None:
        kind, at = str(event["type"]), event["timestamp"]
        if kind.endswith(ENTERED):
            name = event["stateEnteredEventDetails"]["name"]
            self.visits.append(Visit(name, kind.removesuffix(ENTERED), at))
            return None
        visit = self.current
        if visit is None:
            return None
        if kind in TRIED:
            visit.attempts += 1
        elif kind in FAILED:
            visit.error = _error(event)
        elif kind == "TaskSucceeded":
            visit.result, visit.error = _payload(event["taskSucceededEventDetails"]), ""
        if kind.endswith(EXITED) or kind.startswith("Execution"):
            visit.left = at
            return visit
        return None


def _payload(details: Mapping[str, Any]) -> Any:
    try:
        output = json.loads(details.get("output", "null"))
    except ValueError:
        return None
    return output.get("Payload", output) if isinstance(output, dict) else output


def _error(event: Mapping[str, Any]) -> str:
    details: Mapping[str, Any] = next(
        (value for key, value in event.items() if key.endswith("EventDetails")), {}
    )
    return str(details.get("error", event["type"]))
