"""The command lists earlier versions of a deployed stack's books and restores them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from local.ops.book_versions import kind_of
from local.ops.stack import DeployedStack
from local.sandbox.aws import Stack
from local.sandbox.runner.desk import LocalDesk
from tests.local.cli.conftest import ADJUSTMENTS, Command, Person, adjustments_of, desk_of_a_user


@pytest.fixture(scope="module", name="desk")
def desk_of_one_user() -> Iterator[LocalDesk]:
    with desk_of_a_user("AAPL,IBM,MSFT", IBM="30") as standing:
        yield standing


@pytest.fixture
def adopted(invoke: Command, desk: LocalDesk) -> Iterator[list[dict[str, Any]]]:
    """Adopt shares and yield the list of adjustments. Then delete every version of the books."""
    assert invoke("adopt", "IBM", "20")[0] == 0
    yield adjustments_of(desk)
    s3, bucket = desk.aws.client("s3"), desk.stack.bucket
    found = s3.list_object_versions(Bucket=bucket, Prefix="ledger/")
    for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def break_list(desk: LocalDesk) -> None:
    """Write an invalid list. The embedded AWS exempts its root from the bucket's policy."""
    desk.aws.client("s3").put_object(
        Bucket=desk.stack.bucket, Key=ADJUSTMENTS, Body=b'{"not": "a list"}'
    )


def listed(out: str) -> list[str]:
    """Return the identifiers of the listed versions, newest first."""
    lines = re.findall(r"(?m)^    \d{4}-\S+ \S+ UTC +(\d+ bytes|deleted) +(\S+)", out)
    return [name for _, name in lines]


def error_of(desk: LocalDesk, day: date) -> str:
    return str(desk.run({"dry_run": True}, day).document["execution"]["error"])


def test_a_broken_list_is_restored_and_runs_continue(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    break_list(desk)
    assert error_of(desk, next_day()) == "ConfigurationError"
    status, out, _ = invoke("restore", "adjustments.json")
    assert status == 0
    broken, good = listed(out)
    assert "  now" in next(line for line in out.splitlines() if broken in line)

    status, out, _ = invoke("restore", "ledger/adjustments.json", good)
    assert status == 0
    assert "ledger/adjustments.json is restored. The next run continues from it." in out
    assert listed(out)[1:] == [broken, good]
    assert adjustments_of(desk) == adopted
    document = desk.run({"dry_run": True}, next_day()).document
    assert document["execution"]["status"] == "SUCCEEDED"
    assert "holds 20" in document["decision"]["why"]["IBM"]


def test_a_version_that_no_run_could_read_is_not_restored(
    invoke: Command, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    break_list(desk)
    (broken, _) = listed(invoke("restore", "adjustments.json")[1])
    assert invoke("adopt", "IBM", "1")[0] == 1
    status, _, err = invoke("restore", "adjustments.json", broken)
    assert (status, err.count("\n")) == (1, 1)
    assert "a run could not read this version" in err
    assert adopted


def test_a_deleted_object_is_restored(
    invoke: Command, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    desk.aws.client("s3").delete_object(Bucket=desk.stack.bucket, Key=ADJUSTMENTS)
    assert re.search(r"adjustments\.json +2 versions, deleted", invoke("restore")[1])
    marker, good = listed(invoke("restore", "adjustments.json")[1])
    status, _, err = invoke("restore", "adjustments.json", marker)
    assert (status, "has no version" in err) == (1, True)
    assert invoke("restore", "adjustments.json", good)[0] == 0
    assert adjustments_of(desk) == adopted


def test_every_object_of_the_books_after_a_day_is_listed_and_can_be_restored(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    assert adopted
    assert invoke("resume", "--reset-peak")[0] == 0
    assert desk.run({}, next_day()).document["execution"]["status"] == "SUCCEEDED"
    s3 = desk.aws.client("s3")
    there = s3.list_objects_v2(Bucket=desk.stack.bucket, Prefix="ledger/")["Contents"]
    keys = {each["Key"].removeprefix("ledger/") for each in there}
    names = {each for each in keys if "/" not in each}  # without the sessions' summaries
    assert len(names) == 6
    s3.put_object(Bucket=desk.stack.bucket, Key="ledger/notes.txt", Body=b"a person's own")
    out = invoke("restore")[1]
    assert {line.split()[0] for line in out.splitlines()[2:]} == names
    for name in names:
        newest = listed(invoke("restore", name)[1])[0]
        status, _, err = invoke("restore", name, newest)
        assert (status, err) == (0, ""), name
    assert desk.run({}, next_day()).document["execution"]["status"] == "SUCCEEDED"


def test_the_books_of_an_older_stack_s_bucket_are_restored_into_the_new_one(
    invoke: Command, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    new = desk.aws.deploy("new-desk", {})
    there = ("--stack", new.name)
    status, _, err = invoke("restore", "adjustments.json", *there)
    assert (status, f"{new.bucket} has no {ADJUSTMENTS}. It has: none" in err) == (1, True)
    old = ("--from-bucket", desk.stack.bucket)
    (version,) = listed(invoke("restore", "adjustments.json", *old, *there)[1])
    assert invoke("restore", "adjustments.json", version, *old, *there)[0] == 0
    assert adjustments_of(desk, new.bucket) == adopted
    assert len(listed(invoke("restore", "adjustments.json")[1])) == 1


def test_nothing_is_restored_while_a_run_is_under_way(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    assert adopted
    (version,) = listed(invoke("restore", "adjustments.json")[1])
    paper.behave(never_fill=["*"])
    arn = desk.stack.start({"scheduled_time": desk.ring(next_day(), {})})
    try:
        status, _, err = invoke("restore", "adjustments.json", version)
    finally:
        desk.aws.client("stepfunctions").stop_execution(executionArn=arn)
        paper.behave(never_fill=[])
    assert (status, "a run is under way" in err) == (1, True)
    assert len(listed(invoke("restore", "adjustments.json")[1])) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["restore", "claim.json"], "is not an object of the books"),
        (["restore", "../runs/x.json"], "is not an object of the books"),
        (["restore", "adjustments.json", "a", "b"], "unexpected extra argument"),
    ],
)
def test_a_typing_error_is_wrong_usage(invoke: Command, arguments: list[str], words: str) -> None:
    status, _, err = invoke(*arguments)
    assert (status, words in err) == (2, True)


def test_a_missing_version_is_named(
    invoke: Command, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    status, _, err = invoke("restore", "adjustments.json", "0123456789abcdef")
    assert (status, err.count("\n")) == (1, 1)
    assert f"{desk.stack.bucket} has no version 0123456789abcdef of adjustments.json" in err
    assert adjustments_of(desk) == adopted


@pytest.fixture
def live(desk: LocalDesk) -> Stack:
    return desk.aws.deploy("live-desk", {"TradingMode": "live", "LiveAccountNumber": "123"})


def test_live_books_are_restored_only_after_a_yes(
    invoke: Command,
    desk: LocalDesk,
    live: Stack,
    adopted: list[dict[str, Any]],
    person: Person,
) -> None:
    (version,) = listed(invoke("restore", "adjustments.json")[1])
    from_old = ("--from-bucket", desk.stack.bucket, "--stack", live.name)
    there = ("restore", "adjustments.json", version, *from_old)
    status, _, err = invoke(*there)
    assert (status, "--yes" in err) == (2, True)
    person(yes=False)
    assert invoke(*there)[0] == 1
    assert invoke("restore", "--stack", live.name)[1].count("\n") == 2
    assert invoke(*there, "--yes")[0] == 0
    assert adjustments_of(desk, live.bucket) == adopted


def test_a_change_in_between_is_not_overwritten(
    invoke: Command, desk: LocalDesk, adopted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (version,) = listed(invoke("restore", "adjustments.json")[1])

    def change(_: DeployedStack) -> bool:
        break_list(desk)
        return False

    monkeypatch.setattr(DeployedStack, "is_under_way", change)
    status, _, err = invoke("restore", "adjustments.json", version)
    assert (status, "somebody else changed adjustments.json" in err) == (1, True)
    monkeypatch.undo()
    assert len(listed(invoke("restore", "adjustments.json")[1])) == 2
    assert adopted


def test_every_kind_of_object_accepts_only_a_whole_name() -> None:
    assert kind_of("1a2b3c.json") is not None
    assert kind_of("x1a2b3c.json") is None
    assert kind_of("1a2b3c.json.old") is None
