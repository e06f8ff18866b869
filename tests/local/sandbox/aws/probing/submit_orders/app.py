"""Owns a stand-in for a step."""

from probe import lambda_handler  # noqa: F401 - the name that the template gives
