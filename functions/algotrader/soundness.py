"""Owns the check for values that no step can use: broken Unicode, absurd numbers and instants.

A schema accepts these values. Without the check a later step would fail, with a message that names
no field.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

from algotrader.model import BOUNDS, Account, LatestPrice, Order, Position, Run, Settings
from algotrader.orders.ids import DESK_PATTERN, SLOT_PATTERN, SYMBOL_PATTERN, run_id

#: First and last year of the instants and days that a run accepts, in any UTC offset.
FIRST_YEAR, LAST_YEAR = 1970, 2199
#: The longest ARN of an execution.
LONGEST_ARN = 256

Span = tuple[int, int]
Judge = Callable[[Any, Span], str]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_INTEGER = 2**53  # the largest that all JSON readers read exactly
_LARGEST_COUNT = 10**9  # of seconds, calls, orders
# Smallest and largest power of ten. The broker's numbers are dollars, prices and shares. Our
# numbers may be quotients of these, or a strategy's floats.
_BROKERS: Span = (-15, 15)
_OURS: Span = (-400, 40)
_BROKERS_TYPES = (Account, LatestPrice, Order, Position)
_MOST_DIGITS = 500
_OUT_OF_RANGE = ": a number far out of range"


def is_brokers_number(number: Decimal) -> bool:
    """Whether a number is within the range of the broker's dollars, prices and shares."""
    return _is_within(number, _BROKERS)


def is_instant(instant: datetime) -> bool:
    """Whether an instant has an offset and lies between `FIRST_YEAR` and `LAST_YEAR`."""
    return instant.tzinfo is not None and _is_day(instant)


def parse_float(text: str) -> float:
    """Parse a JSON number as a float.

    Raises
    ------
    ValueError
        If the float would be infinite, or 0 for a number that is not 0.
    """
    number = float(text)
    if not math.isfinite(number) or (number == 0 and Decimal(text) != 0):
        message = "a number far out of range"
        raise ValueError(message)
    return number


def first_flaw(value: object) -> str:
    """Return the path of the first unusable value, and what is wrong.

    Return an empty string if all are usable.

    The function skips fields of type ``Any``; the code that parses such a field checks it.
    """
    flaw = _flaw(value, _OURS)
    return f"${flaw}" if flaw else ""


def _flaw(value: Any, span: Span) -> str:
    """Return the first flaw, preceded by its path within the value: ``.qty: a number ...``."""
    kind: Any = type(value)  # classes are hashable, but mypy cannot prove it for all of them
    return _judge_of(kind)(value, span)


@cache
def _judge_of(kind: Any) -> Judge:
    """Choose the check for a type; cached, since a run's bars contain a million values."""
    for base, judge in _JUDGES:
        if issubclass(kind, base):
            return judge
    if hasattr(kind, "__struct_fields__"):
        return _judge_of_structure(kind)
    return _accept


def _judge_of_structure(kind: Any) -> Judge:
    hints = get_type_hints(kind)
    names = tuple(each for each, hint in hints.items() if Any not in {hint, *get_args(hint)})
    bounds = BOUNDS if issubclass(kind, Settings) else {}
    is_brokers = issubclass(kind, _BROKERS_TYPES)
    check_names = _NAME_CHECKS.get(kind, _accept)

    def judge(value: object, span: Span) -> str:
        within = _BROKERS if is_brokers else span
        for name in names:
            each = getattr(value, name)
            flaw = _flaw(each, within)
            if not flaw and type(each) is int and abs(each) > _LARGEST_COUNT:
                flaw = _OUT_OF_RANGE
            if not flaw and name in bounds and each is not None and not bounds[name].allow(each):
                flaw = f": a number outside {bounds[name].lowest} to {bounds[name].highest}"
            if flaw:
                return f".{name}{flaw}"
        return check_names(value, within)

    return judge


def _check_run_names(run: Run, _span: Span) -> str:
    """Name the first field that would make an order id or an S3 key invalid."""
    fits = {
        "run_id": run.run_id == run_id(run.session, run.slot),
        "slot": SLOT_PATTERN.fullmatch(run.slot),
        "desk": DESK_PATTERN.fullmatch(run.desk),
        "execution_arn": len(run.execution_arn) <= LONGEST_ARN,
        "journal": run.journal.startswith(f"runs/{run.session}/{run.run_id}/")
        and len(run.journal) <= LONGEST_ARN,
        "entry_symbols": all(map(SYMBOL_PATTERN.fullmatch, run.entry_symbols or ())),
    }
    return next((f".{name}: not a value of a run" for name, it in fits.items() if not it), "")


def _check_settings_names(settings: Settings, _span: Span) -> str:
    fit = all(map(SYMBOL_PATTERN.fullmatch, settings.symbols))
    return "" if fit else ".symbols: not valid symbols"


def _text(value: str, _span: Span) -> str:
    return "" if value.isascii() or not _LONE_SURROGATE.search(value) else ": a lone surrogate"


def _float(value: float, _span: Span) -> str:
    return "" if math.isfinite(value) else ": a number that is not finite"


def _decimal(value: Decimal, span: Span) -> str:
    return "" if _is_within(value, span) else _OUT_OF_RANGE


def _integer(value: int, _span: Span) -> str:
    return "" if abs(value) <= _LARGEST_INTEGER else _OUT_OF_RANGE


def _instant(value: datetime, _span: Span) -> str:
    return (
        "" if is_instant(value) else ": an instant without an offset, or with a year out of range"
    )


def _day(value: date, _span: Span) -> str:
    return "" if _is_day(value) else ": a day with a year out of range"


def _mapping(value: Mapping[object, object], span: Span) -> str:
    for key, each in value.items():
        flaw = _flaw(key, span) or _flaw(each, span)
        if flaw:
            return f"[{str(key)[:40]!r}]{flaw}"
    return ""


def _sequence(value: Sequence[Any], span: Span) -> str:
    kinds = set(map(type, value))
    if kinds == {float}:  # a column of bars
        return "" if all(map(math.isfinite, value)) else "[...]: a number that is not finite"
    if kinds == {date} or (kinds == {datetime} and all(each.tzinfo for each in value)):
        value = (min(value), max(value))
    for n, each in enumerate(value):
        flaw = _flaw(each, span)
        if flaw:
            return f"[{n}]{flaw}"
    return ""


def _accept(_value: object, _span: Span) -> str:
    return ""


_NAME_CHECKS: Mapping[type, Judge] = {Run: _check_run_names, Settings: _check_settings_names}
_JUDGES: tuple[tuple[type | tuple[type, ...], Judge], ...] = (
    ((Enum, bool, type(None)), _accept),
    (str, _text),
    (float, _float),
    (Decimal, _decimal),
    (int, _integer),
    (datetime, _instant),
    (date, _day),
    (Mapping, _mapping),
    ((list, tuple, array), _sequence),
)


def _is_within(number: Decimal, span: Span) -> bool:
    if not number.is_finite():
        return False
    _, digits, exponent = number.as_tuple()
    if len(digits) > _MOST_DIGITS or abs(int(exponent)) > _MOST_DIGITS:
        return False
    return number == 0 or span[0] <= number.adjusted() <= span[1]


def _is_day(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR
