"""What S3 answers is checked before it counts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from algotrader.adapters import aws as module
from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.aws import BrokenAnswerError, client

BUCKET = "desk-bucket"
KEY = "runs/2026-01-06/2026-01-06-day/decision.json"
HTML = b"<html>gateway</html>"


class Body(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Gateway:
    """Stands between the desk and S3; answers the first requests itself."""

    def __init__(self, times: int, status: int = 200, body: bytes = HTML) -> None:
        self.left = times
        self.status = status
        self.body = body

    def __call__(self, request: Any, **_: Any) -> AWSResponse | None:
        self.left -= 1
        if self.left < 0:
            return None
        headers = {"content-length": str(len(HTML))}
        return AWSResponse(request.url, self.status, headers, Body(self.body))


@pytest.fixture
def artifacts(aws: None, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    del aws
    monkeypatch.setattr(module, "BROKEN_PAUSES_SECONDS", (0, 0))
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return Artifacts(BUCKET)


def put_between(gateway: Callable[..., AWSResponse | None]) -> None:
    client("s3").meta.events.register_first("before-send.s3", gateway)


def test_a_write_that_s3_did_not_confirm_is_made_again_and_finds_the_first(
    artifacts: Artifacts,
) -> None:
    put_between(Gateway(1))  # what it answers itself reaches S3 nevertheless
    assert not artifacts.create(KEY, {"a": 1})
    assert artifacts.read(KEY, dict) == {"a": 1}


def test_a_write_that_s3_never_confirms_is_no_write(artifacts: Artifacts) -> None:
    put_between(Gateway(9))
    with pytest.raises(BrokenAnswerError, match="decision"):
        artifacts.create(KEY, {"a": 1})


@pytest.mark.parametrize("body", [HTML, b"", HTML[:5]])
def test_a_read_whose_answer_came_broken_is_asked_again(artifacts: Artifacts, body: bytes) -> None:
    artifacts.write(KEY, {"a": 1})
    put_between(Gateway(2, body=body))
    assert artifacts.read(KEY, dict) == {"a": 1}


def test_a_404_that_is_not_of_s3_does_not_mean_that_nothing_is_there(artifacts: Artifacts) -> None:
    artifacts.write(KEY, {"a": 1})
    put_between(Gateway(2, status=404))
    assert artifacts.read(KEY, dict) == {"a": 1}


def test_what_is_not_there_reads_as_none(artifacts: Artifacts) -> None:
    assert artifacts.read(KEY, dict) is None
