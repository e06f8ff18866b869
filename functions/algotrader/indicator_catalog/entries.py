"""Owns the shape of a catalogue entry: one indicator class of `ta`, its parameters and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace

Value = bool | int | float | None


class Kind(StrEnum):
    """What a parameter may be; the value is how a message spells it."""

    WINDOW = "a whole number of bars, at least 1"
    OFFSET = "a whole number of bars, at least 0"
    FACTOR = "a number greater than 0"
    FLAG = "True or False"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the ``ta`` class names it; a required one has no default in ``ta``."""

    name: str
    kind: Kind
    default: Value = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class TaClass:
    """One indicator class of ``ta``.

    Attributes
    ----------
    group : str
        Module of ``ta``: momentum, volatility, trend, volume or others.
    inputs : tuple of str
        Columns that it is made of: high, low, close, volume.
    outputs : mapping of str to callable
        Its methods, each with the bars that its value needs, given the parameters.
    """

    group: str
    name: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: Mapping[str, Callable[[SimpleNamespace], int]]


def window(name: str, default: int) -> Parameter:
    """Describe a parameter that counts bars."""
    return Parameter(name, Kind.WINDOW, default)


def factor(name: str, default: float) -> Parameter:
    """Describe a parameter that multiplies."""
    return Parameter(name, Kind.FACTOR, default)


def flag(name: str, *, default: bool) -> Parameter:
    """Describe a parameter that switches."""
    return Parameter(name, Kind.FLAG, default)
