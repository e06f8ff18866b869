"""Owns the computation of features from bars."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from algotrader.errors import InsufficientHistoryError
from algotrader.indicators import DEFINITIONS_VERSION, FORMULAS, BarArrays, FloatArray
from algotrader.indicators.definitions import OF_ONE_TREND, WINDOWED, Outputs
from algotrader.indicators.significant_digits import round_values
from algotrader.model import Bars, Features, FeatureValue, Unfit
from algotrader.session.trigger import NEW_YORK
from algotrader.strategy import Files, Strategy
from algotrader.strategy.indicators import ResolvedIndicator, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX, Arguments

if TYPE_CHECKING:
    from algotrader.adapters.ta_indicators import TaIndicators

_COLUMNS = ("open", "high", "low", "close", "volume")


def compute(bars: Mapping[str, Bars], strategy: Strategy, files: Files) -> Features:
    """Compute the last and the previous value of every feature that a strategy declares.

    Parameters
    ----------
    bars : mapping of str to Bars
        Completed bars by symbol, oldest first. Only the newest ``strategy.bars_needed()`` count, so
        live runs and backtests see the same bars.
    strategy : Strategy
        Declares the indicators, and may compute its own features.
    files : Files
        The user's objects, for ``strategy.features`` and ``features_all``.

    Returns
    -------
    Features
        Finite values of ten significant digits. A symbol with an indicator that its bars leave
        undefined is in ``unfit`` (``INDICATOR_UNDEFINED``), and so is a symbol for which
        ``strategy.features`` or ``features_all`` gives NaN, infinity or nothing
        (``STRATEGY_FEATURES_INVALID``).

    Raises
    ------
    InsufficientHistoryError
        ``HISTORY_TOO_SHORT``, ``BARS_INVALID`` (columns of unequal length, NaN, infinity), or
        ``INDICATOR_UNDEFINED`` if no symbol is left.
    StrategyError
        ``STRATEGY_FEATURES_FAILED`` or ``STRATEGY_FEATURES_INVALID``.
    """
    if not bars:
        raise InsufficientHistoryError(
            "BARS_MISSING", "Set the template's Symbols to at least one symbol that has bars."
        )
    need = strategy.bars_needed()
    newest = {symbol: _newest(symbol, bars[symbol], need) for symbol in sorted(bars)}
    declared = {
        name: resolve(each.name, each.parameters) for name, each in strategy.indicators.items()
    }
    values, unfit = compute_indicators(tuple(newest), arrays_of(newest), declared)
    if not values:
        symbol, first = next(iter(unfit.items()))
        raise InsufficientHistoryError(
            "INDICATOR_UNDEFINED",
            "No symbol has a value for each indicator. Declare others, or change Symbols.",
            symbol=symbol,
            reason=f'"{first.detail}"',
            others=len(unfit) - 1,
        )
    own_methods = {type(strategy).features, type(strategy).features_all}
    if own_methods != {Strategy.features, Strategy.features_all}:
        # pandas, which most strategies do not need, takes longer to import than all of this
        from algotrader.adapters.strategy_features import compute_features  # noqa: PLC0415

        fit = {symbol: newest[symbol] for symbol in values}
        own, without = compute_features(fit, strategy, files)
        values = {symbol: values[symbol] | own[symbol] for symbol in own}
        unfit |= without
    as_of = max(each.at[-1] for each in bars.values()).astimezone(NEW_YORK).date()
    return Features(
        as_of=as_of,
        values=values,
        unfit=unfit,
        definitions=DEFINITIONS_VERSION,
        bars={symbol: newest[symbol].last() for symbol in values},
    )


def _newest(symbol: str, bars: Bars, need: int) -> Bars:
    """Return a symbol's newest bars; raise if they are incomplete or too few."""
    have = len(bars)
    if any(len(getattr(bars, name)) != have for name in _COLUMNS):
        raise _bars_invalid(symbol, "its columns differ in length")
    if have < need:
        raise InsufficientHistoryError(
            "HISTORY_TOO_SHORT",
            "Remove the symbol from the template's Symbols until it has traded long enough, or "
            "shorten the strategy's windows.",
            symbol=symbol,
            have=have,
            need=need,
        )
    newest = bars.newest(need)
    if any(map(operator.ge, newest.at, newest.at[1:])):
        raise _bars_invalid(symbol, "its bars do not ascend")
    return newest


def _bars_invalid(symbol: str, problem: str) -> InsufficientHistoryError:
    return InsufficientHistoryError(
        "BARS_INVALID",
        "Remove the symbol from the template's Symbols, or ask the data provider.",
        symbol=symbol,
        problem=f'"{problem}"',
    )


def compute_indicators(
    symbols: Sequence[str], bars: BarArrays, declared: Mapping[str, ResolvedIndicator]
) -> tuple[dict[str, dict[str, FeatureValue]], dict[str, Unfit]]:
    """Compute the declared indicators of every symbol.

    Parameters
    ----------
    symbols : sequence of str
        The names of the columns of ``bars``.
    bars : BarArrays
        Completed bars, oldest first, of shape (time, symbols), without NaN.

    Returns
    -------
    tuple
        The features by symbol, and the symbols that lack a value.
    """
    series = IndicatorSeries(bars)
    pairs = [series.newest(each, 2) for each in declared.values()]
    newest = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2, len(symbols))
    is_defined = np.isfinite(newest[:, 0]) & np.isfinite(newest[:, 1])
    rows = round_values(newest).T.tolist()  # by symbol: the previous values, then the last ones
    values: dict[str, dict[str, FeatureValue]] = {}
    unfit: dict[str, Unfit] = {}
    for place, (symbol, (previous, last)) in enumerate(zip(symbols, rows, strict=True)):
        if is_defined[:, place].all():
            values[symbol] = dict(zip(declared, map(FeatureValue, last, previous), strict=True))
        else:
            name, wanted = list(declared.items())[int(np.argmin(is_defined[:, place]))]
            problem = _why_undefined(wanted, bars.close[:, place], bars.volume[:, place])
            detail = f"{name} ({wanted.output}) is undefined: {problem}"
            unfit[symbol] = Unfit("INDICATOR_UNDEFINED", detail)
    return values, unfit


def _why_undefined(wanted: ResolvedIndicator, close: FloatArray, volume: FloatArray) -> str:
    """Return why an indicator has no value, and since when the price has not moved."""
    if wanted.output.removeprefix(TA_PREFIX) in OF_ONE_TREND:
        return "its bars have no such trend"
    reason = "its formula divides zero by zero"
    if not volume[-1]:
        reason += "; nothing was traded in the newest bar"
    changes = np.flatnonzero(close != close[-1])
    unchanged = len(close) - 1 - int(changes[-1]) if len(changes) else len(close)
    if unchanged > 1:
        reason += f"; the last {unchanged} closes are equal"
    return reason


def arrays_of(bars: Mapping[str, Bars]) -> BarArrays:
    """Put bars of equal length next to each other, one column per symbol.

    Raises
    ------
    InsufficientHistoryError
        ``BARS_INVALID`` if a value is NaN or infinite.
    """
    columns = {
        name: np.array([getattr(each, name) for each in bars.values()], dtype=np.float64)
        for name in _COLUMNS
    }
    for column in columns.values():
        is_finite = np.isfinite(column).all(axis=1)
        if not is_finite.all():
            raise _bars_invalid(list(bars)[int(np.argmin(is_finite))], "a value is NaN or infinite")
    # Make rows contiguous, because every formula computes a bar of all symbols at once.
    del columns["open"]
    return BarArrays(**{name: np.ascontiguousarray(each.T) for name, each in columns.items()})


class IndicatorSeries:
    """Every indicator over some bars; what two outputs of a class share is computed once.

    Parameters
    ----------
    bars : BarArrays
        Completed bars, oldest first, of shape (time, symbols).
    """

    def __init__(self, bars: BarArrays) -> None:
        self._bars = bars
        self._outputs: dict[tuple[object, ...], Outputs] = {}
        self._of_windows: dict[int, IndicatorSeries] = {}

    def of(self, wanted: ResolvedIndicator) -> FloatArray:
        """Compute an indicator at every bar.

        Parameters
        ----------
        wanted : ResolvedIndicator
            Class, arguments and output.

        Returns
        -------
        array of shape (time, symbols)
            NaN where the indicator has no value yet, or where its formula does not define one.
        """
        name = wanted.ta_class.name
        if name not in FORMULAS or wanted.output.startswith(TA_PREFIX):
            return self._of_ta.of(wanted)
        key = (name, *wanted.arguments.values())
        # numpy warns of a price of zero; the caller checks every value that it uses.
        with np.errstate(divide="ignore", invalid="ignore"):
            if key not in self._outputs:
                self._outputs[key] = FORMULAS[name](self._bars, Arguments(wanted.arguments))
            return self._outputs[key][wanted.output]()

    def newest(self, wanted: ResolvedIndicator, count: int) -> FloatArray:
        """Compute an indicator at the newest bars, bit for bit the same as ``of(wanted)[-count:]``.

        An indicator over a window then looks at its newest windows only.
        """
        if wanted.ta_class.name not in WINDOWED or wanted.output.startswith(TA_PREFIX):
            return self.of(wanted)[-count:]
        arguments = Arguments(wanted.arguments)
        longest = max(warm_up(arguments) for warm_up in wanted.ta_class.outputs.values())
        bars = longest + count - 1
        if bars not in self._of_windows:
            self._of_windows[bars] = IndicatorSeries(self._bars.newest(bars))
        return self._of_windows[bars].of(wanted)[-count:]

    @cached_property
    def _of_ta(self) -> TaIndicators:
        # `ta` and pandas take longer to import than all our formulas together
        from algotrader.adapters.ta_indicators import TaIndicators  # noqa: PLC0415

        return TaIndicators(self._bars)
