"""Owns the shape of a catalogue entry: one indicator class of `ta`, its parameters and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

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


class Arguments:
    """Arguments of an indicator, to be read as attributes: ``p.window``."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> int:
        """Return one argument; typed as what warm-ups are made of, since flags and factors may
        stand in a sum as well.
        """
        return cast("int", self._values[name])


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
    outputs: Mapping[str, Callable[[Arguments], int]]


def window(name: str, default: int) -> Parameter:
    """Describe a parameter that counts bars."""
    return Parameter(name, Kind.WINDOW, default)


def factor(name: str, default: float) -> Parameter:
    """Describe a parameter that multiplies."""
    return Parameter(name, Kind.FACTOR, default)


def flag(name: str, *, default: bool) -> Parameter:
    """Describe a parameter that switches."""
    return Parameter(name, Kind.FLAG, default)
