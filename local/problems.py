"""Owns the errors whose message is one line for the user of a command."""

from __future__ import annotations


class UsageProblem(Exception):  # noqa: N818 - a person reads it
    """Wrong usage or configuration; nothing was started or changed."""


class DeploymentProblem(Exception):  # noqa: N818 - a person reads it
    """The embedded AWS does not start, or a stack cannot be deployed in it."""
