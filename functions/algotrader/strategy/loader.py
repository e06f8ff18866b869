"""Owns the loading of a strategy, and the checks of its declarations before a run fetches bars."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import threading
from collections.abc import Mapping

from algotrader.errors import ConfigurationError, DeskError, StrategyError
from algotrader.orders.ids import SYMBOL_PATTERN
from algotrader.strategy.base import Indicator, Strategy
from algotrader.strategy.indicators.warm_up import LONGEST
from algotrader.strategy.required_limits import find_flaw
from algotrader.suggestions import did_you_mean

STRATEGIES_PACKAGE = "strategies"
_SHA256 = re.compile("[0-9a-f]{64}")
# A thread must not forget modules that another one is importing.
_LOADING = threading.Lock()


def strategy_names() -> list[str]:
    """Return the names of the strategies: the modules of the ``strategies`` package, sorted.

    A module whose name starts with an underscore is a helper, not a strategy.
    """
    package = importlib.import_module(STRATEGIES_PACKAGE)
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load_strategy(name: str, parameters: Mapping[str, object]) -> Strategy:
    """Import ``strategies/<name>.py`` afresh and build the strategy that it defines.

    A warm function would otherwise keep the globals of the file, and of what it imports from
    ``strategies``, from one run to the next.

    Parameters
    ----------
    name : str
        Module name, for example ``momentum_rotation``.
    parameters : Mapping of str to bool, int, float or str
        The template's ``StrategyParameters``.

    Raises
    ------
    ConfigurationError
        ``STRATEGY_UNKNOWN``, ``STRATEGY_PARAMETER_UNKNOWN`` or ``STRATEGY_PARAMETER_INVALID``.
    StrategyError
        ``STRATEGY_BROKEN`` if the file cannot be imported, does not define exactly one Strategy, or
        declares something invalid. ``INDICATOR_UNKNOWN`` or
        ``INDICATOR_PARAMETER_INVALID`` for its indicators.
    """
    names = strategy_names()
    if name not in names:
        raise ConfigurationError(
            "STRATEGY_UNKNOWN",
            "Set the template's Strategy to the name of a file in functions/strategies"
            f"{did_you_mean(name, names)}; known: {', '.join(names)}.",
            strategy=name,
        )
    with _LOADING:
        _forget_modules()
        strategy_class = _strategy_class(name)
    try:
        strategy = strategy_class(**parameters)
        _check_declarations(name, strategy)
    except DeskError:
        raise
    except ValueError as error:
        raise ConfigurationError(
            "STRATEGY_PARAMETER_INVALID",
            "Fix the template's StrategyParameters.",
            strategy=name,
            error=str(error),
        ) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, "its class cannot be created.", error=repr(error)) from error
    return strategy


def _forget_modules() -> None:
    """Remove everything that earlier runs have left in the strategies package."""
    package = importlib.import_module(STRATEGIES_PACKAGE)
    for module in [each for each in sys.modules if each.startswith(f"{STRATEGIES_PACKAGE}.")]:
        del sys.modules[module]
    for name in [each for each in vars(package) if not each.startswith("__")]:
        delattr(package, name)  # "from strategies import _helpers" would find the old module here


def _strategy_class(name: str) -> type[Strategy]:
    try:
        module = importlib.import_module(f"{STRATEGIES_PACKAGE}.{name}")
    except DeskError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(name, "it cannot be imported.", error=repr(error)) from error
    found = {
        each
        for each in vars(module).values()
        if inspect.isclass(each)
        and issubclass(each, Strategy)
        and each.__module__ == module.__name__
    }
    if len(found) != 1:
        listed = sorted(each.__name__ for each in found)
        raise _broken(name, "it must define exactly one subclass of Strategy.", found=listed)
    strategy_class = found.pop()
    if strategy_class.target_weights is Strategy.target_weights:
        raise _broken(name, f"{strategy_class.__name__} must define target_weights.")
    return strategy_class


def _check_declarations(name: str, strategy: Strategy) -> None:
    """Check what a strategy declares besides its parameters."""
    indicators: object = strategy.indicators
    if not isinstance(indicators, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Indicator) for key, value in indicators.items()
    ):
        raise _broken(name, "indicators must be a dict of names to Indicator(...).")
    reference: object = strategy.reference
    if not isinstance(reference, tuple) or not all(
        isinstance(each, str) and SYMBOL_PATTERN.fullmatch(each) for each in reference
    ):
        advice = 'reference must be a tuple of symbols, as in reference = ("SPY",).'
        raise _broken(name, advice, reference=repr(reference))
    look_back: object = strategy.look_back
    if type(look_back) is not int or not 0 <= look_back <= LONGEST:
        advice = f"look_back must be a whole number of bars from 0 to {LONGEST}."
        raise _broken(name, advice, look_back=repr(look_back))
    min_fit: object = strategy.min_fit
    is_count = type(min_fit) is int and min_fit >= 0
    if not is_count and not (type(min_fit) is float and 0 <= min_fit <= 1):
        advice = "min_fit must be a whole number of symbols, or a fraction from 0.0 to 1.0."
        raise _broken(name, advice, min_fit=repr(min_fit))
    if flaw := find_flaw(strategy.requires):
        raise _broken(name, flaw)
    pins: object = strategy.pins
    if not isinstance(pins, Mapping) or not all(
        isinstance(file, str) and isinstance(pin, str) and _SHA256.fullmatch(pin)
        for file, pin in pins.items()
    ):
        advice = (
            "pins must be a dict of file names to SHA-256s: 64 hexadecimal digits in lower case."
        )
        raise _broken(name, advice, pins=repr(pins))


def _broken(name: str, advice: str, **facts: object) -> StrategyError:
    return StrategyError(
        "STRATEGY_BROKEN", f"Fix functions/strategies/{name}.py: {advice}", strategy=name, **facts
    )
