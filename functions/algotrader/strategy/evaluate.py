"""Owns the calls to a strategy's methods, and the checks of their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from copy import deepcopy
from decimal import Decimal, DefaultContext, localcontext
from io import StringIO
from typing import NamedTuple

from algotrader.errors import InsufficientHistoryError, StrategyError
from algotrader.model.units import ZERO
from algotrader.plain_text import one_line
from algotrader.strategy import Market, Portfolio, Strategy
from algotrader.strategy.comments import Comments
from algotrader.strategy.user_error import describe_error

# Weights computed with floats may add up to slightly more than 1.
SUM_TOLERANCE = Decimal("1e-9")
_SHOWN_LENGTH = 200


class Answer(NamedTuple):
    """The weights or the stop prices of a strategy, and what it says about them."""

    values: dict[str, Decimal]
    comments: Comments


class _Question(NamedTuple):
    """The method of a strategy to call, and the symbols that its answer may name."""

    strategy: Strategy
    name: str
    method: str
    symbols: tuple[str, ...]


def evaluate_weights(
    strategy: Strategy, name: str, symbols: tuple[str, ...], market: Market, portfolio: Portfolio
) -> Answer:
    """Call a strategy's ``target_weights`` twice, with copies of the inputs, and check the result.

    Parameters
    ----------
    name : str
        The template's ``Strategy``, for messages.
    symbols : tuple of str
        The universe; a weight for any other symbol is an error.

    Returns
    -------
    Answer
        Its values are the weights as returned, in alphabetical order; fractions of desk capital,
        each at least 0. Together those of the fit symbols are at most 1 (within 1e-9), or none
        exceeds its holding's weight.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``WEIGHTS_INVALID``, ``WEIGHT_INVALID`` or
        ``WEIGHTS_ABOVE_ONE`` if the result is invalid; ``STRATEGY_NOT_REPEATABLE`` if the second
        result differs.
    InsufficientHistoryError
        ``CALENDAR_TOO_SHORT`` from the market.
    """
    question = _Question(strategy, name, "target_weights", symbols)

    def ask() -> dict[str, Decimal]:
        answer = _call(question, market, portfolio)
        if not isinstance(answer, Mapping):
            advice = "must return a dict of symbol to weight"
            raise _invalid("WEIGHTS_INVALID", question, advice, answer=_shown(answer))
        return {
            symbol: _weight(question, symbol, value)
            for symbol, value in sorted(answer.items(), key=lambda item: str(item[0]))
        }

    answer = _ask_twice(question, ask)
    weights = answer.values.items()
    counted = {symbol: weight for symbol, weight in weights if symbol not in market.unfit}
    total = sum(counted.values(), ZERO)
    if total > 1 + SUM_TOLERANCE and not adds_nothing(counted, portfolio):
        advice = "must return weights that add up to at most 1, or that exceed no holding's weight"
        raise _invalid("WEIGHTS_ABOVE_ONE", question, advice, total=total)
    return answer


def adds_nothing(weights: Mapping[str, Decimal], portfolio: Portfolio) -> bool:
    """Whether no weight exceeds the symbol's current weight, so that the desk buys nothing.

    The holdings may weigh more than 1, because they can outgrow ``Capital``.
    """
    return all(
        weight <= portfolio.weights.get(symbol, ZERO) + SUM_TOLERANCE
        for symbol, weight in weights.items()
    )


def evaluate_stops(
    strategy: Strategy, name: str, symbols: tuple[str, ...], market: Market, portfolio: Portfolio
) -> Answer:
    """Call a strategy's ``stop_prices`` twice, with copies of the inputs, and check the result.

    Returns
    -------
    Answer
        Its values are the prices as returned, in alphabetical order; dollars, each above 0.

    Raises
    ------
    StrategyError
        ``STRATEGY_FAILED`` if it raises any error; ``STOPS_INVALID`` if the result is invalid;
        ``STRATEGY_NOT_REPEATABLE`` if the second result differs.
    InsufficientHistoryError
        ``CALENDAR_TOO_SHORT`` from the market.
    """
    question = _Question(strategy, name, "stop_prices", symbols)

    def ask() -> dict[str, Decimal]:
        answer = _call(question, market, portfolio)
        if not isinstance(answer, Mapping):
            advice = "must return a dict of symbol to price"
            raise _invalid("STOPS_INVALID", question, advice, answer=_shown(answer))
        return {
            str(symbol): _stop(question, symbol, price)
            for symbol, price in sorted(answer.items(), key=lambda item: str(item[0]))
        }

    return _ask_twice(question, ask)


def _ask_twice(question: _Question, ask: Callable[[], dict[str, Decimal]]) -> Answer:
    """Return a strategy's answer and comments if it gives the same answer twice."""
    method = question.method
    first = _listen(question, ask)
    try:
        with redirect_stdout(StringIO()):  # the log has each line once
            second = _listen(question, ask)
    except StrategyError as error:
        second_error = " ".join((error.code, str(error.facts.get("error", "")).strip('"')))
        raise _not_repeatable(question, method, second=f'"{second_error}"') from error
    said, again = first.comments, second.comments
    _compare(question, method, first.values, second.values)
    _compare(question, f"explain() in {method}", said.explanations, again.explanations)
    if said.note != again.note:
        facts = {"first": _shown(said.note), "second": _shown(again.note)}
        raise _not_repeatable(question, f"note() in {method}", **facts)
    return first


def _listen(question: _Question, ask: Callable[[], dict[str, Decimal]]) -> Answer:
    """Ask once, and collect what the strategy says in this call alone."""
    strategy = question.strategy
    strategy.comments = Comments(question.symbols)
    return Answer(ask(), strategy.comments)


def _compare(
    question: _Question, method: str, first: Mapping[str, object], second: Mapping[str, object]
) -> None:
    for symbol in sorted(first.keys() | second.keys()):
        one, other = first.get(symbol, "none"), second.get(symbol, "none")
        if one != other:
            raise _not_repeatable(question, method, symbol=symbol, first=one, second=other)


def _not_repeatable(question: _Question, method: str, **facts: object) -> StrategyError:
    return StrategyError(
        "STRATEGY_NOT_REPEATABLE",
        f"{method} returned two different results for the same inputs. In functions/strategies/"
        f"{question.name}.py, use no random numbers and no clock, and keep no data on self, on the "
        "class or in a module.",
        method=method,
        **facts,
        strategy=question.name,
    )


def _call(question: _Question, market: Market, portfolio: Portfolio) -> object:
    """Call user code with its own copies; raise ``STRATEGY_FAILED`` for any other error in it."""
    name, method = question.name, getattr(question.strategy, question.method)
    market, portfolio = deepcopy((market, portfolio))
    try:
        with localcontext(DefaultContext):
            answer: object = method(market, portfolio)
            return answer
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


def _weight(question: _Question, symbol: object, value: object) -> Decimal:
    _check_symbol("WEIGHT_INVALID", question, symbol)
    number = _number(value)
    if number is None or number < 0:
        advice = "must return weights that are numbers from 0 to 1"
        raise _invalid("WEIGHT_INVALID", question, advice, symbol=symbol, weight=_shown(value))
    return number if number > 0 else ZERO


def _stop(question: _Question, symbol: object, value: object) -> Decimal:
    _check_symbol("STOPS_INVALID", question, symbol)
    number = _number(value)
    if number is None or number <= 0:
        facts = {"symbol": symbol, "price": _shown(value)}
        raise _invalid("STOPS_INVALID", question, "must return prices above 0", **facts)
    return number


def _check_symbol(code: str, question: _Question, symbol: object) -> None:
    if symbol in question.symbols:
        return
    leave = f"leave it out of {question.method} in functions/strategies/{question.name}.py."
    advice = f"Add it to the template's Symbols, or {leave}"
    if symbol in question.strategy.reference:
        advice = (
            f"It is a reference, which the desk never trades: {leave} To trade it, add it to the "
            "template's Symbols."
        )
    raise StrategyError(code, advice, symbol=_shown(symbol), strategy=question.name)


def _number(value: object) -> Decimal | None:
    """Parse a finite number exactly, or return None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        return None
    number = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _invalid(code: str, question: _Question, advice: str, **facts: object) -> StrategyError:
    return StrategyError(
        code,
        f"{question.method} in functions/strategies/{question.name}.py {advice}.",
        **facts,
        strategy=question.name,
    )


def _shown(value: object) -> str:
    """Format a user's value on one line of limited length."""
    text = one_line(value if isinstance(value, str) else repr(value))
    return f'"{text}"' if len(text) <= _SHOWN_LENGTH else f'"{text[:_SHOWN_LENGTH]}..."'
