"""Owns the computation of features from bars, the only place that uses pandas and `ta`."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from algotrader.errors import DeskError, InsufficientHistoryError, StrategyError
from algotrader.indicators import (
    DEFINITIONS_VERSION,
    EQUAL,
    OWN,
    UNDEFINED,
    BarArrays,
    FloatArray,
    carry,
)
from algotrader.model import Bars, Features, FeatureValue, Unfit
from algotrader.strategy import Files, Strategy
from algotrader.strategy.base import finite_number
from algotrader.strategy.indicators import ResolvedIndicator, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX, Arguments
from algotrader.strategy.user_error import describe_error

#: The last digits may differ between builds of numpy, but a decision must not.
SIGNIFICANT_DIGITS = 10

_COLUMNS = ("open", "high", "low", "close", "volume")

#: Outputs that have a value in one trend only. In the other trend they keep their last value, which
#: is missing if the bars have no such trend.
_OF_ONE_TREND = frozenset({"psar_up", "psar_down"})


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
        The user's objects, for ``strategy.features``.

    Returns
    -------
    Features
        Finite values of ten significant digits. A symbol with an indicator that its bars leave
        undefined is in ``unfit`` (``INDICATOR_UNDEFINED``), and so is a symbol for which
        ``strategy.features`` gives NaN or infinity (``STRATEGY_FEATURES_INVALID``).

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
    values, unfit = _indicators(newest, declared)
    if not values:
        symbol, first = next(iter(unfit.items()))
        raise InsufficientHistoryError(
            "INDICATOR_UNDEFINED",
            "No symbol has a value for each indicator. Declare others, or change Symbols.",
            symbol=symbol,
            reason=f'"{first.detail}"',
            others=len(unfit) - 1,
        )
    if type(strategy).features is not Strategy.features:
        for symbol in tuple(values):
            frame = _frame(newest[symbol])
            frame["session"] = pd.Series(_sessions(newest[symbol].at), dtype=object)
            own = _own_features(symbol, frame, strategy, files)
            values[symbol] |= own
            if missing := [name for name, pair in own.items() if not _is_finite(pair)]:
                problem = _no_number(missing[0], own[missing[0]])
                unfit[symbol] = Unfit("STRATEGY_FEATURES_INVALID", problem)
                del values[symbol]
        if not values:
            raise _features_invalid(strategy, symbol, problem)
    (as_of,) = _sessions((max(each.at[-1] for each in bars.values()),))  # noqa: PD008 - no frame
    return Features(as_of=as_of, values=values, unfit=unfit, definitions=DEFINITIONS_VERSION)


@lru_cache(maxsize=1)  # most symbols have bars at the same instants
def _sessions(at: tuple[datetime, ...]) -> tuple[date, ...]:
    """Return the session of each instant: its date in New York."""
    return tuple(pd.DatetimeIndex(at).tz_convert("America/New_York").date)


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
    if any(later <= earlier for earlier, later in pairwise(newest.at)):
        raise _bars_invalid(symbol, "its bars do not ascend")
    columns = (getattr(newest, name) for name in _COLUMNS)
    if not all(math.isfinite(value) for column in columns for value in column):
        raise _bars_invalid(symbol, "a value is NaN or infinite")
    return newest


def _frame(bars: Bars) -> pd.DataFrame:
    """Put bars into a frame indexed 0, 1, 2, ..., for a strategy's own features."""
    return pd.DataFrame({name: getattr(bars, name) for name in _COLUMNS}, dtype="float64")


def _bars_invalid(symbol: str, problem: str) -> InsufficientHistoryError:
    return InsufficientHistoryError(
        "BARS_INVALID",
        "Remove the symbol from the template's Symbols, or ask the data provider.",
        symbol=symbol,
        problem=f'"{problem}"',
    )


def _indicators(
    bars: Mapping[str, Bars], declared: Mapping[str, ResolvedIndicator]
) -> tuple[dict[str, dict[str, FeatureValue]], dict[str, Unfit]]:
    """Compute the declared indicators of every symbol, and name the symbols that lack a value."""
    values: dict[str, dict[str, FeatureValue]] = {symbol: {} for symbol in bars}
    unfit: dict[str, Unfit] = {}
    series = IndicatorSeries(arrays_of(tuple(bars.values())))
    for name, wanted in declared.items():
        previous, last = series.of(wanted)[-2:].tolist()
        for symbol, *pair in zip(bars, last, previous, strict=True):
            if symbol in unfit:
                continue
            if all(map(math.isfinite, pair)):
                values[symbol][name] = FeatureValue(*map(_round, pair))
            else:
                unfit[symbol] = _undefined(name, wanted, bars[symbol])
                del values[symbol]
    return values, unfit


def _undefined(name: str, wanted: ResolvedIndicator, bars: Bars) -> Unfit:
    """Build the reason: which indicator has no value, and since when the price has not moved."""
    if wanted.output.removeprefix(TA_PREFIX) in _OF_ONE_TREND:
        reason = "its bars have no such trend"
    else:
        reason = "its formula divides zero by zero"
        if not bars.volume[-1]:
            reason += "; nothing was traded in the newest bar"
        unchanged = _count_unchanged(bars.close)
        if unchanged > 1:
            reason += f"; the last {unchanged} closes are equal"
    return Unfit("INDICATOR_UNDEFINED", f"{name} ({wanted.output}) is undefined: {reason}")


def _count_unchanged(close: tuple[float, ...]) -> int:
    """Count the newest closes that are all equal."""
    return next(
        (back for back, each in enumerate(reversed(close)) if each != close[-1]), len(close)
    )


def arrays_of(bars: Sequence[Bars]) -> BarArrays:
    """Put bars of equal length next to each other, a symbol a column."""
    return BarArrays(
        **{
            name: np.array([getattr(each, name) for each in bars], dtype=np.float64).T
            for name in ("high", "low", "close", "volume")
        }
    )


class IndicatorSeries:
    """Every indicator over some bars; what two of them share is computed once.

    Parameters
    ----------
    bars : BarArrays
        Completed bars, oldest first, of shape (time, symbols).
    """

    def __init__(self, bars: BarArrays) -> None:
        self._bars = bars
        self._own: dict[tuple[object, ...], dict[str, FloatArray]] = {}
        self._of_ta: dict[tuple[object, ...], Sequence[Any]] = {}

    def of(self, wanted: ResolvedIndicator) -> FloatArray:
        """Compute an indicator.

        Parameters
        ----------
        wanted : ResolvedIndicator
            Class, arguments and output.

        Returns
        -------
        array of shape (time, symbols)
            NaN where the indicator has no value yet, or where its formula does not define one.
        """
        arguments = Arguments(wanted.arguments)
        if wanted.ta_class.own:
            values = self._compute_own(wanted, arguments)
        else:
            values = self._compute_by_ta(wanted)
        if wanted.output in UNDEFINED:
            undefined = UNDEFINED[wanted.output](self._bars, arguments)
            values = np.where(undefined, np.nan, values)
        if wanted.output in EQUAL:
            values = np.where(EQUAL[wanted.output](self._bars, arguments), 0.0, values)
        return values

    def _compute_own(self, wanted: ResolvedIndicator, arguments: Arguments) -> FloatArray:
        name = wanted.ta_class.name
        key = (name, *wanted.arguments.values())
        if key not in self._own:
            self._own[key] = OWN[name](self._bars, arguments)
        return self._own[key][wanted.output]

    def _compute_by_ta(self, wanted: ResolvedIndicator) -> FloatArray:
        """Let `ta` compute an indicator, a symbol at a time, over a RangeIndex from 0.

        With another index `ta` appends rows.
        """
        ta_class = wanted.ta_class
        output = wanted.output.removeprefix(TA_PREFIX)
        key = (ta_class.name, *wanted.arguments.values())
        with warnings.catch_warnings():
            # numpy warns of 0/0 in some formulas; the caller checks every value that it uses.
            warnings.simplefilter("ignore", RuntimeWarning)
            if key not in self._of_ta:
                make = getattr(importlib.import_module(f"ta.{ta_class.group}"), ta_class.name)
                self._of_ta[key] = [
                    make(**inputs, **wanted.arguments)
                    for inputs in self._columns_of_symbols(ta_class.inputs)
                ]
            series = [getattr(each, output)() for each in self._of_ta[key]]
        time = range(len(self._bars.close))
        values = np.array([each.reindex(time) for each in series], dtype=np.float64).T
        return carry(values) if output in _OF_ONE_TREND else values

    def _columns_of_symbols(self, names: tuple[str, ...]) -> Iterator[dict[str, pd.Series]]:
        for symbol in range(self._bars.close.shape[1]):
            yield {name: pd.Series(getattr(self._bars, name)[:, symbol]) for name in names}


def _own_features(
    symbol: str, frame: pd.DataFrame, strategy: Strategy, files: Files
) -> dict[str, FeatureValue]:
    """Compute the strategy's own features twice: without the first bar and without the last bar.

    Both calls see the same number of rows, so ``previous`` in one run equals ``last`` in the run
    before.
    """
    last = _call_features(symbol, frame.iloc[1:], strategy, files)
    previous = _call_features(symbol, frame.iloc[:-1], strategy, files)
    if last.keys() != previous.keys():
        raise _features_invalid(
            strategy,
            symbol,
            f"names change from bar to bar: {sorted(last.keys() ^ previous.keys())}",
        )
    return {name: FeatureValue(last=last[name], previous=previous[name]) for name in last}


def _call_features(
    symbol: str, frame: pd.DataFrame, strategy: Strategy, files: Files
) -> dict[str, float]:
    """Call the user's code with its own copy of the frame, and check the result."""
    try:
        result: object = strategy.features(frame.reset_index(drop=True), files)
    except DeskError:
        raise
    except (Exception, SystemExit) as error:
        raise StrategyError(
            "STRATEGY_FEATURES_FAILED",
            "Fix the strategy's features().",
            error=f'"{describe_error(error)}"',
            symbol=symbol,
            strategy=type(strategy).__name__,
        ) from error
    if not isinstance(result, Mapping):
        raise _features_invalid(strategy, symbol, f"not a dict: {type(result).__name__}")
    values = {}
    for name, value in result.items():
        if not isinstance(name, str):
            raise _features_invalid(strategy, symbol, f"a name is not a string: {name!r}")
        if name in strategy.indicators:
            raise _features_invalid(strategy, symbol, f"{name} is the name of an indicator")
        if not isinstance(value, Real) or isinstance(value, bool):
            raise _features_invalid(strategy, symbol, f"{name} is not a number: {value!r}")
        number = finite_number(value)
        values[name] = math.nan if number is None else _round(number)
    return values


def _is_finite(value: FeatureValue) -> bool:
    return math.isfinite(value.last) and math.isfinite(value.previous)


def _no_number(name: str, value: FeatureValue) -> str:
    session = "previous session" if math.isfinite(value.last) else "newest session"
    return (
        f"features() gave NaN or infinity for {name} of the {session}; drop missing values there, "
        "or raise look_back"
    )


def _features_invalid(strategy: Strategy, symbol: str, problem: str) -> StrategyError:
    return StrategyError(
        "STRATEGY_FEATURES_INVALID",
        "Fix the strategy's features(): it must return a dict of names to finite numbers.",
        problem=f'"{problem}"',
        symbol=symbol,
        strategy=type(strategy).__name__,
    )


def _round(value: float) -> float:
    """Round to ten significant digits; minus zero becomes zero."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
