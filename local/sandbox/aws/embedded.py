"""Owns the embedded AWS: a ministack process, its clients, and its deployments."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Self

from local.sandbox.aws.bootstrap import bootstrap_zip, runtime_command
from local.sandbox.aws.deployment import Deployment
from local.sandbox.aws.process import MinistackProcess
from local.sandbox.aws.stack import Stack
from local.sandbox.aws.template import (
    CHECKOUT,
    TEMPLATE,
    check_parameters,
    check_values,
    embed,
    locate_definition,
    read_definition,
    read_template,
)
from local.server_process import LOOPBACK

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]

FUNCTIONS = CHECKOUT / "functions"


class EmbeddedAws:
    """AWS on this machine, which runs for the duration of a ``with`` block.

    Parameters
    ----------
    wait_scale : float
        Factor on the state machine's waits and retry delays; 1 is real time, 0 skips them.
    own_loop : bool or None
        Whether our own loop serves the handlers instead of awslambdaric. None uses awslambdaric on
        Linux only.
    enforce_iam : bool
        Whether ministack checks every call against the template's policies, as AWS does. Without
        the check, any credentials can do anything.
    host : str
        The address of this machine to listen on. Containers cannot reach the loopback address.
    docker_host : str or None
        The Docker engine that runs image functions, in the form of ``DOCKER_HOST``. With None,
        ministack uses no Docker engine.
    """

    def __init__(
        self,
        wait_scale: float = 1.0,
        *,
        own_loop: bool | None = None,
        enforce_iam: bool = True,
        host: str = LOOPBACK,
        docker_host: str | None = None,
    ) -> None:
        self._process = MinistackProcess(
            wait_scale, enforce_iam=enforce_iam, host=host, docker_host=docker_host
        )
        self._own_loop = not sys.platform.startswith("linux") if own_loop is None else own_loop
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Start ministack and wait until it answers."""
        self._process.launch()
        try:
            self.client("s3")  # boto3 loads while ministack starts
            self._process.wait_until_ready()
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        """End ministack and every process that it started."""
        self._process.stop()

    @property
    def endpoint_url(self) -> str:
        """The URL of every service, for ``AWS_ENDPOINT_URL``."""
        return self._process.endpoint_url

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, independent of the user's own AWS settings."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    def deploy(
        self,
        stack: str,
        parameters: Mapping[str, str],
        functions: Path = FUNCTIONS,
        *,
        keys: Mapping[str, str] | None = None,
        rewrite: Rewrite | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Stack:
        """Deploy the real template, or update an existing stack.

        Parameters
        ----------
        stack : str
            The stack's name.
        parameters : mapping
            Values for ``sam deploy --parameter-overrides``; other parameters keep their defaults.
        functions : Path
            The import root of the handlers.
        keys : mapping or None
            ``key_id`` and ``secret_key`` for the SecureString. With None, a stack without keys gets
            test keys that only a local paper broker accepts.
        rewrite : callable or None
            Changes the template just before the deployment; tests use it.
        tags : mapping or None
            The stack's tags.

        Raises
        ------
        DeploymentProblem
            If a parameter is unknown or its value is not allowed, if the template contains a null,
            or if CloudFormation refuses.
        """
        template = read_template(TEMPLATE)
        check_values(template)
        check_parameters(template, parameters)
        command = runtime_command(own_loop=self._own_loop)
        deployment = Deployment(stack, self.client, self.endpoint_url)
        code = deployment.put_code(bootstrap_zip(functions, command))
        embedded = embed(template, read_definition(template), code)
        template = rewrite(embedded) if rewrite else embedded
        return self._finish(deployment, template, parameters, keys, tags or {})

    def deploy_built(
        self,
        stack: str,
        parameters: Mapping[str, str],
        built: Path,
        *,
        keys: Mapping[str, str] | None = None,
    ) -> Stack:
        """Deploy the result of ``sam build`` unchanged; image functions run in their containers.

        Like ``sam package``, this method uploads the definition to S3, but as JSON because
        ministack cannot read YAML. The schedules start runs, in UTC, unless the parameters turn
        them off. The bucket keeps its real policy, so an `EmbeddedAws` that enforces IAM denies
        every call without TLS.

        Parameters
        ----------
        built : Path
            The path of the built template.

        Raises
        ------
        DeploymentProblem
            As in `deploy`.
        """
        template = read_template(built)
        check_values(template)
        check_parameters(template, parameters)
        definition = read_definition(template, built.parent)
        deployment = Deployment(stack, self.client, self.endpoint_url)
        location = deployment.put_code(json.dumps(definition).encode(), "json")
        packaged = locate_definition(template, location)
        return self._finish(deployment, packaged, parameters, keys, {})

    def _finish(
        self,
        deployment: Deployment,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        keys: Mapping[str, str] | None,
        tags: Mapping[str, str],
    ) -> Stack:
        outputs = deployment.apply(template, parameters, tags)
        deployment.put_keys(outputs["AlpacaKeysParameter"], keys)
        queue = deployment.subscribe(outputs["TopicArn"])
        return Stack(self.client, deployment.stack, outputs, queue)

    def _make_client(self, service: str) -> Any:
        from local import aws_clients  # noqa: PLC0415 - loads boto3 while ministack starts

        if self._session is None:
            self._session = aws_clients.make_session()
        return aws_clients.make_client(self._session, service, self.endpoint_url)
