"""Owns the table of image sizes, cold starts and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

HEADROOM = 1.4
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Measure:
    """The measures of one step.

    Attributes
    ----------
    image_bytes, own_bytes : int
        The size of the whole image, and the part above the base image.
    cold_seconds, warm_seconds : float
        Time from the start to the first answer, and time of a second answer.
    peaks : dict of str to float
        Peak memory of a container in MiB, by task.
    memory : int
        The step's MemorySize, in MiB.
    """

    image_bytes: int = 0
    own_bytes: int = 0
    cold_seconds: float = 0.0
    warm_seconds: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)
    memory: int = 0


Measures = dict[str, Measure]
MEASURES = pytest.StashKey[Measures]()


def table(measures: Mapping[str, Measure]) -> str:
    """Format the measures, one step per line."""
    head = f"{'step':20}{'image MB':>10}{'own MB':>8}{'cold s':>8}{'warm s':>8}"
    lines = [f"{head}{'peak MiB':>10}{'MemorySize':>12}"]
    for step, it in measures.items():
        peak = max(it.peaks.values(), default=0.0)
        lines.append(
            f"{step:20}{it.image_bytes / MEGABYTE:10.0f}{it.own_bytes / MEGABYTE:8.0f}"
            f"{it.cold_seconds:8.2f}{it.warm_seconds:8.2f}{peak:10.0f}{it.memory:12}"
        )
    return "\n".join(lines) + "\n"


def assert_headroom(step: str, peak: float, memory: int) -> None:
    """Check a step's MemorySize against a measured peak."""
    assert peak * HEADROOM <= memory, (
        f"{step} held {peak:.0f} MiB: MemorySize {memory} must be at least {peak * HEADROOM:.0f}"
    )
