"""Owns the parsing of template parameters, and their allowed values.

Each function is or returns a parser. A parser raises `Misfit` for a string that is not allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

from algotrader.adapters.universes import MARK, NAME_PATTERN
from algotrader.model import Bounds
from algotrader.model.units import Dollars, Fraction
from algotrader.orders.ids import SLOT_PATTERN, SYMBOL_PATTERN
from algotrader.soundness import first_flaw, parse_float

WordT = TypeVar("WordT", bound=StrEnum)
Scalars = dict[str, bool | int | float | str]

#: A run ends a minute before the next slot, so this time must suffice for exits and entries.
MINUTES_BETWEEN_SLOTS = 5

_LARGEST_EXACT = 2**53  # up to here a float, and so JSON, holds every integer exactly

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_INTEGER = re.compile(r"[0-9]{1,12}")
_ACCOUNT_NUMBER = re.compile(r"[A-Za-z0-9]{0,40}")
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_MODULE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Misfit(Exception):  # noqa: N818 - caught by `settings`, which turns it into an error
    """A parameter has a value that is not allowed.

    Parameters
    ----------
    allowed : str
        The allowed values, in words that follow "set to".
    """

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed


def stack_name(text: str) -> str:
    """Parse a name that CloudFormation gives."""
    if not _STACK_NAME.fullmatch(text):
        raise Misfit("the stack's name: letters, digits and hyphens")
    return text


def account_number(text: str) -> str:
    """Parse an optional account number."""
    if not _ACCOUNT_NUMBER.fullmatch(text):
        raise Misfit("an account number of only letters and digits")
    return text


def module(text: str) -> str:
    """Parse the name of a Python module."""
    if not _MODULE.fullmatch(text):
        raise Misfit("the name of a file in functions/strategies, without .py")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """Return a parser that accepts one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise Misfit(f"one of {', '.join(words)}")
        return text

    return parse


def adjustment(text: str) -> str:
    """Parse the adjustments of bars, such as ``split,spin-off``."""
    words = [each.strip() for each in text.split(",")]
    is_list = len({*words}) == len(words) and {*words} <= {"split", "dividend", "spin-off"}
    if not is_list and text not in {"raw", "all"}:
        raise Misfit("raw, all, or some of split, dividend and spin-off, separated by commas")
    return ",".join(words)


def word(kind: type[WordT], *allowed: WordT) -> Callable[[str], WordT]:
    """Return a parser that accepts an enumeration's values, or only the given ones."""
    words = [each.value for each in allowed or kind]
    return lambda text: kind(one_of(*words)(text))


def dollars(bounds: Bounds) -> Callable[[str], Dollars]:
    """Return a parser for an amount in dollars."""
    number = _number(f"a number of dollars {_range(bounds)}, such as 50000", bounds)
    return lambda text: Dollars(number(text))


def no_dollars_or_some(bounds: Bounds) -> Callable[[str], Dollars | None]:
    """Return a parser for an optional amount in dollars."""
    some = dollars(bounds)

    def parse(text: str) -> Dollars | None:
        try:
            return some(text) if text else None
        except Misfit as misfit:
            raise Misfit(f"{misfit.allowed}, or left empty for no cap") from None

    return parse


def fraction(bounds: Bounds) -> Callable[[str], Fraction]:
    """Return a parser for a fraction."""
    number = _number(f"a fraction {_range(bounds)}, such as 0.02", bounds)
    return lambda text: Fraction(number(text))


def _number(allowed: str, bounds: Bounds) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        if not _NUMBER.fullmatch(text) or not bounds.allow(Decimal(text)):
            raise Misfit(allowed)
        return Decimal(text)

    return parse


def _range(bounds: Bounds) -> str:
    word = "above" if bounds.above_lowest else "from"
    return f"{word} {bounds.lowest} up to {bounds.highest}"


def integer(bounds: Bounds) -> Callable[[str], int]:
    """Return a parser for a whole number."""

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not bounds.allow(int(text)):
            raise Misfit(f"a whole number from {bounds.lowest} to {bounds.highest}")
        return int(text)

    return parse


def symbols(text: str) -> tuple[str, ...]:
    """Parse symbols and names of lists, such as ``@liquid``, without repeats."""
    words = [each.strip() for each in text.split(",")]
    wrong = [each for each in words if not (_is_list(each) or SYMBOL_PATTERN.fullmatch(each))]
    if wrong or len(set(words)) != len(words):
        raise Misfit(
            "symbols in capitals or names of lists, separated by commas, without repeats, such as "
            "AAPL,BRK.B or @liquid"
        )
    return tuple(words)


def _is_list(word: str) -> bool:
    return word.startswith(MARK) and bool(NAME_PATTERN.fullmatch(word.removeprefix(MARK)))


def no_symbols_or_some(text: str) -> tuple[str, ...]:
    """Parse optional symbols and names of lists, without repeats."""
    try:
        return symbols(text) if text else ()
    except Misfit as misfit:
        raise Misfit(f"{misfit.allowed}, or left empty for none") from None


def no_symbol_or_one(text: str) -> str:
    """Parse an optional symbol."""
    if text and not SYMBOL_PATTERN.fullmatch(text):
        raise Misfit("one symbol in capitals, such as SPY, or left empty for none")
    return text


def slots(text: str) -> tuple[str, ...]:
    """Parse the slots of a session, ascending."""
    slots = [each.strip() for each in text.split(",")]
    if slots == ["day"]:
        return ("day",)
    times = [each for each in slots if SLOT_PATTERN.fullmatch(each) and each.isdigit()]
    if times != slots or sorted(set(slots)) != slots:
        raise Misfit("day, or ascending New York times of day as HHMM, such as 0935,1530")
    minutes = [int(each[:2]) * 60 + int(each[2:]) for each in slots]
    if any(late - early < MINUTES_BETWEEN_SLOTS for early, late in pairwise(minutes)):
        raise Misfit(f"times of day that are {MINUTES_BETWEEN_SLOTS} minutes apart or more")
    return tuple(slots)


def scalars(text: str) -> Scalars:
    """Parse a JSON object of plain values."""
    allowed = 'a JSON object of strings, numbers, true and false, such as {"top": 2}'
    try:
        value = json.loads(
            text, parse_float=parse_float, parse_constant=_no_constant, object_pairs_hook=_no_twins
        )
    except (ValueError, RecursionError):
        raise Misfit(allowed) from None
    if not isinstance(value, dict) or not all(map(_is_scalar, value.values())) or first_flaw(value):
        raise Misfit(allowed)
    return value


def _is_scalar(value: object) -> bool:
    if isinstance(value, int | float):
        return abs(value) <= _LARGEST_EXACT
    return isinstance(value, str)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        message = "duplicate key"
        raise ValueError(message)
    return dict(pairs)
