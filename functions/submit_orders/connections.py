"""Owns how a call sends several orders at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")

#: How many orders a call sends at the same time. Each has a broker of its own, because an HTTP
#: session is not safe for several threads.
CONNECTIONS = 8


class RunAll(Protocol):
    """Runs pieces of work, in any order, and returns their results in the given order."""

    def __call__(self, works: Sequence[Callable[[], T]]) -> list[T]:
        """Return once all of them have ended."""


def run_at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run each piece of work in a thread of its own."""
    with ThreadPoolExecutor(max(len(works), 1)) as pool:
        return list(pool.map(lambda work: work(), works))
