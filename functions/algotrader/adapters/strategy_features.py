"""Owns the features that a strategy computes by itself, from pandas frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from numbers import Real
from typing import NamedTuple

import pandas as pd

from algotrader.errors import DeskError, StrategyError
from algotrader.indicators.significant_digits import round_value
from algotrader.model import Bars, FeatureValue, Unfit
from algotrader.session.trigger import NEW_YORK
from algotrader.strategy import Files, Strategy
from algotrader.strategy.base import finite_number
from algotrader.strategy.user_error import describe_error

Frames = Mapping[str, pd.DataFrame]

_COLUMNS = ("open", "high", "low", "close", "volume")


class _Method(NamedTuple):
    """A method of a strategy that computes features, and how to ask it about some symbols."""

    strategy: Strategy
    name: str
    ask: Callable[[Strategy, Frames, Files], Mapping[str, object]]

    @property
    def is_defined(self) -> bool:
        """Whether the strategy defines the method."""
        return getattr(type(self.strategy), self.name) is not getattr(Strategy, self.name)


def compute_features(
    bars: Mapping[str, Bars], strategy: Strategy, files: Files
) -> tuple[dict[str, dict[str, FeatureValue]], dict[str, Unfit]]:
    """Call ``features`` for each symbol, then ``features_all`` for those that are left.

    Returns
    -------
    tuple
        The features by symbol, and the symbols with a feature that is NaN or infinite, or for which
        ``features_all`` returned nothing.
    """
    frames = {symbol: _frame(each) for symbol, each in bars.items()}
    values: dict[str, dict[str, FeatureValue]] = {symbol: {} for symbol in bars}
    unfit: dict[str, Unfit] = {}
    methods = (
        _Method(strategy, "features", _ask_each),
        _Method(strategy, "features_all", _ask_all),
    )
    for method in (each for each in methods if each.is_defined):
        fit = {symbol: frames[symbol] for symbol in values}
        for symbol, own in _pairs(method, fit, files).items():
            problem = _problem(method, own)
            if problem:
                unfit[symbol] = Unfit("STRATEGY_FEATURES_INVALID", problem)
                del values[symbol]
                continue
            if repeated := sorted(own.keys() & values[symbol].keys()):
                raise _invalid(method, f"features() also has {repeated[0]}", symbol)
            values[symbol] |= own
        if not values:
            raise _invalid(method, problem, symbol)
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


def _pairs(method: _Method, frames: Frames, files: Files) -> dict[str, dict[str, FeatureValue]]:
    """Ask a method twice: without the first bar of each symbol, and without the last bar.

    Both calls see the same number of rows, so ``previous`` in one run equals ``last`` in the run
    before. A traded symbol for which ``features_all`` returns nothing has no feature at all.
    """
    last = _ask(method, {symbol: each.iloc[1:] for symbol, each in frames.items()}, files)
    previous = _ask(method, {symbol: each.iloc[:-1] for symbol, each in frames.items()}, files)
    pairs = {}
    for symbol in frames:
        new, old = last.get(symbol, {}), previous.get(symbol, {})
        if new.keys() != old.keys():
            changed = sorted(new.keys() ^ old.keys())
            raise _invalid(method, f"names change from bar to bar: {changed}", symbol)
        pairs[symbol] = {name: FeatureValue(last=new[name], previous=old[name]) for name in new}
    return pairs


def _ask(method: _Method, frames: Frames, files: Files) -> dict[str, dict[str, float]]:
    """Ask a method about its own copies of frames, and check the result of each symbol."""
    copies = {symbol: each.reset_index(drop=True) for symbol, each in frames.items()}
    result = method.ask(method.strategy, copies, files)
    if not isinstance(result, Mapping):
        raise _invalid(method, f"not a dict: {type(result).__name__}")
    if unknown := [each for each in result if each not in frames]:
        raise _invalid(method, f"{unknown[0]!r} is not a symbol of bars_by_symbol")
    return {symbol: _checked(method, symbol, each) for symbol, each in result.items()}


def _ask_each(strategy: Strategy, frames: Frames, files: Files) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for symbol, each in frames.items():
        try:
            found[symbol] = strategy.features(each, files)
        except DeskError:
            raise
        except (Exception, SystemExit) as error:
            raise _failed(strategy, "features", error, symbol=symbol) from error
    return found


def _ask_all(strategy: Strategy, frames: Frames, files: Files) -> Mapping[str, object]:
    try:
        return strategy.features_all(frames, files)
    except DeskError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(strategy, "features_all", error) from error


def _checked(method: _Method, symbol: str, result: object) -> dict[str, float]:
    """Check a symbol's features; a number that is not finite becomes NaN."""
    if not isinstance(result, Mapping):
        raise _invalid(method, f"not a dict: {type(result).__name__}", symbol)
    values = {}
    for name, value in result.items():
        if not isinstance(name, str):
            raise _invalid(method, f"a name is not a string: {name!r}", symbol)
        if name in method.strategy.indicators:
            raise _invalid(method, f"{name} is the name of an indicator", symbol)
        if not isinstance(value, Real) or isinstance(value, bool):
            raise _invalid(method, f"{name} is not a number: {value!r}", symbol)
        number = finite_number(value)
        values[name] = math.nan if number is None else round_value(number)
    return values


def _problem(method: _Method, own: Mapping[str, FeatureValue]) -> str:
    """Describe why a symbol's features make it unfit, or return an empty string."""
    if not own and method.name == "features_all":
        return "features_all() returned nothing for it"
    for name, value in own.items():
        if not math.isfinite(value.last) or not math.isfinite(value.previous):
            session = "previous session" if math.isfinite(value.last) else "newest session"
            return (
                f"{method.name}() returned NaN or infinity for {name} of the {session}; drop "
                "missing values there, or raise look_back"
            )
    return ""


def _failed(
    strategy: Strategy, method: str, error: BaseException, **facts: object
) -> StrategyError:
    return StrategyError(
        "STRATEGY_FEATURES_FAILED",
        f"Fix the strategy's {method}().",
        error=f'"{describe_error(error)}"',
        **facts,
        strategy=type(strategy).__name__,
    )


def _invalid(method: _Method, problem: str, symbol: str = "") -> StrategyError:
    shape = "a dict of names to finite numbers"
    if method.name == "features_all":
        shape = "dicts of names to finite numbers, by symbol"
    return StrategyError(
        "STRATEGY_FEATURES_INVALID",
        f"Fix the strategy's {method.name}(): it must return {shape}.",
        problem=f'"{problem}"',
        **({"symbol": symbol} if symbol else {}),
        strategy=type(method.strategy).__name__,
    )
