"""Owns the template as CloudFormation would see it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from local.sandbox.aws.template import read_template

REGION = "us-east-1"
IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/desk:tag"


class NoManagedPolicies:
    """Stands in for IAM, because the template names no managed policy."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return read_template()


@pytest.fixture(scope="session")
def transformed(template: dict[str, Any]) -> dict[str, Any]:
    """The template after the SAM transform, with image names as from `sam build`."""
    built = copy.deepcopy(template)
    for resource in built["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["ImageUri"] = IMAGE
        if resource["Type"] == "AWS::Serverless::StateMachine":
            properties["DefinitionUri"] = {"Bucket": "packaged", "Key": "trading.asl"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        result: dict[str, Any] = transform(built, {}, NoManagedPolicies())
    return result
