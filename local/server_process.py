"""Owns a child process that serves HTTP: its socket, startup, log, and shutdown."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

open_url = build_opener(ProxyHandler({})).open  # no proxy, because the server is on this machine

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
LOG_TAIL = 2000


class StartError(RuntimeError):
    """The child does not answer; the message contains the end of its log."""


class ServerProcess:
    """A child process that serves our socket and ends with this process.

    The socket listens before the child starts, so no other process can take the port. The child
    must call `end_with_parent`. It works in a folder of its own, which `stop` removes.

    Parameters
    ----------
    prefix : str
        The start of the folder's name.
    port : int
        0 takes a free port.

    Raises
    ------
    OSError
        If this machine cannot listen at that address.
    """

    def __init__(self, prefix: str, host: str = LOOPBACK, port: int = 0) -> None:
        self._listening = socket.create_server((host, port))
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port that the socket listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int | None:
        """The child's process id; None before `launch` and after `stop`."""
        return self._process.pid if self._process else None

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the child, with the socket's descriptor as its last argument, and do not wait."""
        with self._listening as listening, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(listening.fileno())],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
                start_new_session=True,  # only this process must receive Ctrl-C
            )

    def wait_until_ready(self, path: str) -> None:
        """Wait until the child answers a GET.

        Raises
        ------
        StartError
            If the child does not answer in time.
        """
        try:
            # The socket already listens, so the request waits until the server is ready.
            open_url(self.url + path, timeout=START_SECONDS).close()
        except (OSError, HTTPException) as error:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
            raise StartError(f"{error} {tail.strip()}") from error

    def stop(self) -> None:
        """Kill the child and every process that it started, and remove its folder.

        The child leads a process group. Kill the group before reaping the child, because after that
        another group could get the same id.
        """
        self._listening.close()
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"


def end_with_parent() -> None:
    """End this child when its parent ends; the child must call this function first.

    Standard input is a pipe that the parent keeps open and never writes to. When the parent ends
    for any reason, the pipe closes. Then the child removes its working folder and kills its process
    group.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
