"""Owns the strategy interface: what a user subclasses, what it is shown, and how it is loaded."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from algotrader.errors import ConfigurationError, StrategyError
from algotrader.indicator_catalog import warm_up_bars
from algotrader.model import FeatureValue
from algotrader.suggestions import did_you_mean

if TYPE_CHECKING:
    from pandas import DataFrame

type_names = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}

STRATEGIES_PACKAGE = "strategies"


class Indicator:
    """One indicator that a strategy needs, by its name in `ta` and its parameters.

    Parameters
    ----------
    name : str
        As in ``ta``, for example ``"rsi"``, ``"macd_diff"``, ``"sma"`` (``sma_indicator`` works too).
    **parameters : bool, int or float
        As the ``ta`` class takes them, for example ``window=20``; the rest keep ``ta``'s defaults.

    Raises
    ------
    StrategyError
        ``INDICATOR_UNKNOWN`` or ``INDICATOR_PARAMETER_INVALID``, with the nearest valid names.
    """

    __slots__ = ("name", "parameters", "warm_up")

    def __init__(self, name: str, **parameters: float) -> None:
        self.name = name
        self.parameters = dict(parameters)
        self.warm_up = warm_up_bars(name, self.parameters)

    def __repr__(self) -> str:
        """Spell it as it was declared."""
        pairs = "".join(f", {key}={value!r}" for key, value in self.parameters.items())
        return f"Indicator({self.name!r}{pairs})"


class SymbolFeatures(Mapping[str, float]):
    """Indicators of one symbol: ``view["fast"]`` is the last value, ``view.previous["fast"]`` the
    one a bar before, ``view.price`` the latest price or None when the broker has none.
    """

    __slots__ = ("_last", "previous", "price")

    def __init__(self, values: Mapping[str, FeatureValue], price: Decimal | None) -> None:
        self._last = {name: value.last for name, value in values.items()}
        self.previous = {name: value.previous for name, value in values.items()}
        self.price = price

    def __getitem__(self, name: str) -> float:
        """Give the last value; a name that was not declared raises KeyError with those that were."""
        try:
            return self._last[name]
        except KeyError:
            known = ", ".join(sorted(self._last))
            message = f"{name!r} is not a declared indicator; declared: {known}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the declared names."""
        return iter(self._last)

    def __len__(self) -> int:
        """Count the declared names."""
        return len(self._last)


@dataclass(frozen=True, slots=True)
class Market:
    """What a strategy sees of the market at the bell.

    Attributes
    ----------
    session : date
        The session that is about to be traded.
    as_of : date
        The session of the newest completed bar; today's bar is never known.
    symbols : dict of str to SymbolFeatures
        By symbol, in alphabetical order.
    """

    session: date
    as_of: date
    symbols: dict[str, SymbolFeatures]

    def __getitem__(self, symbol: str) -> SymbolFeatures:
        """Give the indicators of one symbol."""
        return self.symbols[symbol]

    def items(self) -> Iterator[tuple[str, SymbolFeatures]]:
        """Iterate over symbols and their indicators, in alphabetical order."""
        return iter(self.symbols.items())


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What a strategy sees of the desk: its own holdings alone, never the user's.

    Attributes
    ----------
    capital : Decimal
        Desk capital in dollars, what weights are fractions of.
    quantities : dict of str to Decimal
        Shares that the desk holds; a symbol that it does not hold is absent.
    weights : dict of str to Decimal
        Market value of each holding as a fraction of desk capital.
    """

    capital: Decimal
    quantities: dict[str, Decimal]
    weights: dict[str, Decimal]


class Strategy:
    """Base of a strategy: declares indicators, turns their last values into target weights.

    Parameters of a strategy are its annotated class attributes with a default, of type ``bool``,
    ``int``, ``float`` or ``str``; the template's ``StrategyParameters`` sets them by name. Check them
    in ``check``. ``indicators`` may be a class attribute, or a property when it depends on parameters.
    """

    indicators: ClassVar[Mapping[str, Indicator]] | Any = {}

    def __init__(self, **parameters: object) -> None:
        declared = self.parameter_types()
        for name, value in parameters.items():
            if name not in declared:
                raise ConfigurationError(
                    "STRATEGY_PARAMETER_UNKNOWN",
                    "Mend the template's StrategyParameters"
                    f"{did_you_mean(name, declared)}; known: {', '.join(declared) or 'none'}.",
                    strategy=type(self).__name__,
                    parameter=name,
                )
            setattr(self, name, _as_declared(type(self).__name__, name, value, declared[name]))
        self.check()

    @classmethod
    def parameter_types(cls) -> dict[str, type]:
        """Give the declared parameters and their types, in order of declaration."""
        hints = get_type_hints(cls)
        return {
            name: kind
            for name, kind in hints.items()
            if kind in type_names and not name.startswith("_") and hasattr(cls, name)
        }

    def check(self) -> None:
        """Check parameters against one another; raise ValueError with what is wrong."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Turn indicators into target weights.

        Returns
        -------
        dict of str to Decimal
            Fractions of desk capital, each at least 0, together at most 1. A symbol left out has
            weight 0: the desk sells what it holds of it.
        """
        raise NotImplementedError

    def features(self, bars: DataFrame, files: Mapping[str, bytes]) -> Mapping[str, float]:
        """Compute features of one's own from a symbol's bars; by default there are none.

        Parameters
        ----------
        bars : DataFrame, one row a session, oldest first
            Columns ``open, high, low, close, volume`` (float64) over a RangeIndex from 0, and
            ``session`` (date). Never a NaN.
        files : Mapping of str to bytes
            The user's own objects under ``strategies/`` in the bucket, read when asked for.

        Returns
        -------
        Mapping of str to float
            Features by name; they reach `target_weights` beside the declared indicators. None may
            be NaN or infinite.
        """
        del bars, files
        return {}

    #: Bars that `features` needs, when that is more than the indicators do.
    look_back: ClassVar[int] = 0

    def bars_needed(self) -> int:
        """Count the bars that a run needs of each symbol: warm-up, and one for the previous value."""
        longest = max((each.warm_up for each in self.indicators.values()), default=1)
        return max(longest + 1, self.look_back)


def _as_declared(strategy: str, name: str, value: object, kind: type) -> object:
    """Check a parameter's value against its declared type; an integer may stand for a float."""
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigurationError(
            "STRATEGY_PARAMETER_INVALID",
            f"Mend the template's StrategyParameters: {name} must be {type_names[kind]}.",
            strategy=strategy,
            parameter=name,
            value=repr(value),
        )
    return value


def strategy_names() -> list[str]:
    """List the strategies that ship: the modules of the ``strategies`` package, sorted."""
    package = importlib.import_module(STRATEGIES_PACKAGE)
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def load_strategy(name: str, parameters: Mapping[str, object]) -> Strategy:
    """Load ``strategies/<name>.py`` and make its one Strategy.

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
        ``STRATEGY_BROKEN``: the file cannot be imported, or does not hold exactly one Strategy.
    """
    if name not in strategy_names():
        raise ConfigurationError(
            "STRATEGY_UNKNOWN",
            "Set the template's Strategy to the name of a file in functions/strategies"
            f"{did_you_mean(name, strategy_names())}; there are: {', '.join(strategy_names())}.",
            strategy=name,
        )
    try:
        module = importlib.import_module(f"{STRATEGIES_PACKAGE}.{name}")
    except (StrategyError, ConfigurationError):
        raise
    except Exception as error:
        raise StrategyError(
            "STRATEGY_BROKEN",
            f"Mend functions/strategies/{name}.py: it cannot be imported.",
            strategy=name,
            error=repr(error),
        ) from error
    found = [
        each
        for each in vars(module).values()
        if inspect.isclass(each)
        and issubclass(each, Strategy)
        and each.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise StrategyError(
            "STRATEGY_BROKEN",
            f"functions/strategies/{name}.py must define exactly one subclass of Strategy.",
            strategy=name,
            found=[each.__name__ for each in found],
        )
    try:
        return found[0](**parameters)
    except ValueError as error:
        raise ConfigurationError(
            "STRATEGY_PARAMETER_INVALID",
            "Mend the template's StrategyParameters.",
            strategy=name,
            error=str(error),
        ) from error
