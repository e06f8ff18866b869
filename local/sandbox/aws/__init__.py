"""Owns AWS on this machine: the real template.yaml, deployed into ministack on loopback."""

from local.problems import DeploymentProblem
from local.sandbox.aws.embedded import EmbeddedAws
from local.sandbox.aws.stack import Stack, Text

__all__ = ["DeploymentProblem", "EmbeddedAws", "Stack", "Text"]
