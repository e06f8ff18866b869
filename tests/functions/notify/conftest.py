"""Owns the fixtures of Notify: a bucket, and a notifier that keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from moto import mock_aws

from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.aws import client


@dataclass
class Inbox:
    """A notifier whose texts lie here."""

    texts: list[tuple[str, str, str]] = field(default_factory=list)

    def publish(self, subject: str, sms: str, email: str) -> None:
        self.texts.append((subject, sms, email))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def artifacts(monkeypatch) -> Iterator[Artifacts]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client.cache_clear()
        client("s3").create_bucket(Bucket="desk-bucket")
        yield Artifacts("desk-bucket")
        client.cache_clear()
