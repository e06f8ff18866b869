"""Earlier versions of the books, listed and put back from a terminal, for a deployed stack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from local.cli.app import run_command
from local.ops.book_versions import kind_of
from local.ops.stack import DeployedStack
from local.sandbox.aws import Stack
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk

Say = Callable[..., tuple[int, str, str]]
KEY = "ledger/adjustments.json"
SYMBOLS = {"Symbols": "AAPL,IBM,MSFT"}


@pytest.fixture(scope="module", name="desk")
def desk_beside_a_user() -> Iterator[LocalDesk]:
    """Return a desk on an account whose user bought 30 IBM by hand."""
    with open_desk(LocalDeskConfig(broker=None, parameters=SYMBOLS)) as standing:
        paper = standing.paper_broker
        assert paper is not None
        paper.open_session(date(2012, 2, 14))
        paper.order_by_hand("IBM", "buy", "30")
        paper.positions()  # a look at the market: they fill
        yield standing


@pytest.fixture(scope="module")
def next_day(desk: LocalDesk) -> Callable[[], date]:
    following = iter([day for day in desk.sessions() if day > date(2012, 2, 14)])
    return lambda: next(following)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


@pytest.fixture
def say(desk: LocalDesk, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command([*arguments, "--endpoint-url", desk.aws.endpoint_url])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def adopted(say: Say, desk: LocalDesk) -> Iterator[list[dict[str, Any]]]:
    """Return the list after shares were adopted; afterwards the books are gone, versions and
    all.
    """
    assert say("adopt", "IBM", "20")[0] == 0
    yield given(desk)
    s3, bucket = desk.aws.client("s3"), desk.stack.bucket
    found = s3.list_object_versions(Bucket=bucket, Prefix="ledger/")
    for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def given(desk: LocalDesk, bucket: str = "") -> list[dict[str, Any]]:
    s3 = desk.aws.client("s3")
    answer = s3.get_object(Bucket=bucket or desk.stack.bucket, Key=KEY)
    entries: list[dict[str, Any]] = json.load(answer["Body"])
    return entries


def break_list(desk: LocalDesk) -> None:
    """Write what no command writes; the embedded AWS lets its root pass the bucket's policy."""
    desk.aws.client("s3").put_object(Bucket=desk.stack.bucket, Key=KEY, Body=b'{"not": "a list"}')


def listed(out: str) -> list[str]:
    """Return the identifiers of the listed versions, newest first."""
    lines = re.findall(r"(?m)^    \d{4}-\S+ \S+ UTC +(\d+ bytes|deleted) +(\S+)", out)
    return [name for _, name in lines]


def error_of(desk: LocalDesk, day: date) -> str:
    return str(desk.run({"dry_run": True}, day).document["execution"]["error"])


def test_a_list_that_somebody_broke_is_put_back_and_runs_go_on(
    say: Say, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    break_list(desk)
    assert error_of(desk, next_day()) == "ConfigurationError"
    status, out, _ = say("restore", "adjustments.json")
    assert status == 0
    broken, good = listed(out)
    assert "  now" in next(line for line in out.splitlines() if broken in line)

    status, out, _ = say("restore", "ledger/adjustments.json", good)
    assert status == 0
    assert "ledger/adjustments.json is put back. The next run carries on from it." in out
    assert listed(out)[1:] == [broken, good]
    assert given(desk) == adopted
    document = desk.run({"dry_run": True}, next_day()).document
    assert document["execution"]["status"] == "SUCCEEDED"
    assert "holds 20" in document["decision"]["why"]["IBM"]


def test_a_version_that_no_run_could_read_is_not_put_back(
    say: Say, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    break_list(desk)
    (broken, _) = listed(say("restore", "adjustments.json")[1])
    assert say("adopt", "IBM", "1")[0] == 1
    status, _, err = say("restore", "adjustments.json", broken)
    assert (status, err.count("\n")) == (1, 1)
    assert "a run could not read that version" in err
    assert adopted


def test_what_was_deleted_is_put_back(
    say: Say, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    desk.aws.client("s3").delete_object(Bucket=desk.stack.bucket, Key=KEY)
    assert re.search(r"adjustments\.json +2 versions, deleted", say("restore")[1])
    marker, good = listed(say("restore", "adjustments.json")[1])
    status, _, err = say("restore", "adjustments.json", marker)
    assert (status, "has no version" in err) == (1, True)
    assert say("restore", "adjustments.json", good)[0] == 0
    assert given(desk) == adopted


def test_every_object_of_the_books_after_a_day_is_listed_and_can_be_put_back(
    say: Say, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    assert adopted
    assert say("resume", "--reset-peak")[0] == 0
    assert desk.run({}, next_day()).document["execution"]["status"] == "SUCCEEDED"
    s3 = desk.aws.client("s3")
    there = s3.list_objects_v2(Bucket=desk.stack.bucket, Prefix="ledger/")["Contents"]
    names = {each["Key"].removeprefix("ledger/") for each in there}
    assert len(names) == 6
    s3.put_object(Bucket=desk.stack.bucket, Key="ledger/notes.txt", Body=b"a person's own")
    out = say("restore")[1]
    assert {line.split()[0] for line in out.splitlines()[2:]} == names
    for name in names:
        newest = listed(say("restore", name)[1])[0]
        status, _, err = say("restore", name, newest)
        assert (status, err) == (0, ""), name
    assert desk.run({}, next_day()).document["execution"]["status"] == "SUCCEEDED"


def test_the_books_of_an_older_stack_s_bucket_are_brought_along(
    say: Say, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    new = desk.aws.deploy("new-desk", {})
    there = ("--stack", new.name)
    status, _, err = say("restore", "adjustments.json", *there)
    assert (status, f"{new.bucket} has no {KEY}; there are: none" in err) == (1, True)
    old = ("--from-bucket", desk.stack.bucket)
    (version,) = listed(say("restore", "adjustments.json", *old, *there)[1])
    assert say("restore", "adjustments.json", version, *old, *there)[0] == 0
    assert given(desk, new.bucket) == adopted
    assert len(listed(say("restore", "adjustments.json")[1])) == 1


def test_nothing_is_put_back_while_a_run_is_under_way(
    say: Say, desk: LocalDesk, next_day: Callable[[], date], adopted: list[dict[str, Any]]
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    assert adopted
    (version,) = listed(say("restore", "adjustments.json")[1])
    paper.behave(never_fill=["*"])
    arn = desk.stack.start({"scheduled_time": desk.ring(next_day(), {})})
    try:
        status, _, err = say("restore", "adjustments.json", version)
    finally:
        desk.aws.client("stepfunctions").stop_execution(executionArn=arn)
        paper.behave(never_fill=[])
    assert (status, "a run is under way" in err) == (1, True)
    assert len(listed(say("restore", "adjustments.json")[1])) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["restore", "claim.json"], "is not an object of the books"),
        (["restore", "../runs/x.json"], "is not an object of the books"),
        (["restore", "adjustments.json", "a", "b"], "unexpected extra argument"),
    ],
)
def test_a_slip_of_the_finger_is_wrong_usage(say: Say, arguments: list[str], words: str) -> None:
    status, _, err = say(*arguments)
    assert (status, words in err) == (2, True)


def test_a_version_that_is_not_there_is_named(
    say: Say, desk: LocalDesk, adopted: list[dict[str, Any]]
) -> None:
    status, _, err = say("restore", "adjustments.json", "0123456789abcdef")
    assert (status, err.count("\n")) == (1, 1)
    assert f"{desk.stack.bucket} has no version 0123456789abcdef of adjustments.json" in err
    assert given(desk) == adopted


@pytest.fixture
def live(desk: LocalDesk) -> Stack:
    return desk.aws.deploy("live-desk", {"TradingMode": "live", "LiveAccountNumber": "123"})


def test_live_books_are_put_back_on_a_yes_alone(
    say: Say,
    desk: LocalDesk,
    live: Stack,
    adopted: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (version,) = listed(say("restore", "adjustments.json")[1])
    from_old = ("--from-bucket", desk.stack.bucket, "--stack", live.name)
    there = ("restore", "adjustments.json", version, *from_old)
    status, _, err = say(*there)
    assert (status, "--yes" in err) == (2, True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert say(*there)[0] == 1
    assert say("restore", "--stack", live.name)[1].count("\n") == 2
    assert say(*there, "--yes")[0] == 0
    assert given(desk, live.bucket) == adopted


def test_a_change_in_between_is_not_written_over(
    say: Say, desk: LocalDesk, adopted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (version,) = listed(say("restore", "adjustments.json")[1])

    def change(_: DeployedStack) -> bool:
        break_list(desk)
        return False

    monkeypatch.setattr(DeployedStack, "is_under_way", change)
    status, _, err = say("restore", "adjustments.json", version)
    assert (status, "somebody else changed adjustments.json" in err) == (1, True)
    monkeypatch.undo()
    assert len(listed(say("restore", "adjustments.json")[1])) == 2
    assert adopted


def test_the_name_of_every_kind_is_a_whole_one() -> None:
    assert kind_of("1a2b3c.json") is not None
    assert kind_of("x1a2b3c.json") is None
    assert kind_of("1a2b3c.json.old") is None
