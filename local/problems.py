"""Owns the errors whose message is one line for a command's user."""

from __future__ import annotations


class UsageProblem(Exception):  # noqa: N818 - a person reads it
    """Wrong usage or configuration; the command has started and changed nothing."""


class DeploymentProblem(Exception):  # noqa: N818 - a person reads it
    """The embedded AWS did not start, or a stack could not be deployed in it."""
