"""Owns the number of examples for a property: its own number, or ``EXAMPLES`` if that is set."""

from __future__ import annotations

import os

from hypothesis import settings


def examples(times: int) -> int:
    """Return ``times``, or ``EXAMPLES`` if it is set, as in ``make test EXAMPLES=1000``."""
    return int(os.environ.get("EXAMPLES") or times)


def tried(times: int) -> settings:
    """Return Hypothesis settings for a number of `examples`."""
    return settings(max_examples=examples(times))
