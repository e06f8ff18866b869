"""Owns the calls to a strategy's methods, and the checks of their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal, DefaultContext, localcontext
from typing import NamedTuple

from algotrader.errors import InsufficientHistoryError, StrategyError
from algotrader.model.units import ZERO
from algotrader.plain_text import one_line
from algotrader.strategy import Market, Portfolio, Strategy
from algotrader.strategy.user_error import describe_error

# Weights computed with floats may add up to slightly more than 1.
SUM_TOLERANCE = Decimal("1e-9")
_SHOWN_LENGTH = 200


class _Traded(NamedTuple):
    """The template's Symbols, and the strategy's references, which the desk does not trade."""

    symbols: tuple[str, ...]
    reference: tuple[str, ...]


def evaluate_weights(
    strategy: Strategy, name: str, symbols: tuple[str, ...], market: Market, portfolio: Portfolio
) -> dict[str, Decimal]:
    """Call a strategy's ``target_weights`` twice, with copies of the inputs, and check the result.

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
        those of the fit symbols are at most 1 (within 1e-9), or none exceeds its holding's weight.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``WEIGHTS_INVALID``, ``WEIGHT_INVALID`` or
        ``WEIGHTS_ABOVE_ONE`` if the result is invalid; ``STRATEGY_NOT_REPEATABLE`` if the second
        result differs.
    """
    traded = _Traded(symbols, strategy.reference)

    def ask() -> dict[str, Decimal]:
        answer = _call(name, strategy.target_weights, market, portfolio)
        if not isinstance(answer, Mapping):
            advice = "must return a dict of symbol to weight"
            raise _invalid("WEIGHTS_INVALID", name, advice, answer=_shown(answer))
        return {
            symbol: _weight(name, traded, symbol, value)
            for symbol, value in sorted(answer.items(), key=lambda item: str(item[0]))
        }

    weights = _ask_twice(name, "target_weights", ask)
    counted = {symbol: weight for symbol, weight in weights.items() if symbol not in market.unfit}
    total = sum(counted.values(), ZERO)
    if total > 1 + SUM_TOLERANCE and not adds_nothing(counted, portfolio):
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
    """Call a strategy's ``stop_prices`` twice, with copies of the inputs, and check the result.

    Returns
    -------
    dict of str to Decimal
        As returned, in alphabetical order; dollars, each above 0.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``STOPS_INVALID`` if the result is invalid;
        ``STRATEGY_NOT_REPEATABLE`` if the second result differs.
    """
    method = "stop_prices"

    traded = _Traded(symbols, strategy.reference)

    def ask() -> dict[str, Decimal]:
        answer = _call(name, strategy.stop_prices, market, portfolio)
        if not isinstance(answer, Mapping):
            advice = "must return a dict of symbol to price"
            raise _invalid("STOPS_INVALID", name, advice, method, answer=_shown(answer))
        return {
            str(symbol): _stop(name, traded, symbol, price)
            for symbol, price in sorted(answer.items(), key=lambda item: str(item[0]))
        }

    return _ask_twice(name, method, ask)


def _ask_twice(name: str, method: str, ask: Callable[[], dict[str, Decimal]]) -> dict[str, Decimal]:
    """Return a strategy's result if two calls with the same inputs return the same."""
    first = ask()
    try:
        second = ask()
    except StrategyError as error:
        second_error = " ".join((error.code, str(error.facts.get("error", "")).strip('"')))
        raise _not_repeatable(name, method, second=f'"{second_error}"') from error
    for symbol in sorted(first.keys() | second.keys()):
        one, other = first.get(symbol, "none"), second.get(symbol, "none")
        if one != other:
            raise _not_repeatable(name, method, symbol=symbol, first=one, second=other)
    return first


def _not_repeatable(name: str, method: str, **facts: object) -> StrategyError:
    return StrategyError(
        "STRATEGY_NOT_REPEATABLE",
        f"{method} returned two different results for the same inputs. In functions/strategies/"
        f"{name}.py, use no random numbers and no clock, and keep no data on self, on the class or "
        "in a module.",
        method=method,
        **facts,
        strategy=name,
    )


def _call(
    name: str,
    method: Callable[[Market, Portfolio], object],
    market: Market,
    portfolio: Portfolio,
) -> object:
    """Call user code with its own copies; raise ``STRATEGY_FAILED`` for any other error in it."""
    market, portfolio = deepcopy((market, portfolio))
    try:
        with localcontext(DefaultContext):
            return method(market, portfolio)
    except InsufficientHistoryError:
        raise  # from the market itself: its calendar is too short
    except (Exception, SystemExit) as error:
        reported = describe_error(error)
        has_line = reported.startswith(f"{name}.py:")
        raise StrategyError(
            "STRATEGY_FAILED",
            "Fix that line." if has_line else f"Fix functions/strategies/{name}.py.",
            error=f'"{reported}"',
            strategy=name,
        ) from error


def _weight(name: str, traded: _Traded, symbol: object, value: object) -> Decimal:
    _check_symbol("WEIGHT_INVALID", name, traded, symbol, "target_weights")
    number = _number(value)
    if number is None or number < 0:
        advice = "must return weights that are numbers from 0 to 1"
        raise _invalid("WEIGHT_INVALID", name, advice, symbol=symbol, weight=_shown(value))
    return number if number > 0 else ZERO


def _stop(name: str, traded: _Traded, symbol: object, value: object) -> Decimal:
    method = "stop_prices"
    _check_symbol("STOPS_INVALID", name, traded, symbol, method)
    number = _number(value)
    if number is None or number <= 0:
        facts = {"symbol": symbol, "price": _shown(value)}
        raise _invalid("STOPS_INVALID", name, "must return prices above 0", method, **facts)
    return number


def _check_symbol(code: str, name: str, traded: _Traded, symbol: object, method: str) -> None:
    if symbol in traded.symbols:
        return
    leave = f"leave it out of {method} in functions/strategies/{name}.py."
    advice = f"Add it to the template's Symbols, or {leave}"
    if symbol in traded.reference:
        advice = (
            f"It is a reference, which the desk never trades: {leave} To trade it, add it to the "
            "template's Symbols."
        )
    raise StrategyError(code, advice, symbol=_shown(symbol), strategy=name)


def _number(value: object) -> Decimal | None:
    """Parse a finite number exactly, or return None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        return None
    number = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _invalid(
    code: str, name: str, advice: str, method: str = "target_weights", **facts: object
) -> StrategyError:
    return StrategyError(
        code,
        f"{method} in functions/strategies/{name}.py {advice}.",
        **facts,
        strategy=name,
    )


def _shown(value: object) -> str:
    """Format a user's value on one line of limited length."""
    text = one_line(value if isinstance(value, str) else repr(value))
    return f'"{text}"' if len(text) <= _SHOWN_LENGTH else f'"{text[:_SHOWN_LENGTH]}..."'
