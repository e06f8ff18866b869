"""Owns how hard a property is tried: as often as it asks for, or as often as EXAMPLES says."""

from __future__ import annotations

import os

from hypothesis import settings


def examples(times: int) -> int:
    """Return so many, or as many as ``make test EXAMPLES=1000`` asks for."""
    return int(os.environ.get("EXAMPLES") or times)


def tried(times: int) -> settings:
    """Try a property on so many examples; ``make test EXAMPLES=1000`` on as many as that."""
    return settings(max_examples=examples(times))
