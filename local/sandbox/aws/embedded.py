"""Owns the embedded AWS: one ministack, its clients, and deploying the real template into it."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from local.problems import DeploymentProblem
from local.sandbox.aws.bootstrap import bootstrap_zip, runtime_command
from local.sandbox.aws.process import ACCOUNT, REGION, MinistackProcess
from local.sandbox.aws.quotas import TOO_MUCH_ENVIRONMENT
from local.sandbox.aws.stack import Stack
from local.sandbox.aws.template import (
    CHECKOUT,
    TEMPLATE,
    check_parameters,
    check_values,
    describe_environment,
    embed,
    locate_definition,
    read_definition,
    read_template,
)
from local.server_process import LOOPBACK

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]

FUNCTIONS = CHECKOUT / "functions"
CODE_BUCKET = "embedded-aws-code"
TEST_KEYS = {"key_id": "embedded-key", "secret_key": "embedded-secret"}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
DEPLOY_SECONDS = 120
NOTHING_TO_DO = "No updates are to be performed"


class EmbeddedAws:
    """AWS on this machine, for the length of a ``with`` block.

    Parameters
    ----------
    wait_scale : float
        Factor on the state machine's waits and retry delays; 1 is real time, 0 skips them.
    own_loop : bool or None
        Whether handlers are served by our own loop in place of awslambdaric; None lets the system
        decide.
    enforce_iam : bool
        Whether every call is checked against the policies in the template, as on AWS. Without it
        any credentials may do anything.
    host : str
        The address of this machine that it listens on; containers cannot reach the loopback.
    docker_host : str or None
        The Docker engine that runs image functions, as ``DOCKER_HOST`` names it; None keeps it
        away from any.
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
        """Start it, and wait until it answers."""
        self._process.launch()
        try:
            self.client("s3")  # boto3 loads while ministack starts
            self._process.wait_until_ready()
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it with every process that it started."""
        self._process.stop()

    @property
    def endpoint_url(self) -> str:
        """Where every service answers, for ``AWS_ENDPOINT_URL``."""
        return self._process.endpoint_url

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service; the user's own AWS settings do not matter to it."""
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
        """Deploy the real template, or update a stack that is there.

        Parameters
        ----------
        stack : str
            The stack's name.
        parameters : mapping
            As ``sam deploy --parameter-overrides`` takes them; the others keep their defaults.
        functions : Path
            The import root of the handlers.
        keys : mapping or None
            ``key_id`` and ``secret_key`` for the keys' SecureString; None writes ones that only a
            paper broker here would take, where none are yet.
        rewrite : callable or None
            A last change to the template before it is deployed, for tests.
        tags : mapping or None
            Tags of the stack.

        Raises
        ------
        DeploymentProblem
            When a parameter is unknown or not allowed, a value is null, or CloudFormation refuses.
        """
        template = read_template(TEMPLATE)
        check_values(template)
        check_parameters(template, parameters)
        command = runtime_command(own_loop=self._own_loop)
        code = self._put_code(stack, bootstrap_zip(functions, command))
        embedded = embed(template, read_definition(template), code)
        template = rewrite(embedded) if rewrite else embedded
        return self._deploy(stack, template, parameters, keys, tags or {})

    def deploy_built(
        self,
        stack: str,
        parameters: Mapping[str, str],
        built: Path,
        *,
        keys: Mapping[str, str] | None = None,
    ) -> Stack:
        """Deploy what ``sam build`` left, as it is; image functions run in their containers.

        Only the definition is put into S3, as ``sam package`` does, but as JSON: ministack reads no
        YAML. So the schedules ring, in UTC, unless the parameters turn them off. The bucket has its
        real policy, by which an `EmbeddedAws` that enforces IAM denies every call without TLS.

        Parameters
        ----------
        built : Path
            The template among what was built.

        Raises
        ------
        DeploymentProblem
            As `deploy` does.
        """
        template = read_template(built)
        check_values(template)
        check_parameters(template, parameters)
        definition = read_definition(template, built.parent)
        location = self._put_code(stack, json.dumps(definition).encode(), "json")
        packaged = locate_definition(template, location)
        return self._deploy(stack, packaged, parameters, keys, {})

    def _deploy(
        self,
        stack: str,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        keys: Mapping[str, str] | None,
        tags: Mapping[str, str],
    ) -> Stack:
        outputs = self._apply(stack, template, parameters, tags)
        self._put_keys(outputs["AlpacaKeysParameter"], keys)
        return Stack(self.client, stack, outputs, self._subscribe(stack, outputs["TopicArn"]))

    def _make_client(self, service: str) -> Any:
        from local import aws_clients  # noqa: PLC0415 - loads boto3 while ministack starts

        if self._session is None:
            self._session = aws_clients.make_session()
        return aws_clients.make_client(self._session, service, self.endpoint_url)

    def _put_code(self, stack: str, content: bytes, kind: str = "zip") -> dict[str, str]:
        s3 = self.client("s3")
        s3.create_bucket(Bucket=CODE_BUCKET)
        # CloudFormation updates a resource only when the key of its code changes.
        key = f"{stack}/{hashlib.sha256(content).hexdigest()}.{kind}"
        code = {"Bucket": CODE_BUCKET, "Key": key}
        s3.put_object(**code, Body=content)
        return code

    def _apply(
        self,
        stack: str,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> dict[str, str]:
        cloudformation = self.client("cloudformation")
        request = {
            "StackName": stack,
            "TemplateURL": self._put_template(stack, template),
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            "Capabilities": CAPABILITIES,
            "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
        }
        try:
            cloudformation.create_stack(**request)
        except cloudformation.exceptions.AlreadyExistsException:
            self._update(request)
        except cloudformation.exceptions.ClientError as error:
            raise DeploymentProblem(f"{stack} cannot be deployed: {error}") from error
        return self._outputs(stack, template)

    def _update(self, request: Mapping[str, Any]) -> None:
        cloudformation = self.client("cloudformation")
        try:
            cloudformation.update_stack(**request)
        except cloudformation.exceptions.ClientError as error:
            if NOTHING_TO_DO not in str(error):
                raise DeploymentProblem(
                    f"{request['StackName']} cannot be updated: {error}"
                ) from error

    def _put_template(self, stack: str, template: Mapping[str, Any]) -> str:
        key = f"{stack}/template.json"
        body = json.dumps(template).encode()
        self.client("s3").put_object(Bucket=CODE_BUCKET, Key=key, Body=body)
        return f"{self.endpoint_url}/{CODE_BUCKET}/{key}"

    def _outputs(self, stack: str, template: Mapping[str, Any]) -> dict[str, str]:
        cloudformation = self.client("cloudformation")
        until = time.monotonic() + DEPLOY_SECONDS
        while True:
            (description,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
            status = description["StackStatus"]
            if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return {
                    output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]
                }
            if not status.endswith("_IN_PROGRESS") or time.monotonic() > until:
                raise DeploymentProblem(f"{stack} {self._describe_end(stack, status, template)}")
            time.sleep(0.02)

    def _describe_end(self, stack: str, status: str, template: Mapping[str, Any]) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        reasons = {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason given")
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        }
        for name, reason in reasons.items():
            _, is_environment, variables = reason.partition(TOO_MUCH_ENVIRONMENT)
            if is_environment:
                said = describe_environment(template, name, json.loads(variables))
                return f"cannot be deployed: {said}"
        said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return f"ended in {status}: {said or 'no reason given'}"

    def _put_keys(self, name: str, keys: Mapping[str, str] | None) -> None:
        ssm = self.client("ssm")
        try:
            ssm.put_parameter(
                Name=name,
                Value=json.dumps(dict(keys or TEST_KEYS)),
                Type="SecureString",
                Overwrite=keys is not None,
            )
        except ssm.exceptions.ParameterAlreadyExists:
            return  # what was put there stays, as on AWS

    def _subscribe(self, stack: str, topic_arn: str) -> str:
        """Subscribe a queue to the topic; doing it again for the same stack changes nothing."""
        queue = f"{stack}-inbox"
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            },
        }
        sqs = self.client("sqs")
        url: str = sqs.create_queue(QueueName=queue)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        return url
