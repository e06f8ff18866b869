"""Owns the fixtures of Notify: a bucket, and a notifier that keeps its texts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from algotrader.adapters.store import Store
from tests.functions.conftest import BUCKET


@dataclass
class Inbox:
    """A notifier that keeps its texts."""

    texts: list[tuple[str, str, str]] = field(default_factory=list)

    def publish(self, subject: str, sms: str, email: str) -> None:
        self.texts.append((subject, sms, email))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def store(s3) -> Store:
    del s3
    return Store(BUCKET)
