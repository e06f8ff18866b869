"""Owns the one error of the embedded AWS."""

from __future__ import annotations


class DeploymentProblem(Exception):  # noqa: N818 - what a user reads is its text
    """A stack cannot be deployed: a parameter is wrong, or CloudFormation says why."""
