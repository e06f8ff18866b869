"""Owns the stand-in of a step: it only probes."""

from probe import lambda_handler  # noqa: F401 - the name that the template gives
