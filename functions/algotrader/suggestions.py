"""Owns the suggestions for an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_AT_MOST = 3


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that resemble a name, the most similar first."""
    wanted = name.lower()
    by_lower = {each.lower(): each for each in known}
    if wanted in by_lower:
        return [by_lower[wanted]]
    close = difflib.get_close_matches(wanted, by_lower, n=_AT_MOST, cutoff=0.6)
    within = sorted(each for each in by_lower if wanted and wanted in each and each not in close)
    return [by_lower[each] for each in (close + within)[:_AT_MOST]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Format the nearest known names as ``; did you mean x or y?``.

    Return an empty string if none is near.
    """
    near = nearest(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""
