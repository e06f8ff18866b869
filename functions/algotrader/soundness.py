"""Owns which values no step can work with: texts that are not Unicode, numbers and instants beyond
all sense. A schema lets them pass, and something breaks far behind it, without a name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

from algotrader.model import BOUNDS, Account, LatestPrice, Order, Position, Run, Settings
from algotrader.orders.ids import DESK_PATTERN, SLOT_PATTERN, SYMBOL_PATTERN, run_id

#: Years of every instant and day that a run may meet, in any offset.
FIRST_YEAR, LAST_YEAR = 1970, 2199
#: Step Functions gives no longer name to an execution.
LONGEST_ARN = 256

Span = tuple[int, int]
Judge = Callable[[Any, Span], str]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_INTEGER = 2**53  # the largest that JSON's readers agree on
_LARGEST_COUNT = 10**9  # of seconds, calls, orders
# Powers of ten. What the broker says is money, prices and shares; what we compute of it may be a
# quotient of all of these, or a float of a strategy's.
_BROKERS: Span = (-15, 15)
_OURS: Span = (-400, 40)
_BROKERS_WORDS = (Account, LatestPrice, Order, Position)
_MOST_DIGITS = 500
_BEYOND_SENSE = ": a number beyond all sense"


def is_brokers_number(number: Decimal) -> bool:
    """Whether a number may be an amount of dollars or shares, or a price, of any account."""
    return _is_within(number, _BROKERS)


def is_instant(instant: datetime) -> bool:
    """Whether an instant has an offset, and lies in the years that a run may meet."""
    return instant.tzinfo is not None and _is_day(instant)


def sound_float(text: str) -> float:
    """Read a number of JSON.

    Raises
    ------
    ValueError
        When a float would turn it into 0 or an infinity.
    """
    number = float(text)
    if not math.isfinite(number) or (number == 0 and Decimal(text) != 0):
        message = "a number beyond all sense"
        raise ValueError(message)
    return number


def first_flaw(value: object) -> str:
    """Return where the first value is that no step can work with, and why; empty if none is.

    What is typed ``Any`` within a structure is left alone: it is judged once it has a type.
    """
    flaw = _flaw(value, _OURS)
    return f"${flaw}" if flaw else ""


def _flaw(value: Any, span: Span) -> str:
    """Return a flaw's place, from the value on, and what it is: ``.qty: a number ...``."""
    kind: Any = type(value)  # classes are hashable, which mypy cannot see of all of them
    return _judge_of(kind)(value, span)


@cache
def _judge_of(kind: Any) -> Judge:
    """Choose how values of a type are judged; once, since a run's bars are a million of them."""
    for base, judge in _JUDGES:
        if issubclass(kind, base):
            return judge
    if is_dataclass(kind) or hasattr(kind, "__struct_fields__"):
        return _judge_of_structure(kind)
    return _nothing


def _judge_of_structure(kind: Any) -> Judge:
    hints = get_type_hints(kind)
    names = tuple(each for each, hint in hints.items() if Any not in {hint, *get_args(hint)})
    bounds = BOUNDS if issubclass(kind, Settings) else {}
    is_brokers = issubclass(kind, _BROKERS_WORDS)
    misnamed = _MISNAMED.get(kind, _nothing)

    def judge(value: object, span: Span) -> str:
        within = _BROKERS if is_brokers else span
        for name in names:
            each = getattr(value, name)
            flaw = _flaw(each, within)
            if not flaw and type(each) is int and abs(each) > _LARGEST_COUNT:
                flaw = _BEYOND_SENSE
            if not flaw and name in bounds and each is not None and not bounds[name].allow(each):
                flaw = f": a number beyond {bounds[name].lowest} to {bounds[name].highest}"
            if flaw:
                return f".{name}{flaw}"
        return misnamed(value, within)

    return judge


def _misnamed_run(run: Run, _span: Span) -> str:
    """Name what of a run makes no order, and no key of an object, of this run."""
    fits = {
        "run_id": run.run_id == run_id(run.session, run.slot),
        "slot": SLOT_PATTERN.fullmatch(run.slot),
        "desk": DESK_PATTERN.fullmatch(run.desk),
        "execution_arn": len(run.execution_arn) <= LONGEST_ARN,
        "journal": run.journal.startswith(f"runs/{run.session}/{run.run_id}/")
        and len(run.journal) <= LONGEST_ARN,
        "entry_symbols": all(map(SYMBOL_PATTERN.fullmatch, run.entry_symbols)),
    }
    return next((f".{name}: not one of a run" for name, it in fits.items() if not it), "")


def _misnamed_settings(settings: Settings, _span: Span) -> str:
    fit = all(map(SYMBOL_PATTERN.fullmatch, settings.symbols))
    return "" if fit else ".symbols: not symbols"


def _text(value: str, _span: Span) -> str:
    return "" if value.isascii() or not _LONE_SURROGATE.search(value) else ": a lone surrogate"


def _float(value: float, _span: Span) -> str:
    return "" if math.isfinite(value) else ": a number that is not finite"


def _decimal(value: Decimal, span: Span) -> str:
    return "" if _is_within(value, span) else _BEYOND_SENSE


def _integer(value: int, _span: Span) -> str:
    return "" if abs(value) <= _LARGEST_INTEGER else _BEYOND_SENSE


def _instant(value: datetime, _span: Span) -> str:
    return "" if is_instant(value) else ": an instant without an offset, or of no sensible year"


def _day(value: date, _span: Span) -> str:
    return "" if _is_day(value) else ": a day of no sensible year"


def _mapping(value: Mapping[object, object], span: Span) -> str:
    for key, each in value.items():
        flaw = _flaw(key, span) or _flaw(each, span)
        if flaw:
            return f"[{str(key)[:40]!r}]{flaw}"
    return ""


def _sequence(value: Sequence[Any], span: Span) -> str:
    kinds = set(map(type, value))
    if kinds == {float}:  # a column of bars, or the one of their days
        return "" if all(map(math.isfinite, value)) else "[...]: a number that is not finite"
    if kinds == {date}:
        value = (min(value), max(value))
    for n, each in enumerate(value):
        flaw = _flaw(each, span)
        if flaw:
            return f"[{n}]{flaw}"
    return ""


def _nothing(_value: object, _span: Span) -> str:
    return ""


_MISNAMED: Mapping[type, Judge] = {Run: _misnamed_run, Settings: _misnamed_settings}
_JUDGES: tuple[tuple[type | tuple[type, ...], Judge], ...] = (
    ((Enum, bool, type(None)), _nothing),
    (str, _text),
    (float, _float),
    (Decimal, _decimal),
    (int, _integer),
    (datetime, _instant),
    (date, _day),
    (Mapping, _mapping),
    ((list, tuple), _sequence),
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
