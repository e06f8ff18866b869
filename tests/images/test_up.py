"""The command that starts everything for sam local invoke, as a user types it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.images.commands import CHECKOUT, sam

pytestmark = pytest.mark.images

COMMAND = [str(CHECKOUT / ".venv" / "bin" / "algo-trader"), "up", "--host", "docker"]
LAST_LINE = "Ctrl-C stops everything."
END_SECONDS = 20


@pytest.fixture(scope="module")
def reported() -> Iterator[list[str]]:
    """Start the command, yield its output once everything is up, and end it like Ctrl-C."""
    with subprocess.Popen(COMMAND, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        try:
            for line in process.stdout:
                lines.append(line.strip())
                if lines[-1] == LAST_LINE:
                    break
            yield lines
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            finally:
                process.kill()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("function", ["FetchBars", "Notify"])
def test_a_line_that_it_prints_runs_a_step_against_what_stands(
    reported: list[str], function: str
) -> None:
    (line,) = (each for each in reported if each.startswith(f"sam local invoke {function} "))
    done = sam(*shlex.split(line)[1:])
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "errorType" not in answer
    assert {"FetchBars": "outcome", "Notify": "sms"}[function] in answer
