"""Owns a stand-in for Step Functions that knows the status and history of some executions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from algotrader.adapters import execution_history
from algotrader.adapters import run_lock as claim
from algotrader.adapters.aws import client
from algotrader.contracts import encode

EVENTS_A_PAGE = 5  # fewer than any history has, so every history has several pages


@dataclass
class Executions:
    """A stand-in for the Step Functions client.

    Attributes
    ----------
    status : str
        The status of every execution; empty if there is no execution.
    histories : dict of str to list of dict
        Events by execution ARN, oldest first.
    broken : int
        Number of answers that come from a gateway, which botocore reads as empty.
    """

    status: str = ""
    stopped: datetime | None = None
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken: int = 0

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if not self.status:
            raise _unknown(executionArn, "DescribeExecution")
        end = {} if self.stopped is None else {"stopDate": self.stopped}
        return {"status": self.status, **end}

    def get_execution_history(
        self,
        executionArn: str,  # noqa: N803 - AWS's name
        nextToken: str = "0",  # noqa: N803 - AWS's name
        **_: Any,
    ) -> dict[str, Any]:
        self.broken -= 1
        if self.broken >= 0:
            return {}
        if executionArn not in self.histories:
            raise _unknown(executionArn, "GetExecutionHistory")
        events, start = self.histories[executionArn], int(nextToken)
        page: dict[str, Any] = {"events": events[start : start + EVENTS_A_PAGE]}
        if start + EVENTS_A_PAGE < len(events):
            page["nextToken"] = str(start + EVENTS_A_PAGE)
        return page

    def keep(self, execution_arn: str, results: Iterable[tuple[str, Any]]) -> None:
        """Record the results of an execution's states."""
        self.histories[execution_arn] = history_of(results)


def history_of(results: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Build the events of an execution with these results of its states, as AWS documents them."""
    events: list[dict[str, Any]] = [{"type": "ExecutionStarted"}]
    for state, result in results:
        output = json.dumps({"ExecutedVersion": "$LATEST", "Payload": encode(result)})
        events += [
            {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state}},
            {"type": "TaskScheduled"},
            {"type": "TaskFailed"},  # the first of two attempts
            {"type": "TaskScheduled"},
            {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}},
            {"type": "TaskStateExited", "stateExitedEventDetails": {"name": state}},
        ]
    return events


def _unknown(arn: str, operation: str) -> ClientError:
    error = {"Error": {"Code": "ExecutionDoesNotExist", "Message": arn}}
    return ClientError(error, operation)


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Executions:
    """Replace Step Functions for the adapters that use it."""
    made = Executions()
    for module in (claim, execution_history):
        monkeypatch.setattr(
            module, "client", lambda name: made if name == "stepfunctions" else client(name)
        )
    return made
