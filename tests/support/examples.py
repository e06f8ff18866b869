"""Owns how hard a property is tried: as often as it asks for, or as often as EXAMPLES says."""

from __future__ import annotations

import os

from hypothesis import settings


def tried(times: int) -> settings:
    """Try a property on so many examples; ``make test EXAMPLES=1000`` on as many as that."""
    return settings(max_examples=int(os.environ.get("EXAMPLES") or times))
