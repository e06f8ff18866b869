"""A child process that serves a socket is ready when it answers, and ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.server_process import LOOPBACK, ServerProcess, StartError, open_url
from tests.support.checkout import CHECKOUT
from tests.support.processes import GONE_SECONDS, all_gone, is_alive

# The child answers each GET with its own process id and that of the process that it started.
CHILD = """
import http.server, pathlib, socket, subprocess, sys
from local.server_process import end_with_parent
end_with_parent()
other = subprocess.Popen(["sleep", "60"])
print("a line of the log", flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{other.pid} {pathlib.Path.cwd()}".encode())

server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(CHECKOUT)}
PARENT = f"""
import os, sys
from local.server_process import ServerProcess
server = ServerProcess("algo-trader-test-")
server.launch([sys.executable, "-c", {CHILD!r}], os.environ)
server.wait_until_ready("/")
print(server.pid, server.url, server.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    server = ServerProcess("algo-trader-test-")
    yield server
    server.stop()


def launch(server: ServerProcess, program: str) -> None:
    server.launch([sys.executable, "-c", program], ENVIRONMENT)


def answer_of(url: str) -> list[str]:
    with open_url(url, timeout=10) as answer:
        return str(answer.read().decode()).split()


def test_a_child_works_in_its_folder_and_nothing_of_it_is_left_when_it_is_stopped(
    server: ServerProcess,
) -> None:
    launch(server, CHILD)
    server.wait_until_ready("/")
    grandchild, folder = answer_of(server.url)
    child = server.pid
    assert child is not None
    assert is_alive(int(grandchild))
    assert Path(folder) == server.folder
    server.stop()
    assert all_gone([child, int(grandchild)])
    assert not server.folder.exists()
    assert server.pid is None
    server.stop()  # a second stop changes nothing


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_and_its_folder_go_with_a_parent_that_dies(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child, url, folder = parent.stdout.readline().split()
        grandchild, _ = answer_of(url)
        parent.send_signal(how)
        parent.wait(GONE_SECONDS)
    assert all_gone([int(child), int(grandchild)])
    assert not Path(folder).exists()


def test_a_child_that_ends_before_it_answers_is_reported_with_the_end_of_its_log(
    server: ServerProcess,
) -> None:
    launch(server, "raise SystemExit('x' * 3000 + 'no such module here')")
    with pytest.raises(StartError, match=r" x{1980}no such module here$"):
        server.wait_until_ready("/")


def test_a_port_in_use_is_refused_and_leaves_no_folder(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match="in use"):
        ServerProcess("algo-trader-test-", LOOPBACK, server.port)
    assert list(tmp_path.iterdir()) == []
