"""Owns the features that a strategy computes by itself, from frames of pandas."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from numbers import Real

import pandas as pd

from algotrader.errors import DeskError, StrategyError
from algotrader.indicators.significant_digits import round_value
from algotrader.model import Bars, FeatureValue, Unfit
from algotrader.session.trigger import NEW_YORK
from algotrader.strategy import Files, Strategy
from algotrader.strategy.base import finite_number
from algotrader.strategy.user_error import describe_error

_COLUMNS = ("open", "high", "low", "close", "volume")


def compute_features(
    bars: Mapping[str, Bars], strategy: Strategy, files: Files
) -> tuple[dict[str, dict[str, FeatureValue]], dict[str, Unfit]]:
    """Call ``strategy.features`` for each symbol; see `algotrader.adapters.indicators.compute`.

    Returns
    -------
    tuple
        The features by symbol, and the symbols with a feature that is NaN or infinite.
    """
    values: dict[str, dict[str, FeatureValue]] = {}
    unfit: dict[str, Unfit] = {}
    for symbol, each in bars.items():
        own = _own_features(symbol, _frame(each), strategy, files)
        if missing := [name for name, pair in own.items() if not _is_finite(pair)]:
            problem = _no_number(missing[0], own[missing[0]])
            unfit[symbol] = Unfit("STRATEGY_FEATURES_INVALID", problem)
        else:
            values[symbol] = own
    if not values:
        raise _features_invalid(strategy, symbol, problem)
    return values, unfit


def _frame(bars: Bars) -> pd.DataFrame:
    """Put bars into a frame indexed 0, 1, 2, ..., with the session of each."""
    frame = pd.DataFrame({name: getattr(bars, name) for name in _COLUMNS}, dtype="float64")
    frame["session"] = pd.Series(_sessions(bars.at), dtype=object)
    return frame


@lru_cache(maxsize=1)  # most symbols have bars at the same instants
def _sessions(at: tuple[datetime, ...]) -> tuple[date, ...]:
    """Return the session of each instant: its date in New York."""
    return tuple(pd.DatetimeIndex(at).tz_convert(NEW_YORK).date)


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
        values[name] = math.nan if number is None else round_value(number)
    return values


def _is_finite(value: FeatureValue) -> bool:
    return math.isfinite(value.last) and math.isfinite(value.previous)


def _no_number(name: str, value: FeatureValue) -> str:
    session = "previous session" if math.isfinite(value.last) else "newest session"
    return (
        f"features() returned NaN or infinity for {name} of the {session}; drop missing values "
        "there, or raise look_back"
    )


def _features_invalid(strategy: Strategy, symbol: str, problem: str) -> StrategyError:
    return StrategyError(
        "STRATEGY_FEATURES_INVALID",
        "Fix the strategy's features(): it must return a dict of names to finite numbers.",
        problem=f'"{problem}"',
        symbol=symbol,
        strategy=type(strategy).__name__,
    )
