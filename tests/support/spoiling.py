"""Owns how a JSON document is spoiled: at one random place, with a hostile value."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Container
from random import Random
from typing import Any

LONE = "\ud800"
#: Numbers that Python's JSON writer cannot write; `as_json` puts their text into the document.
RAW = ("1e999", "-1e999", "1e-999999", "1e308", "NaN", "Infinity", "-0.0", "1" + "0" * 400)
_MARK = "raw number "
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 10**12, -0.5, 1e-300),
    *("", " ", "0", "-1", "NaN", "Infinity", "1e308", "1e999", "1e-999999", "1,000", "0x10", "٣"),
    *(LONE, f"x{LONE}y", "\u202egnp", "a\u2066b\u200b", "\x00", "\x1b[31m", "\r\n\r\nORDERS\n  x"),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2012-06-20T13:35:00"),
    *("9999-12-31", "0001-01-01", "2012-02-30", "now", "../../x", "AAPL", "aapl", "x" * 5000),
    *([], {}, [[]], {"": None}, ["AAPL", "AAPL"], [None]),
    *(_MARK + each for each in RAW),
)
DAYS = ("9999-12-31", "0001-01-01", "2012-02-15", "2012-07-02", "1969-12-31", "2199-12-31")
FACTORS = (-1, 0, 0.5, 2, 10, 1e6, 1e-6, 1e12, 1e-12)
NUMBERS = tuple(each for each in VALUES if isinstance(each, str) and each[-1:].isdigit()) + RAW
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def spoil(chance: Random, document: Any, read: Container[str] = frozenset()) -> tuple[Any, str]:
    """Return a copy of a document that is spoiled at one place, and a description of the change.

    Parameters
    ----------
    read : container of str
        Names of the fields that the desk reads; if there are any, one of them is spoiled.
    """
    spoiled = copy.deepcopy(document)
    if not isinstance(spoiled, dict | list) or not spoiled or chance.random() < 0.02:
        value = chance.choice(VALUES)
        return value, f"$ = {value!r:.60}"
    place, path = spoiled, "$"
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = chance.choice([each for each in keys if each in read] or keys)
        path += f"[{key!r}]"
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.05:
            return spoiled, f"{path} {_spoil_at(chance, place, key)}"
        place = inner


def _spoil_at(chance: Random, place: Any, key: Any) -> str:
    way = chance.choice(("replace", "alike", "alike", "alike", "remove", "double", "swap", "add"))
    value = place[key]
    if way == "remove":
        del place[key]
    elif way == "double" and isinstance(place, list):
        place.insert(key, copy.deepcopy(value))
    elif way == "swap":
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        other = chance.choice(keys)
        place[key], place[other] = place[other], place[key]
        return f"swapped with {other!r}"
    elif way == "add" and isinstance(place, dict):
        place[chance.choice(("more", LONE, "\u202e", ""))] = chance.choice(VALUES)
    else:
        alike = _alike(chance, value) if way == "alike" else None
        place[key] = chance.choice(VALUES) if alike is None else alike
        return f"= {place[key]!r:.60}"
    return way


def _alike(chance: Random, value: Any) -> Any:
    """Return another value of the same type and form, which passes a schema, or None."""
    if isinstance(value, str) and _DAY.match(value):
        moved = _DAY.sub(chance.choice(DAYS), value)
        return chance.choice((moved, moved[:10], moved.removesuffix("Z"), moved + "x", "x" + moved))
    if isinstance(value, bool):
        return not value
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return chance.choice([each for each in VALUES if type(each) is type(value)] or [None])
    if isinstance(value, str) and chance.random() < 0.3:
        return chance.choice(NUMBERS)
    other = number * chance.choice(FACTORS) + chance.choice((0, 0, 1, -1, 1e-9))
    if isinstance(value, str):
        return f"{other:.9f}"
    return int(other) if isinstance(value, int) and abs(other) < 2**63 else other


def as_json(document: Any) -> str:
    """Format a document as JSON, with numbers of `RAW` and lone surrogates, which are not JSON."""
    text = json.dumps(document)
    for each in RAW:
        text = text.replace(f'"{_MARK}{each}"', each)
    return text


def as_python(document: Any) -> Any:
    """Return a document as Lambda would pass it to a function."""
    return json.loads(as_json(document))
