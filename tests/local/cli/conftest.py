"""What the whole-run tests share: the command as installed, and one desk that stands for all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk

CHECKOUT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from local.cli import main; main()"]
# What a user's shell may hold and the run must not care for: dead proxies, AWS settings, colours.
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


@dataclass(frozen=True)
class Outcome:
    """How the command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


Command = Callable[..., Outcome]


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
    """Return another session at each call: the account of the shared desk never lives backward."""
    following = iter([day for day in desk.sessions() if day >= date(2010, 1, 4)])
    return lambda: next(following)
