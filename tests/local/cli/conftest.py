"""Owns what the whole-run tests share: the installed command, and one desk for all of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

import pytest

from local.cli.app import run_command
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from tests.support.checkout import CHECKOUT

COMMAND = [sys.executable, "-c", "from local.cli import main; main()"]
# A user's shell may contain dead proxies, AWS settings and colors that a run must ignore.
HOSTILE = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "",
    "no_proxy": "",
    "AWS_PROFILE": "no-such-profile",
    "AWS_ACCESS_KEY_ID": "someone",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "TRADING_MODE": "live",
    "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "functions")]),
}


class Outcome(NamedTuple):
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Parse stdout as one JSON document."""
        return json.loads(self.out)


Command = Callable[..., Outcome]
Person = Callable[..., None]

TRADED = date(2012, 2, 14)
ADJUSTMENTS = "ledger/adjustments.json"


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("APCA_")}
    return kept | HOSTILE


@pytest.fixture(scope="session")
def command(environment: dict[str, str]) -> Command:
    def run(*arguments: str, seconds: float = 60) -> Outcome:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="session")
def desk() -> Iterator[LocalDesk]:
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as standing:
        yield standing


@pytest.fixture(scope="session")
def next_session(desk: LocalDesk) -> Callable[[], date]:
    """Return a function that returns a later session each time, as accounts only move forward."""
    following = iter([day for day in desk.sessions() if day >= date(2010, 1, 4)])
    return lambda: next(following)


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command without AWS settings and without a cloud machine's credentials."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def stack_arguments(desk: LocalDesk) -> tuple[str, ...]:
    """Return the options that select the module's desk."""
    return ("--endpoint-url", desk.aws.endpoint_url)


@pytest.fixture
def invoke(stack_arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command in this process on the module's desk."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        status = run_command([*arguments, *stack_arguments])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Return a function that lets a person at a terminal answer every question."""

    def answer(*, yes: bool) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("click.confirm", lambda *_, **__: yes)

    return answer


@pytest.fixture(scope="module")
def next_day(desk: LocalDesk) -> Callable[[], date]:
    """Return a function that returns a later session each time, for a module's own desk."""
    following = iter([day for day in desk.sessions() if day > TRADED])
    return lambda: next(following)


@contextmanager
def desk_of_a_user(symbols: str, **bought: str) -> Iterator[LocalDesk]:
    """Open a desk on an account whose user bought shares by hand on `TRADED`."""
    with open_desk(LocalDeskConfig(broker=None, parameters={"Symbols": symbols})) as standing:
        paper = standing.paper_broker
        assert paper is not None
        paper.open_session(TRADED)
        for symbol, qty in bought.items():
            paper.order_by_hand(symbol, "buy", qty)
        paper.positions()  # this request lets the orders fill
        yield standing


def adjustments_of(desk: LocalDesk, bucket: str = "") -> list[dict[str, Any]]:
    """Return the entries that `adopt` and `release` have written, oldest first."""
    s3, place = desk.aws.client("s3"), bucket or desk.stack.bucket
    if not s3.list_objects_v2(Bucket=place, Prefix=ADJUSTMENTS).get("Contents"):
        return []
    entries: list[dict[str, Any]] = json.load(s3.get_object(Bucket=place, Key=ADJUSTMENTS)["Body"])
    return entries
