"""Owns a deployed stack: its executions, and the messages that its topic sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from local.server_process import open_url

Client = Callable[[str], Any]

POLL_SECONDS = 0.05
RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True)
class Text:
    """A message that the topic sent, as a phone and as a mailbox show it."""

    sms: str
    subject: str
    email: str


class Stack:
    """A stack in an `EmbeddedAws`; ``inbox`` is the URL of a queue with the topic's messages."""

    def __init__(self, client: Client, name: str, outputs: Mapping[str, str], inbox: str) -> None:
        self._client = client
        self._inbox = inbox
        self.name = name
        self.outputs = dict(outputs)
        self.bucket = outputs["Bucket"]
        self.topic_arn = outputs["TopicArn"]
        self.state_machine_arn = outputs["StateMachineArn"]
        self.keys_parameter = outputs["AlpacaKeysParameter"]
        self.trading_state_parameter = outputs["TradingStateParameter"]

    def start(self, value: object, name: str | None = None) -> str:
        """Start an execution with any JSON value as its input, and return its ARN."""
        names = {} if name is None else {"name": name}
        answer = self._client("stepfunctions").start_execution(
            stateMachineArn=self.state_machine_arn, input=json.dumps(value), **names
        )
        return str(answer["executionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        """Describe an execution as Step Functions does: status, error, cause, dates."""
        answer: dict[str, Any] = self._client("stepfunctions").describe_execution(executionArn=arn)
        return answer

    def wait(self, arn: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until an execution ends, and describe it.

        Raises
        ------
        TimeoutError
            If it is still running after ``seconds``.
        """
        until = time.monotonic() + seconds
        while (description := self.describe(arn))["status"] == RUNNING:
            if time.monotonic() > until:
                message = f"{arn} is still running after {seconds} s"
                raise TimeoutError(message)
            time.sleep(POLL_SECONDS)
        return description

    def history(self, arn: str) -> list[dict[str, Any]]:
        """Return an execution's events so far, oldest first."""
        pages = self._client("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=arn) for event in page["events"]]

    def logged_lines(self, function: str, message: str, since: float) -> list[str]:
        """Return the field ``line`` of a function's log entries with a message, oldest first.

        Parameters
        ----------
        function : str
            The function's name without the stack's, such as ``decide-orders``.
        since : float
            POSIX time of the first entry to read, so that each run of a long series reads only its
            own entries.
        """
        pages = self._client("logs").get_paginator("filter_log_events")
        events = [
            json.loads(event["message"])
            for page in pages.paginate(
                logGroupName=f"/aws/lambda/{self.name}-{function}", startTime=int(since * 1000)
            )
            for event in page["events"]
            if event["message"].startswith("{")
        ]
        return [str(each["line"]) for each in events if each.get("message") == message]

    def texts(self) -> list[Text]:
        """Return the messages that the topic has sent since `forget_texts`, oldest first."""
        place = urlsplit(self._inbox)
        query = urlencode({"QueueUrl": self._inbox})
        # ministack's peek endpoint does not consume messages
        with open_url(f"{place.scheme}://{place.netloc}/_ministack/sqs/messages?{query}") as answer:
            accounts = json.load(answer)["messages"].values()
        messages = [
            message
            for regions in accounts
            for queues in regions.values()
            for queue in queues.values()
            for message in queue
        ]
        return [_text(json.loads(message["Body"])) for message in messages]

    def forget_texts(self) -> None:
        """Delete the messages so far, so that reading them does not take longer with every run."""
        self._client("sqs").purge_queue(QueueUrl=self._inbox)

    def delete(self) -> None:
        """Delete the stack, except for resources that the template retains."""
        cloudformation = self._client("cloudformation")
        cloudformation.delete_stack(StackName=self.name)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1}
        )
        self._client("sqs").delete_queue(QueueUrl=self._inbox)


def _text(envelope: Mapping[str, Any]) -> Text:
    """Parse a published message; a structured message has a text for each protocol."""
    message, subject = str(envelope["Message"]), str(envelope.get("Subject") or "")
    try:
        parts = json.loads(message)
    except ValueError:
        parts = None
    if not isinstance(parts, dict) or "default" not in parts:
        return Text(sms=message, subject=subject, email=message)
    default = str(parts["default"])
    return Text(
        sms=str(parts.get("sms", default)), subject=subject, email=str(parts.get("email", default))
    )
