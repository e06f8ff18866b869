"""Owns the strategy interface: the base class of a strategy, and the indicators it declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, get_type_hints

from algotrader.errors import ConfigurationError
from algotrader.strategy.comments import Comments
from algotrader.strategy.files import Files
from algotrader.strategy.indicators import resolve
from algotrader.strategy.view import Market, Portfolio
from algotrader.suggestions import did_you_mean

if TYPE_CHECKING:
    from pandas import DataFrame

type_names = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}


class Indicator:
    """One indicator that a strategy needs, by its name in `ta` and its parameters.

    Parameters
    ----------
    name : str
        As in ``ta``, for example ``"rsi"``, ``"macd_diff"``, ``"sma"`` or ``"sma_indicator"``.
    **parameters : bool, int or float
        Arguments of the ``ta`` class, for example ``window=20``. Others keep their defaults.

    Raises
    ------
    StrategyError
        ``INDICATOR_UNKNOWN`` or ``INDICATOR_PARAMETER_INVALID``, with the nearest valid names.
    """

    __slots__ = ("name", "parameters", "warm_up")

    def __init__(self, name: str, **parameters: float) -> None:
        self.name = name
        self.parameters = dict(parameters)
        self.warm_up = resolve(name, self.parameters).warm_up

    def __repr__(self) -> str:
        """Format the indicator as it was declared."""
        pairs = "".join(f", {key}={value!r}" for key, value in self.parameters.items())
        return f"Indicator({self.name!r}{pairs})"


class Strategy:
    """The base of a strategy, which turns the last values of indicators into target weights.

    The parameters of a strategy are its annotated class attributes with a default, of type
    ``bool``, ``int``, ``float`` or ``str``. The template's ``StrategyParameters`` sets them by
    name, and `check` checks them.
    """

    #: Bars that `features` needs, if more than the indicators need.
    look_back: ClassVar[int] = 0

    #: SHA-256 of files that `features` reads, in hexadecimal digits, by the file's name. A file
    #: that is not listed may change without a deploy. List each file that can run code, such as a
    #: pickle.
    pins: ClassVar[Mapping[str, str]] = MappingProxyType({})

    #: Fewest fit symbols, as a count (int) or as a fraction of the template's Symbols (float). With
    #: fewer, the run keeps everything that the desk holds and does not call `target_weights`.
    min_fit: ClassVar[float] = 0

    #: What `explain` and `note` have added in the last call, for the desk and for tests.
    comments: Comments

    #: Deployed limits without which the strategy cannot work, as in ``{"MaxPositionWeight": "1"}``:
    #: the least that a limit on size must be, or the most if a lower value is looser.
    requires: ClassVar[Mapping[str, object]] = MappingProxyType({})

    def __init__(self, /, **parameters: object) -> None:
        self.comments = Comments()
        declared = self.parameter_types()
        for name, value in parameters.items():
            if name not in declared:
                raise ConfigurationError(
                    "STRATEGY_PARAMETER_UNKNOWN",
                    self._advice_for_unknown(name, declared),
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

    @classmethod
    def _advice_for_unknown(cls, name: str, declared: Mapping[str, type]) -> str:
        default = getattr(cls, name, None)
        is_own = not name.startswith("_") and not hasattr(Strategy, name)
        if type(default) in type_names and is_own:
            line = f"{name}: {type(default).__name__} = {default!r}"
            return f"Write its type into the class {cls.__name__}, as in `{line}`."
        hint = f"{did_you_mean(name, declared)}; known: {', '.join(declared) or 'none'}."
        return f"Fix the template's StrategyParameters{hint}"

    @property
    def reference(self) -> tuple[str, ...]:
        """Symbols that the strategy looks at and the desk never trades, as in ``("SPY",)``.

        The run fetches and checks them like the template's Symbols. A symbol that is in both lists
        is traded. If the references depend on no parameter, a subclass may use a class attribute.
        """
        return ()

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The indicators that the strategy needs, by the names that `target_weights` reads.

        If the indicators depend on no parameter, a subclass may use a class attribute instead.
        """
        return {}

    def check(self) -> None:
        """Check the parameters together; raise ValueError with a message if they are wrong."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Compute the target weights from the indicators.

        Returns
        -------
        dict of str to Decimal
            Fractions of desk capital, each at least 0. Together they are at most 1, or none exceeds
            its holding's weight in ``portfolio.weights``. A symbol that is left out has weight 0,
            so the desk sells its shares.
        """
        raise NotImplementedError

    def stop_prices(self, market: Market, portfolio: Portfolio) -> Mapping[str, Decimal]:
        """Return the price of each holding's protective stop, which works between runs.

        The desk calls it right after `target_weights`, with the same market and portfolio. By
        default there are no stops. The desk keeps one stop order per symbol, for whole shares only.

        Returns
        -------
        Mapping of str to Decimal or float
            Dollars, above 0 and below the latest price; the desk rounds down to the tick. The desk
            cancels the resting stop of a symbol that is left out. To leave a stop unchanged, return
            ``portfolio.stops[symbol]``.
        """
        del market, portfolio
        return {}

    def explain(self, symbol: str, words: str) -> None:
        """Add words to the reason for a symbol, in the decision, the e-mail and the record.

        Call it in `target_weights` or `stop_prices`.

        Parameters
        ----------
        symbol : str
            A symbol of the template's Symbols, whether or not it gets a weight.
        words : str
            One line. The desk joins several lines with semicolons, and cuts the result after 200
            characters.
        """
        self.comments.explain(symbol, words)

    def note(self, words: str) -> None:
        """Add words about the whole run to the text message and the e-mail.

        Call it in `target_weights` or `stop_prices`.

        Parameters
        ----------
        words : str
            One short line. The desk joins several lines with semicolons. The e-mail shows at most
            200 characters of the result. The text message shows at most 60, or none if it has no
            room.
        """
        self.comments.add_note(words)

    def features(self, bars: DataFrame, files: Files) -> Mapping[str, float]:
        """Compute the strategy's own features from a symbol's bars; by default there are none.

        Parameters
        ----------
        bars : DataFrame, one row per session, oldest first
            Columns ``open, high, low, close, volume`` (float64) over a RangeIndex from 0, and
            ``session`` (date). Always ``bars_needed() - 1`` rows, without NaN. A second call, for
            ``market[symbol].previous``, gets the bars up to the session before.
        files : Files
            The user's objects under ``strategies/`` in the bucket, each read on first access:
            ``files[name]`` is the content, and ``files.load(name, joblib.load)`` the object in it,
            which is loaded once a run.

        Returns
        -------
        Mapping of str to float
            Finite features by name. `target_weights` reads them like the declared indicators.
        """
        del bars, files
        return {}

    def features_all(
        self, bars_by_symbol: Mapping[str, DataFrame], files: Files
    ) -> Mapping[str, Mapping[str, float]]:
        """Compute features across symbols, such as ranks; by default there are none.

        Parameters
        ----------
        bars_by_symbol : Mapping of str to DataFrame
            A frame as in `features` for each symbol and each reference that is fit. All have the
            same number of rows. A symbol that missed a session has an older first row, so match
            rows by ``session``.
        files : Files
            As in `features`.

        Returns
        -------
        Mapping of str to Mapping of str to float
            By symbol: finite features by name. A symbol without any is unfit.
        """
        del bars_by_symbol, files
        return {}

    def bars_needed(self) -> int:
        """Count the bars that a run needs of each symbol.

        This is the longest warm-up, or `look_back` if longer, plus one bar for the previous value.
        """
        longest = max((each.warm_up for each in self.indicators.values()), default=1)
        return max(longest, self.look_back) + 1


def equal_weight(holdings: int) -> Decimal:
    """Compute an equal weight: ``1 / holdings``, rounded down to four digits.

    Thus the sum of that many weights is never more than 1.
    """
    return (Decimal(1) / holdings).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def _check_parameter(strategy: str, name: str, value: object, kind: type) -> object:
    """Check a parameter's value against its declared type; an integer is also a valid float."""
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
    """Convert a number of any library to a float.

    Return None if it is not a number or not finite.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
