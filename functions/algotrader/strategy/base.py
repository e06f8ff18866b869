"""Owns the strategy interface: what a user subclasses and declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, get_type_hints

from algotrader.errors import ConfigurationError
from algotrader.strategy.indicators import warm_up_bars
from algotrader.strategy.view import Market, Portfolio
from algotrader.suggestions import did_you_mean

if TYPE_CHECKING:
    from pandas import DataFrame

type_names = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}


class Indicator:
    """One indicator that a strategy needs, by its name in `ta` and its parameters.

    Parameters
    ----------
    name : str
        As in ``ta``, for example ``"rsi"``, ``"macd_diff"``, ``"sma"`` or ``"sma_indicator"``.
    **parameters : bool, int or float
        As the ``ta`` class takes them, for example ``window=20``; the rest keep its defaults.

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
        """Format it as it was declared."""
        pairs = "".join(f", {key}={value!r}" for key, value in self.parameters.items())
        return f"Indicator({self.name!r}{pairs})"


class Strategy:
    """Base of a strategy: declares indicators, turns their last values into target weights.

    Parameters of a strategy are its annotated class attributes with a default, of type ``bool``,
    ``int``, ``float`` or ``str``; the template's ``StrategyParameters`` sets them by name, `check`
    checks them.
    """

    #: Bars that `features` needs, when that is more than the indicators do.
    look_back: ClassVar[int] = 0

    #: The SHA-256 of files that `features` reads, in hexadecimal digits by the file's name. A file
    #: that is not listed may change without a deploy: list each that runs code when it is read.
    pins: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init__(self, /, **parameters: object) -> None:
        declared = self.parameter_types()
        for name, value in parameters.items():
            if name not in declared:
                raise ConfigurationError(
                    "STRATEGY_PARAMETER_UNKNOWN",
                    "Fix the template's StrategyParameters"
                    f"{did_you_mean(name, declared)}; known: {', '.join(declared) or 'none'}.",
                    strategy=type(self).__name__,
                    parameter=name,
                )
            setattr(self, name, _check_parameter(type(self).__name__, name, value, declared[name]))
        self.check()

    @classmethod
    def parameter_types(cls) -> dict[str, type]:
        """Return the declared parameters and their types, in order of declaration."""
        hints = get_type_hints(cls)
        return {
            name: kind
            for name, kind in hints.items()
            if kind in type_names and not name.startswith("_") and hasattr(cls, name)
        }

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The indicators that it needs, by the names that `target_weights` asks for.

        A subclass may give a class attribute instead, when no parameter decides about it.
        """
        return {}

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

    def stop_prices(self, market: Market, portfolio: Portfolio) -> Mapping[str, Decimal]:
        """Say at which price each holding is to be sold whatever happens between two bells.

        Asked right after `target_weights`, with the same market and portfolio; by default there are
        no stops. The desk keeps one stop order at the broker for the whole shares that it holds.

        Returns
        -------
        Mapping of str to Decimal or float
            Dollars, above 0 and below the latest price; cut to the tick. A symbol left out has no
            stop: one that rests is canceled. To leave a stop where it is, give
            ``portfolio.stops[symbol]`` again.
        """
        del market, portfolio
        return {}

    def features(self, bars: DataFrame, files: Mapping[str, bytes]) -> Mapping[str, float]:
        """Compute features of one's own from a symbol's bars; by default there are none.

        Parameters
        ----------
        bars : DataFrame, one row a session, oldest first
            Columns ``open, high, low, close, volume`` (float64) over a RangeIndex from 0, and
            ``session`` (date). Never a NaN. Always ``bars_needed() - 1`` rows: it is called twice,
            the second time for the bars up to the session before, which gives
            ``market[symbol].previous``.
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

    def bars_needed(self) -> int:
        """Count the bars that a run needs of each symbol: the longest warm-up, and one more for the
        previous value.
        """
        longest = max((each.warm_up for each in self.indicators.values()), default=1)
        return max(longest, self.look_back) + 1


def equal_weight(holdings: int) -> Decimal:
    """Split the desk's capital evenly: ``1 / holdings``, cut to four digits so that the sum of that
    many is never more than 1.
    """
    return (Decimal(1) / holdings).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def _check_parameter(strategy: str, name: str, value: object, kind: type) -> object:
    """Check a parameter's value against its declared type; an integer may stand for a float."""
    if kind is float:
        number = finite_number(value)
        if number is not None:
            return number
    elif type(value) is kind:
        return value
    raise ConfigurationError(
        "STRATEGY_PARAMETER_INVALID",
        f"Fix the template's StrategyParameters: {name} must be {type_names[kind]}.",
        strategy=strategy,
        parameter=name,
        value=repr(value),
    )


def finite_number(value: object) -> float | None:
    """Turn a number of any library into a float; None if it is none, too large or not finite."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
