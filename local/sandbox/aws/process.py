"""Owns ministack's process: its clean environment and its folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.aws_clients import REGION
from local.problems import DeploymentProblem
from local.server_process import LOOPBACK, ServerProcess, StartError

ACCOUNT = "000000000000"
MAIN = Path(__file__).with_name("ministack_main.py")
DOCKER_SECONDS = "60"


class MinistackProcess:
    """A ministack process on a free port, with its own folders.

    `local.sandbox.aws.embedded.EmbeddedAws` describes the parameters.
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
        self.server: ServerProcess

    @property
    def endpoint_url(self) -> str:
        """The URL of every service."""
        return self.server.url

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self.server = ServerProcess("algo-trader-aws-", self._host)
        try:
            for name in ("tmp", "state", "s3"):
                (self.server.folder / name).mkdir()
            self.server.launch([sys.executable, "-P", str(MAIN)], self._environment())
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Wait for the first answer.

        Raises
        ------
        DeploymentProblem
            If ministack does not answer; the message has the end of its log.
        """
        try:
            self.server.wait_until_ready("/_ministack/health")
        except StartError as error:
            raise DeploymentProblem(f"the embedded AWS did not start: {error}") from error

    def stop(self) -> None:
        """End the process and every process that it started, and remove its folders."""
        self.server.stop()

    def _environment(self) -> dict[str, str]:
        """Return the environment of ministack and the functions, without the user's variables."""
        folder = self.server.folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",  # as in the images
            "TMPDIR": str(folder / "tmp"),
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
            "GATEWAY_PORT": str(self.server.port),
            "BIND_HOST": self._host,
            "MINISTACK_HOST": self._host,
            "SFN_WAIT_SCALE": str(self._wait_scale),
            "AUTH": str(self._enforce_iam).lower(),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": self._docker_host or f"unix://{folder}/no-docker",
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
