"""Owns the calls to a strategy's methods, and the checks of their results."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping
from decimal import Decimal, DefaultContext, localcontext
from pathlib import PurePath

from algotrader.errors import InsufficientHistoryError, StrategyError
from algotrader.model import Features
from algotrader.model.units import ZERO
from algotrader.plain_text import one_line
from algotrader.strategy import Market, Portfolio, Strategy

# Weights computed with floats may add up to slightly more than 1.
SUM_TOLERANCE = Decimal("1e-9")
_SHOWN_LENGTH = 200


def check_features(symbols: tuple[str, ...], features: Features) -> None:
    """Check that every symbol has finite features.

    A strategy would give no weight to a symbol without features, and the desk would sell it.

    Raises
    ------
    InsufficientHistoryError
        ``FEATURES_MISSING`` if a symbol has none, or one is NaN or infinite.
    """
    unfit = [
        symbol
        for symbol in symbols
        if symbol not in features.values
        or not all(
            math.isfinite(value.last) and math.isfinite(value.previous)
            for value in features.values[symbol].values()
        )
    ]
    if unfit:
        raise InsufficientHistoryError(
            "FEATURES_MISSING",
            "Nothing was traded: these symbols have no usable indicators. Check their bars, or "
            "remove them from the template's Symbols.",
            symbols=",".join(unfit),
        )


def evaluate_weights(
    strategy: Strategy, name: str, symbols: tuple[str, ...], market: Market, portfolio: Portfolio
) -> dict[str, Decimal]:
    """Call a strategy's ``target_weights`` and check the result.

    Parameters
    ----------
    name : str
        The template's ``Strategy``, for messages.
    symbols : tuple of str
        The universe; a weight for any other symbol is an error.

    Returns
    -------
    dict of str to Decimal
        As returned, in alphabetical order; fractions of desk capital, each at least 0. Together
        they are at most 1 (within 1e-9), or none exceeds its holding's weight.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``WEIGHTS_INVALID``, ``WEIGHT_INVALID`` or
        ``WEIGHTS_ABOVE_ONE`` if the result is invalid.
    """
    answer = _call(name, lambda: strategy.target_weights(market, portfolio))
    if not isinstance(answer, Mapping):
        raise _invalid(
            "WEIGHTS_INVALID", name, "must return a dict of symbol to weight", answer=_shown(answer)
        )
    weights = {
        symbol: _weight(name, symbols, symbol, value)
        for symbol, value in sorted(answer.items(), key=lambda item: str(item[0]))
    }
    total = sum(weights.values(), ZERO)
    if total > 1 + SUM_TOLERANCE and not adds_nothing(weights, portfolio):
        advice = "must return weights that add up to at most 1, or that exceed no holding's weight"
        raise _invalid("WEIGHTS_ABOVE_ONE", name, advice, total=total)
    return weights


def adds_nothing(weights: Mapping[str, Decimal], portfolio: Portfolio) -> bool:
    """Whether no weight exceeds what the desk holds of its symbol, so that the desk buys nothing.

    The holdings may weigh more than 1, because they can outgrow ``Capital``.
    """
    return all(
        weight <= portfolio.weights.get(symbol, ZERO) + SUM_TOLERANCE
        for symbol, weight in weights.items()
    )


def evaluate_stops(
    strategy: Strategy, name: str, symbols: tuple[str, ...], market: Market, portfolio: Portfolio
) -> dict[str, Decimal]:
    """Call a strategy's ``stop_prices`` and check the result.

    Returns
    -------
    dict of str to Decimal
        As returned, in alphabetical order; dollars, each above 0.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``STOPS_INVALID`` if the result is invalid.
    """
    answer = _call(name, lambda: strategy.stop_prices(market, portfolio))
    method = "stop_prices"
    if not isinstance(answer, Mapping):
        advice = "must return a dict of symbol to price"
        raise _invalid("STOPS_INVALID", name, advice, method, answer=_shown(answer))
    stops = {}
    for symbol, value in sorted(answer.items(), key=lambda item: str(item[0])):
        number = _number(value)
        if symbol not in symbols or number is None or number <= 0:
            advice = (
                f"may return only prices above 0, for the template's Symbols: {', '.join(symbols)}"
            )
            facts = {"symbol": _shown(symbol), "price": _shown(value)}
            raise _invalid("STOPS_INVALID", name, advice, method, **facts)
        stops[str(symbol)] = number
    return stops


def _call(name: str, method: Callable[[], object]) -> object:
    """Call user code; raise ``STRATEGY_FAILED`` for any error in it."""
    try:
        with localcontext(DefaultContext):
            return method()
    except (Exception, SystemExit) as error:
        raise StrategyError(
            "STRATEGY_FAILED",
            f"Nothing was traded. Fix functions/strategies/{name}.py.",
            strategy=name,
            error=type(error).__name__,
            message=_shown(str(error)),
            at=_place(error),
        ) from error


def _weight(name: str, symbols: tuple[str, ...], symbol: object, value: object) -> Decimal:
    if symbol not in symbols:
        raise _invalid(
            "WEIGHT_INVALID",
            name,
            f"may return weights only for the template's Symbols: {', '.join(symbols)}",
            symbol=_shown(symbol),
        )
    advice = "must return weights that are numbers from 0 to 1"
    number = _number(value)
    if number is None or number < 0:
        raise _invalid("WEIGHT_INVALID", name, advice, symbol=symbol, weight=_shown(value))
    return number if number > 0 else ZERO


def _number(value: object) -> Decimal | None:
    """Parse a finite number exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        return None
    number = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _invalid(
    code: str, name: str, advice: str, method: str = "target_weights", **facts: object
) -> StrategyError:
    return StrategyError(
        code,
        f"Nothing was traded: {method} in functions/strategies/{name}.py {advice}.",
        strategy=name,
        **facts,
    )


def _shown(value: object) -> str:
    """Format a user's value on one line of limited length."""
    text = one_line(value if isinstance(value, str) else repr(value))
    return f'"{text}"' if len(text) <= _SHOWN_LENGTH else f'"{text[:_SHOWN_LENGTH]}..."'


def _place(error: BaseException) -> str:
    """Return the line of the strategy's file where an error was raised, directly or in a call."""
    frames = traceback.extract_tb(error.__traceback__)
    within = frames[2:] or frames  # the first two are our own
    last = [frame for frame in within if frame.filename == within[0].filename][-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"
