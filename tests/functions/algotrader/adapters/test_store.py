"""The store checks every answer from S3 before it uses it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from algotrader.adapters import aws as module
from algotrader.adapters.aws import BrokenAnswerError, client
from algotrader.adapters.store import INLINE_LIMIT_BYTES, Reading, Store
from algotrader.errors import InvalidInputError
from tests.support.desk_world import RUN

BUCKET = "desk-bucket"
KEY = "runs/2026-01-06/2026-01-06-day/decision.json"
HTML = b"<html>gateway</html>"


class Body(io.BytesIO):
    """A response body with the methods that botocore needs."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Gateway:
    """A gateway between the desk and S3 that answers the first requests itself."""

    def __init__(self, times: int, status: int = 200, body: bytes = HTML, **headers: str) -> None:
        self.left = times
        self.status = status
        self.body = body
        self.headers = {"content-length": str(len(HTML)), **headers}

    def __call__(self, request: Any, **_: Any) -> AWSResponse | None:
        self.left -= 1
        if self.left < 0:
            return None
        return AWSResponse(request.url, self.status, self.headers, Body(self.body))


@pytest.fixture
def store(aws: None, monkeypatch: pytest.MonkeyPatch) -> Store:
    del aws
    monkeypatch.setattr(module, "BROKEN_PAUSES_SECONDS", (0, 0))
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return Store(BUCKET)


def put_between(gateway: Callable[..., AWSResponse | None]) -> None:
    client("s3").meta.events.register_first("before-send.s3", gateway)


def test_a_write_that_s3_did_not_confirm_is_made_again_and_finds_the_first(
    store: Store,
) -> None:
    put_between(Gateway(1))  # S3 also receives the requests that the gateway answers
    assert not store.create(KEY, {"a": 1})
    assert store.read(KEY, dict) == {"a": 1}


def test_a_write_that_s3_never_confirms_is_not_a_write(store: Store) -> None:
    put_between(Gateway(9))
    with pytest.raises(BrokenAnswerError, match="decision"):
        store.create(KEY, {"a": 1})


def test_a_plain_write_that_s3_did_not_confirm_is_made_again(store: Store) -> None:
    put_between(Gateway(2))
    store.write(KEY, {"a": 1})
    assert store.read(KEY, dict) == {"a": 1}
    put_between(Gateway(9))
    with pytest.raises(BrokenAnswerError, match="decision"):
        store.write(KEY, {"a": 2})


@pytest.mark.parametrize("body", [HTML, b"", HTML[:5]])
def test_folders_that_a_gateway_lists_are_asked_for_again(store: Store, body: bytes) -> None:
    store.write(KEY, {"a": 1})
    put_between(Gateway(2, body=body))
    assert store.folders("runs/") == ("runs/2026-01-06/",)


@pytest.mark.parametrize("body", [HTML, b"", HTML[:5]])
def test_a_read_whose_answer_came_broken_is_asked_again(store: Store, body: bytes) -> None:
    store.write(KEY, {"a": 1})
    put_between(Gateway(2, body=body))
    assert store.read(KEY, dict) == {"a": 1}


def test_a_read_that_looks_like_one_of_s3_but_is_no_json_is_asked_again(store: Store) -> None:
    store.write(KEY, {"a": 1})
    put_between(Gateway(2, etag='"tag"'))
    assert store.read(KEY, dict) == {"a": 1}
    put_between(Gateway(9, etag='"tag"'))
    with pytest.raises(InvalidInputError, match="OBJECT_UNREADABLE"):
        store.read(KEY, dict)


def test_a_value_that_an_earlier_step_passed_on_is_read_again_if_its_hash_is_wrong(
    store: Store,
) -> None:
    passed_on = store.put(RUN, "plan-000", {"polls": ["a" * INLINE_LIMIT_BYTES]})
    put_between(Gateway(2, etag='"tag"'))
    assert store.get(passed_on, dict) == {"polls": ["a" * INLINE_LIMIT_BYTES]}
    put_between(Gateway(9, etag='"tag"'))
    with pytest.raises(InvalidInputError, match="different hash"):
        store.get(passed_on, dict)


def test_a_value_passed_on_that_is_no_json_is_refused_by_name(store: Store) -> None:
    passed_on = store.put_content(RUN, "plan-000", HTML, "json")
    with pytest.raises(InvalidInputError, match=r"ARTIFACT_INVALID.*not JSON"):
        store.get(passed_on, dict)


def test_a_404_that_is_not_of_s3_does_not_mean_that_nothing_is_there(store: Store) -> None:
    store.write(KEY, {"a": 1})
    put_between(Gateway(2, status=404))
    assert store.read(KEY, dict) == {"a": 1}


def test_what_is_not_there_reads_as_none(store: Store) -> None:
    assert store.read(KEY, dict) is None


def test_what_the_desk_can_do_without_is_read_or_counts_as_not_there(store: Store) -> None:
    assert store.try_read(KEY, dict[str, int]) == Reading()

    store.write(KEY, {"n": 1})
    found = store.try_read(KEY, dict[str, int])
    assert (found.value, found.is_unreadable) == ({"n": 1}, False)
    assert store.replace(KEY, {"n": 2}, found.tag)
    assert store.try_read(KEY, dict[str, str]) == Reading(is_unreadable=True)

    client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=HTML)
    assert store.try_read(KEY, dict[str, int]) == Reading(is_unreadable=True)


@pytest.mark.parametrize(("disturbed", "left"), [(0, 1), (1, 11), (3, 30)])
def test_an_update_starts_again_when_another_run_changed_the_value_up_to_three_times(
    store: Store, disturbed: int, left: int
) -> None:
    calls = 0

    def count(known: dict[str, int] | None) -> dict[str, int]:
        nonlocal calls
        calls += 1
        if calls <= disturbed:
            store.write(KEY, {"n": 10 * calls})  # another run
        return {"n": (known or {"n": 0})["n"] + 1}

    store.update(KEY, dict[str, int], count)

    stored = store.read(KEY, dict[str, int])
    assert stored is not None
    assert (stored["n"], calls) == (left, min(disturbed + 1, 3))


def test_an_update_replaces_what_is_unreadable_and_leaves_what_needs_no_change(
    store: Store,
) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=HTML)
    store.update(KEY, dict[str, int], lambda known: {"n": 1} if known is None else None)
    store.update(KEY, dict[str, int], lambda known: {"n": 2} if known is None else None)
    assert store.read(KEY, dict[str, int]) == {"n": 1}


def test_what_was_handed_on_by_reference_stays_when_a_later_call_hands_on_more(
    aws: None,
) -> None:
    del aws
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    store = Store(BUCKET)
    first, later = {"polls": ["a" * INLINE_LIMIT_BYTES]}, {"polls": ["b" * INLINE_LIMIT_BYTES]}

    handed_on = store.put(RUN, "plan-000", first)
    store.put(RUN, "plan-000", later)  # the first answer is lost, so the desk calls again

    assert store.get(handed_on, dict) == first


def test_what_is_handed_on_by_reference_leaves_the_journals_own_entries_alone(aws: None) -> None:
    del aws
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    store = Store(BUCKET)
    logged = {"orders": ["a" * INLINE_LIMIT_BYTES]}
    assert store.create(f"{RUN.journal}plan-001.json", logged)

    store.put(RUN, "plan-001", {"orders": ["b" * INLINE_LIMIT_BYTES]})

    assert store.read(f"{RUN.journal}plan-001.json", dict) == logged
