"""Owns the catalog of `ta` without importing it: names, parameters, outputs and warm-ups."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from algotrader.errors import StrategyError
from algotrader.strategy.indicators.entries import Arguments, Kind, Parameter, TaClass, Value
from algotrader.strategy.indicators.names import CLASSES, NAMES, OUTPUTS
from algotrader.strategy.indicators.warm_up import LONGEST
from algotrader.suggestions import did_you_mean

__all__ = ["CLASSES", "NAMES", "OUTPUTS", "ResolvedIndicator", "resolve"]


class ResolvedIndicator(Struct, frozen=True):
    """A resolved declaration: a class of ``ta``, all its arguments, and the method to call.

    Attributes
    ----------
    arguments : dict
        A value for every parameter of the class, in its order; the default if not declared.
    warm_up : int
        Bars until the value is usable. For a finite window the count is exact. For recursive
        averages it is the number of bars after which the start's weight is negligible. Running
        totals take one year. Their level depends on the first bar of the look-back, and a fixed
        look-back makes live runs and backtests agree.
    """

    ta_class: TaClass
    output: str
    arguments: dict[str, Value]
    warm_up: int


def resolve(name: str, parameters: Mapping[str, object]) -> ResolvedIndicator:
    """Look up an indicator by any of its names and check its parameters.

    Raises
    ------
    StrategyError
        ``INDICATOR_UNKNOWN`` or ``INDICATOR_PARAMETER_INVALID``, with the nearest valid names.
    """
    output = NAMES.get(name) if isinstance(name, str) else None
    if output is None:
        raise _unknown(name)
    ta_class = OUTPUTS[output]
    known = {each.name: each for each in ta_class.parameters}
    for given in parameters:
        if given not in known:
            listed = ", ".join(known) or "none"
            raise StrategyError(
                "INDICATOR_PARAMETER_INVALID",
                f"Fix the strategy's indicators{did_you_mean(given, known)}; known: {listed}.",
                indicator=name,
                parameter=given,
            )
    arguments = {each.name: _argument(name, each, parameters) for each in ta_class.parameters}
    warm_up = ta_class.outputs[output](Arguments(arguments))
    if warm_up > LONGEST:
        raise StrategyError(
            "INDICATOR_PARAMETER_INVALID",
            f"Fix the strategy's indicators: this one would need more than {LONGEST} bars.",
            indicator=name,
            parameters=dict(parameters),
        )
    return ResolvedIndicator(ta_class, output, arguments, warm_up)


def _argument(indicator: str, parameter: Parameter, given: Mapping[str, object]) -> Value:
    """Return the given value after a check, or the default."""
    if parameter.name not in given:
        if parameter.required:
            raise StrategyError(
                "INDICATOR_PARAMETER_INVALID",
                f"Fix the strategy's indicators: {parameter.name} has no default, so set it to "
                f"{parameter.kind}.",
                indicator=indicator,
                parameter=parameter.name,
            )
        return parameter.default
    value = given[parameter.name]
    if isinstance(value, bool | int | float) and _fits(parameter.kind, value):
        return value
    if value is None and parameter.default is None and not parameter.required:
        return None
    raise StrategyError(
        "INDICATOR_PARAMETER_INVALID",
        f"Fix the strategy's indicators: {parameter.name} must be {parameter.kind}.",
        indicator=indicator,
        parameter=parameter.name,
        value=repr(value),
    )


def _fits(kind: Kind, value: float) -> bool:
    """Whether a value is of a kind; True and False do not count as numbers."""
    if kind is Kind.FLAG or isinstance(value, bool):
        return kind is Kind.FLAG and isinstance(value, bool)
    if kind is Kind.FACTOR:
        return math.isfinite(value) and value > 0
    lowest = 0 if kind is Kind.OFFSET else 1
    return isinstance(value, int) and lowest <= value <= LONGEST


def _unknown(name: str) -> StrategyError:
    """Build the error for an unknown name; for a class of ``ta`` it lists the outputs."""
    of_class = [each for each in CLASSES if each.name.lower() == str(name).lower()]
    if of_class:
        outputs = " or ".join(of_class[0].outputs)
        hint = f"; {of_class[0].name} is a class, so name its output: {outputs}"
    else:
        hint = did_you_mean(str(name), NAMES)
    return StrategyError(
        "INDICATOR_UNKNOWN",
        f"Fix the strategy's indicators{hint}; docs/indicators.md lists all.",
        indicator=name,
    )
