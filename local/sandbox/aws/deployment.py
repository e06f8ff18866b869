"""Owns the deployment of a stack: code and template in S3, CloudFormation, keys and inbox."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from local.aws_clients import REGION
from local.problems import DeploymentProblem
from local.sandbox.aws.process import ACCOUNT
from local.sandbox.aws.quotas import TOO_MUCH_ENVIRONMENT
from local.sandbox.aws.template import describe_environment

CODE_BUCKET = "embedded-aws-code"
TEST_KEYS = {"key_id": "embedded-key", "secret_key": "embedded-secret"}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
DEPLOY_SECONDS = 120
NOTHING_TO_DO = "No updates are to be performed"


class Deployment:
    """The deployment of one stack; ``client`` returns the boto3 client of a service."""

    def __init__(self, stack: str, client: Callable[[str], Any], endpoint_url: str) -> None:
        self.stack = stack
        self._client = client
        self._endpoint_url = endpoint_url

    def put_code(self, content: bytes, kind: str = "zip") -> dict[str, str]:
        """Upload code or a definition to S3, and return its location."""
        s3 = self._client("s3")
        s3.create_bucket(Bucket=CODE_BUCKET)
        # CloudFormation updates a resource only when the S3 key of its code changes.
        key = f"{self.stack}/{hashlib.sha256(content).hexdigest()}.{kind}"
        code = {"Bucket": CODE_BUCKET, "Key": key}
        s3.put_object(**code, Body=content)
        return code

    def apply(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> dict[str, str]:
        """Create or update the stack, and return its outputs.

        Raises
        ------
        DeploymentProblem
            If CloudFormation refuses; the message has its reason.
        """
        cloudformation = self._client("cloudformation")
        request = {
            "StackName": self.stack,
            "TemplateURL": self._put_template(template),
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
            raise DeploymentProblem(f"{self.stack} cannot be deployed: {error}") from error
        return self._outputs(template)

    def put_keys(self, name: str, keys: Mapping[str, str] | None) -> None:
        """Write the broker's keys; None writes test keys if the stack has no keys yet."""
        ssm = self._client("ssm")
        try:
            ssm.put_parameter(
                Name=name,
                Value=json.dumps(dict(keys or TEST_KEYS)),
                Type="SecureString",
                Overwrite=keys is not None,
            )
        except ssm.exceptions.ParameterAlreadyExists:
            return  # existing keys stay, as on AWS

    def subscribe(self, topic_arn: str) -> str:
        """Make sure that a queue is subscribed to the topic, and return the queue's URL."""
        queue = f"{self.stack}-inbox"
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
        sqs = self._client("sqs")
        url: str = sqs.create_queue(QueueName=queue)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self._client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        return url

    def _update(self, request: Mapping[str, Any]) -> None:
        cloudformation = self._client("cloudformation")
        try:
            cloudformation.update_stack(**request)
        except cloudformation.exceptions.ClientError as error:
            if NOTHING_TO_DO not in str(error):
                raise DeploymentProblem(f"{self.stack} cannot be updated: {error}") from error

    def _put_template(self, template: Mapping[str, Any]) -> str:
        key = f"{self.stack}/template.json"
        body = json.dumps(template).encode()
        self._client("s3").put_object(Bucket=CODE_BUCKET, Key=key, Body=body)
        return f"{self._endpoint_url}/{CODE_BUCKET}/{key}"

    def _outputs(self, template: Mapping[str, Any]) -> dict[str, str]:
        cloudformation = self._client("cloudformation")
        until = time.monotonic() + DEPLOY_SECONDS
        while True:
            (description,) = cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
            status = description["StackStatus"]
            if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return {
                    output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]
                }
            if not status.endswith("_IN_PROGRESS") or time.monotonic() > until:
                raise DeploymentProblem(f"{self.stack} {self._describe_end(status, template)}")
            time.sleep(0.02)

    def _describe_end(self, status: str, template: Mapping[str, Any]) -> str:
        events = self._client("cloudformation").describe_stack_events(StackName=self.stack)[
            "StackEvents"
        ]
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
