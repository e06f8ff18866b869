"""Owns AWS on this machine: the real template.yaml, deployed into ministack on loopback."""

from local.embedded_aws.embedded import EmbeddedAws
from local.embedded_aws.problems import DeploymentProblem
from local.embedded_aws.stack import Stack, Text

__all__ = ["DeploymentProblem", "EmbeddedAws", "Stack", "Text"]
