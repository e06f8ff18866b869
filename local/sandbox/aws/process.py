"""Owns ministack's process: its clean environment, its folders, its start and its end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from local.problems import DeploymentProblem

open_url = build_opener(ProxyHandler({})).open  # loopback is never behind a proxy

ACCOUNT = "000000000000"
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"
MAIN = Path(__file__).with_name("ministack_main.py")
START_SECONDS = 60
DOCKER_SECONDS = "60"
LOG_TAIL = 2000


class MinistackProcess:
    """A ministack on a free port of one address, in folders of its own.

    Parameters
    ----------
    wait_scale : float
        Factor on the state machine's waits and retry delays; 1 is real time, 0 skips them.
    enforce_iam : bool
        Whether calls are held against the template's roles, as on AWS.
    host : str
        The address of this machine that it listens on.
    docker_host : str or None
        The Docker engine that runs image functions; None keeps it away from any.
    """

    def __init__(
        self,
        wait_scale: float,
        *,
        enforce_iam: bool,
        host: str = LOOPBACK,
        docker_host: str | None = None,
    ) -> None:
        self._wait_scale = wait_scale
        self._enforce_iam = enforce_iam
        self._host = host
        self._docker_host = docker_host
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.folder: Path

    @property
    def endpoint_url(self) -> str:
        """Where every service answers."""
        return f"http://{self._host}:{self.port}"

    @property
    def log(self) -> Path:
        """The file of ministack's own log."""
        return self.folder / "ministack.log"

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self.folder = Path(tempfile.mkdtemp(prefix="algo-trader-aws-"))
        for name in ("tmp", "state", "s3"):
            (self.folder / name).mkdir()
        with socket.create_server((self._host, 0)) as listening, self.log.open("ab") as log:
            self.port = listening.getsockname()[1]
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(MAIN), str(listening.fileno())],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait for the first answer.

        Raises
        ------
        DeploymentProblem
            When none comes, with the end of its log.
        """
        try:
            # The socket listens from the start: the answer comes as soon as there is one.
            open_url(f"{self.endpoint_url}/_ministack/health", timeout=START_SECONDS).close()
        except (OSError, HTTPException) as error:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
            raise DeploymentProblem(f"the embedded AWS does not start: {error} {tail}") from error

    def stop(self) -> None:
        """End the process with all that it started, and remove its folders."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        """Kill the whole group at once: nothing in it is worth keeping, and asking takes a second.

        The process leads its own group and is reaped only afterwards, so that the group's id
        cannot be anyone else's by then.
        """
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def _environment(self) -> dict[str, str]:
        """Return all that ministack and the functions get; nothing of the user's own leaks in."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TMPDIR": str(self.folder / "tmp"),
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": self._host,
            "MINISTACK_HOST": self._host,
            "SFN_WAIT_SCALE": str(self._wait_scale),
            "AUTH": str(self._enforce_iam).lower(),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": self._docker_host or f"unix://{self.folder}/no-docker",
            "MINISTACK_DOCKER_TIMEOUT": DOCKER_SECONDS,
            "LOG_LEVEL": "WARNING",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
