"""Owns the form of a catalog entry: one indicator class of `ta`, its parameters and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

Value = bool | int | float | None

#: Prefix of an output's name if the output is `ta`'s value of an indicator that we define.
TA_PREFIX = "ta_"


class Kind(StrEnum):
    """The kind of a parameter; the value is the phrase for messages."""

    WINDOW = "a whole number of bars, at least 1"
    OFFSET = "a whole number of bars, at least 0"
    FACTOR = "a number greater than 0"
    FLAG = "True or False"


class Parameter(Struct, frozen=True):
    """One parameter of a ``ta`` class; a required one has no default in ``ta``."""

    name: str
    kind: Kind
    default: Value = None
    required: bool = False


class Arguments:
    """Arguments of an indicator, as attributes: ``p.window``."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> int:
        """Return one argument, typed as int because warm-ups add windows, flags and factors."""
        return cast("int", self._values[name])


class TaClass(Struct, frozen=True):
    """One indicator class of ``ta``.

    Attributes
    ----------
    group : str
        Module of ``ta``: momentum, volatility, trend, volume or others.
    inputs : tuple of str
        Columns that the class reads: high, low, close, volume.
    outputs : mapping of str to callable
        Methods, each with a function that computes the needed bars from the arguments. An output
        that starts with `TA_PREFIX` is the method without the prefix.
    own : bool
        True if the outputs have the published definition, which `algotrader.indicators` computes.
        `as_of_ta` is then the entry for the values of ``ta``.
    """

    group: str
    name: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: Mapping[str, Callable[[Arguments], int]]
    own: bool = False

    def as_of_ta(self) -> TaClass:
        """Return the same class with the values that ``ta`` itself computes."""
        outputs = {TA_PREFIX + output: warm_up for output, warm_up in self.outputs.items()}
        return replace(self, outputs=outputs, own=False)


def ta_class(
    group: str,
    name: str,
    inputs: str,
    parameters: tuple[Parameter, ...],
    **outputs: Callable[[Arguments], int],
) -> TaClass:
    """Build a catalog entry; ``inputs`` are the columns, with spaces between them."""
    return TaClass(group, name, tuple(inputs.split()), parameters, outputs)


def own_class(
    group: str,
    name: str,
    inputs: str,
    parameters: tuple[Parameter, ...],
    **outputs: Callable[[Arguments], int],
) -> TaClass:
    """Build a catalog entry whose outputs have the published definition."""
    return replace(ta_class(group, name, inputs, parameters, **outputs), own=True)


def windows(**defaults: int) -> tuple[Parameter, ...]:
    """Build parameters that count bars."""
    return tuple(Parameter(name, Kind.WINDOW, default) for name, default in defaults.items())


def factor(name: str, default: float) -> Parameter:
    """Build a parameter that is a factor."""
    return Parameter(name, Kind.FACTOR, default)


def flag(name: str, *, default: bool) -> Parameter:
    """Build a parameter that is True or False."""
    return Parameter(name, Kind.FLAG, default)
