"""Owns a child process that serves HTTP: its socket, its start, its log, and its end."""

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

open_url = build_opener(ProxyHandler({})).open  # never use a proxy to reach this machine

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
LOG_TAIL = 2000


class StartError(RuntimeError):
    """The child does not answer; the message has the end of its log."""


class ServerProcess:
    """A child process that serves our socket and ends with this process.

    The socket listens before the child starts, so that no other process can take its port. The
    child calls `end_with_parent`; it works in its own folder, which is removed at its end.

    Parameters
    ----------
    prefix : str
        Start of its folder's name.
    host : str
        The address of this machine to listen on.
    port : int
        Where to listen there; 0 takes a free port.

    Raises
    ------
    OSError
        If nothing can listen there.
    """

    def __init__(self, prefix: str, host: str = LOOPBACK, port: int = 0) -> None:
        self._listening = socket.create_server((host, port))
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int | None:
        """The child's process id; None before its start and after its end."""
        return self._process.pid if self._process else None

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the child without waiting; its last argument is the socket's descriptor."""
        with self._listening as listening, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(listening.fileno())],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle
            )

    def wait_until_ready(self, path: str) -> None:
        """Wait until the child answers a GET.

        Raises
        ------
        StartError
            If it does not.
        """
        try:
            # The socket listens from the start, so the answer comes as soon as the server is ready.
            open_url(self.url + path, timeout=START_SECONDS).close()
        except (OSError, HTTPException) as error:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
            raise StartError(f"{error} {tail.strip()}") from error

    def stop(self) -> None:
        """Kill the child and every process that it started, and remove its folder.

        The child leads a process group. It is reaped after the group is killed, so that no other
        group can have the same id by then.
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
    """End this child when its parent ends; the child calls this function first.

    Standard input is a pipe that the parent holds open and never writes to. When the parent ends,
    however that happens, the pipe closes: the working folder is removed, and this process group is
    killed.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
