"""Owns the read of an execution's results from the history that Step Functions keeps."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from algotrader.adapters.aws import client, read_whole

PAGE = 1000
#: The execution does not exist, or the role may not read it because another machine ran it.
_NOT_OURS = frozenset({"ExecutionDoesNotExist", "InvalidArn", "AccessDeniedException"})


def results_of(execution_arn: str, states: Collection[str]) -> dict[str, Any]:
    """Read the results of an execution's Lambda tasks.

    Parameters
    ----------
    states : collection of str
        Names of the states to read; each has at most one result.

    Returns
    -------
    dict of str to Any
        By state, the function's return value. A state without a result is absent. An execution that
        does not exist, or belongs to another state machine, has no results.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    found: dict[str, Any] = {}
    state = ""
    try:
        for event in _events(execution_arn):
            if entered := event.get("stateEnteredEventDetails"):
                state = entered["name"]
            elif (ended := event.get("taskSucceededEventDetails")) and state in states:
                found[state] = json.loads(ended["output"])["Payload"]
                if len(found) == len(states):
                    break
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_OURS:
            return {}
        raise
    return found


def _events(execution_arn: str) -> Iterator[dict[str, Any]]:
    """List an execution's events, oldest first; the state machine has no parallel branches."""
    more: dict[str, str] = {}

    def ask() -> tuple[list[dict[str, Any]], str]:
        page = client("stepfunctions").get_execution_history(
            executionArn=execution_arn, maxResults=PAGE, includeExecutionData=True, **more
        )
        return page["events"], page.get("nextToken", "")

    while True:
        events, token = read_whole(ask)
        yield from events
        if not token:
            return
        more = {"nextToken": token}
