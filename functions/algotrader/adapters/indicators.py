"""Owns the computation of features from bars, the only place that uses pandas and `ta`."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pandas as pd

from algotrader.errors import DeskError, InsufficientHistoryError, StrategyError
from algotrader.model import Bars, Features, FeatureValue
from algotrader.strategy import Strategy
from algotrader.strategy.base import finite_number
from algotrader.strategy.indicators import ResolvedIndicator, resolve

#: The last digits may differ between builds of numpy, but a decision must not.
SIGNIFICANT_DIGITS = 10

_COLUMNS = ("open", "high", "low", "close", "volume")

#: Outputs of `ta` that have a value in one trend only. In the other trend they keep their last
#: value, as `ta` does with ``fillna=True``.
_CARRIED = frozenset({"psar_up", "psar_down"})


def compute(bars: Mapping[str, Bars], strategy: Strategy, files: Mapping[str, bytes]) -> Features:
    """Compute the last and the previous value of every feature that a strategy declares.

    Parameters
    ----------
    bars : mapping of str to Bars
        Completed bars by symbol, oldest first. Only the newest ``strategy.bars_needed()`` count, so
        live runs and backtests see the same bars.
    strategy : Strategy
        Declares the indicators, and may compute its own features.
    files : mapping of str to bytes
        The user's objects, for ``strategy.features``.

    Returns
    -------
    Features
        Finite values of ten significant digits.

    Raises
    ------
    InsufficientHistoryError
        ``HISTORY_TOO_SHORT``, ``BARS_INVALID`` (columns of unequal length, NaN, infinity), or
        ``INDICATOR_UNDEFINED`` (the formula has no value for these bars, for example because the
        price never moved).
    StrategyError
        ``STRATEGY_FEATURES_FAILED`` or ``STRATEGY_FEATURES_INVALID``.
    """
    if not bars:
        raise InsufficientHistoryError(
            "BARS_MISSING", "Set the template's Symbols to at least one symbol that has bars."
        )
    need = strategy.bars_needed()
    declared = {
        name: resolve(each.name, each.parameters) for name, each in strategy.indicators.items()
    }
    values: dict[str, dict[str, FeatureValue]] = {}
    for symbol in sorted(bars):
        newest = _newest(symbol, bars[symbol], need)
        frame = _frame(newest)
        values[symbol] = _indicators(symbol, frame, declared)
        if type(strategy).features is not Strategy.features:
            frame["session"] = pd.Series(_sessions(newest.at), dtype=object)
            values[symbol] |= _own_features(symbol, frame, strategy, files)
    (as_of,) = _sessions((max(each.at[-1] for each in bars.values()),))  # noqa: PD008 - no frame
    return Features(as_of=as_of, values=values)


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
    """Build a frame indexed 0, 1, 2, ..., because `ta` appends rows to other indexes."""
    return pd.DataFrame({name: getattr(bars, name) for name in _COLUMNS}, dtype="float64")


def _bars_invalid(symbol: str, problem: str) -> InsufficientHistoryError:
    return InsufficientHistoryError(
        "BARS_INVALID",
        "Remove the symbol from the template's Symbols, or ask the data provider.",
        symbol=symbol,
        problem=f'"{problem}"',
    )


def _indicators(
    symbol: str, frame: pd.DataFrame, declared: Mapping[str, ResolvedIndicator]
) -> dict[str, FeatureValue]:
    """Compute one symbol's declared indicators; outputs of the same `ta` object share it."""
    made: dict[tuple[object, ...], Any] = {}
    values = {}
    for name, each in declared.items():
        series = indicator_series(frame, each, made)
        last, previous = float(series.iloc[-1]), float(series.iloc[-2])
        if not (math.isfinite(last) and math.isfinite(previous)):
            raise InsufficientHistoryError(
                "INDICATOR_UNDEFINED",
                "The formula divides by zero because the price did not move or nothing was traded. "
                "Remove the symbol from the template's Symbols, or declare another indicator.",
                symbol=symbol,
                indicator=name,
                output=each.output,
                last=last,
                previous=previous,
            )
        values[name] = FeatureValue(last=_round(last), previous=_round(previous))
    return values


def indicator_series(
    frame: pd.DataFrame,
    wanted: ResolvedIndicator,
    made: dict[tuple[object, ...], Any] | None = None,
) -> pd.Series:
    """Let `ta` compute an indicator over all bars of a frame.

    Parameters
    ----------
    frame : DataFrame over a RangeIndex from 0
        Columns ``high``, ``low``, ``close``, ``volume``, as float64.
    wanted : ResolvedIndicator
        Class, arguments and method.
    made : dict, optional
        The `ta` objects that earlier calls made for this frame; this call adds a new one.

    Returns
    -------
    Series
        One value a bar; NaN where `ta` has none.
    """
    made = {} if made is None else made
    ta_class = wanted.ta_class
    key = (ta_class.name, *wanted.arguments.values())
    with warnings.catch_warnings():
        # numpy warns of 0/0 in some formulas; the caller checks every value that it uses.
        warnings.simplefilter("ignore", RuntimeWarning)
        if key not in made:
            make = getattr(importlib.import_module(f"ta.{ta_class.group}"), ta_class.name)
            inputs = {column: frame[column] for column in ta_class.inputs}
            made[key] = make(**inputs, **wanted.arguments)
        series: pd.Series = getattr(made[key], wanted.output)()
    return series.ffill() if wanted.output in _CARRIED else series


def _own_features(
    symbol: str, frame: pd.DataFrame, strategy: Strategy, files: Mapping[str, bytes]
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
    symbol: str, frame: pd.DataFrame, strategy: Strategy, files: Mapping[str, bytes]
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
            strategy=type(strategy).__name__,
            symbol=symbol,
            error=repr(error),
        ) from error
    if not isinstance(result, Mapping):
        raise _features_invalid(strategy, symbol, f"not a dict: {type(result).__name__}")
    values = {}
    for name, value in result.items():
        if not isinstance(name, str):
            raise _features_invalid(strategy, symbol, f"a name is not a string: {name!r}")
        if name in strategy.indicators:
            raise _features_invalid(strategy, symbol, f"{name} is the name of an indicator")
        number = finite_number(value)
        if number is None:
            raise _features_invalid(strategy, symbol, f"{name} is not a finite number: {value!r}")
        values[name] = _round(number)
    return values


def _features_invalid(strategy: Strategy, symbol: str, problem: str) -> StrategyError:
    return StrategyError(
        "STRATEGY_FEATURES_INVALID",
        "Fix the strategy's features(): it must return a dict of names to finite numbers.",
        strategy=type(strategy).__name__,
        symbol=symbol,
        problem=f'"{problem}"',
    )


def _round(value: float) -> float:
    """Round to ten significant digits; minus zero becomes zero."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
