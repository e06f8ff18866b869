"""Owns the SNS topic: one publish carries the text message and the e-mail."""

from __future__ import annotations

import json
import re

from algotrader.adapters.aws import client
from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.messages import MAX_SUBJECT_LENGTH

MAX_MESSAGE_BYTES = 256 * 1024

_SUBJECT = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_REFUSALS = frozenset({"AuthorizationError", "AuthorizationErrorException", "NotFound"})


class SnsNotifier:
    """The desk's topic as an `algotrader.notifier.Notifier`.

    Parameters
    ----------
    topic_arn : str
        The topic that phones and e-mail addresses are subscribed to.
    """

    def __init__(self, topic_arn: str) -> None:
        self.topic_arn = topic_arn

    def publish(self, subject: str, sms: str, email: str) -> None:
        """Publish once; each subscription receives the body for its protocol.

        The method checks what SNS would reject, because an emulator might accept it.

        Raises
        ------
        InvalidInputError
            ``SUBJECT_INVALID`` or ``MESSAGE_TOO_LARGE``.
        ConfigurationError
            ``TOPIC_REFUSED`` if the topic is missing or the role may not publish to it.
        """
        message = json.dumps({"default": email, "sms": sms, "email": email}, ensure_ascii=False)
        check(subject, message)
        sns = client("sns")
        try:
            sns.publish(
                TopicArn=self.topic_arn, Subject=subject, Message=message, MessageStructure="json"
            )
        except sns.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _REFUSALS:
                raise
            raise ConfigurationError(
                "TOPIC_REFUSED",
                "Deploy the stack again: it creates the topic and the permission to publish to it.",
                topic=self.topic_arn,
                answer=code,
            ) from error


def check(subject: str, message: str) -> None:
    """Check that SNS accepts a message: a subject of under 100 ASCII characters, 256 KiB in all.

    Raises
    ------
    InvalidInputError
        ``SUBJECT_INVALID`` or ``MESSAGE_TOO_LARGE``.
    """
    if len(subject) > MAX_SUBJECT_LENGTH or not _SUBJECT.fullmatch(subject):
        raise InvalidInputError(
            "SUBJECT_INVALID",
            "This is a bug, please report it: a subject is one line of fewer than 100 ASCII "
            "characters without spaces around it.",
            subject=repr(subject),
        )
    size = len(message.encode())
    if size > MAX_MESSAGE_BYTES:
        raise InvalidInputError(
            "MESSAGE_TOO_LARGE",
            "This is a bug, please report it: the desk shortens an e-mail before it sends it.",
            size=size,
            limit=MAX_MESSAGE_BYTES,
        )
