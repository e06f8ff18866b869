"""Owns the form of the text message: how to check ``TextTemplate`` and fill in its fields.

A template is one line of words and named fields, such as ``{head}: {orders}. {equity}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from algotrader.plain_text import one_line
from algotrader.suggestions import did_you_mean

#: Every field and what it shows; ``docs/texts.md`` has the same list.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "head": "sender, mode and session",
        "mode": "`PAPER`, `LIVE` or `DRY RUN`",
        "session": "the session, and the slot if there are several",
        "orders": "what the run did and what needs attention; in a report, the day's return",
        "last": "the desk's return in the last session; in a report, of the week and the month",
        "since": "the desk's return since its first session",
        "equity": "the account's equity",
        "day": "the desk's return since the previous close",
        "week": "the desk's return this week",
        "month": "the desk's return this month",
        "benchmark": "the benchmark's return since the previous close, with dividends",
        "best": "the holding that rose most since the previous close",
        "worst": "the holding that fell most since the previous close",
        "account": "the account's profit since the previous close, in dollars",
        "desk": "the desk's profit since the previous close, in dollars",
        "cash": "the account's cash",
        "strategy": "the strategy's name",
    }
)
#: A text without this field would hide what was traded, and a missing stop.
REQUIRED = "orders"
LONGEST = 160

_FIELD = re.compile(r"\{([A-Za-z0-9_]+)\}")
_MARKS = re.compile(r"[^\w\s$+-]*\s*")
_STRENGTH = ",;.!?:"


def template_flaw(template: str) -> str:
    """Describe what is wrong with a template, in words that follow its name.

    Return an empty string if nothing is wrong.
    """
    unknown = [each for each in _FIELD.findall(template) if each not in FIELDS]
    if unknown:
        name = unknown[0][:30]
        return f"has the unknown field {{{name}}}{did_you_mean(name, FIELDS).rstrip('?')}"
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        return "has a brace that is not part of a plain field such as {orders}"
    if REQUIRED not in _FIELD.findall(template):
        return f"lacks the field {{{REQUIRED}}}, without which a text would hide a missing stop"
    if len(template) > LONGEST or one_line(template) != template:
        return f"is not one line of at most {LONGEST} characters"
    return ""


def fields_of(template: str) -> frozenset[str]:
    """Return the names of a template's fields."""
    return frozenset(_FIELD.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template; an empty field disappears together with the words before it.

    Of the punctuation around an empty field, the strongest mark stays. A field that begins a
    sentence begins with a capital letter.
    """
    *pairs, tail = _FIELD.split(template)
    text = mark = ""
    is_first = True
    for words, name in zip(pairs[::2], pairs[1::2], strict=True):
        value = values.get(name, "")
        own = _mark(words)
        stronger = own if _rank(own) >= _rank(mark) else mark
        if not value:
            mark, is_first = stronger, False
            continue
        lead = (stronger if text else own if is_first else "") + words[len(own) :]
        mark, is_first = "", False
        begins = (text + lead).rstrip().endswith((".", "!", "?"))
        text += lead + (value[0].upper() + value[1:] if begins else value)
    return (text + tail).strip()


def _mark(words: str) -> str:
    """Return the punctuation and spaces at the start of some words."""
    found = _MARKS.match(words)
    return found[0] if found else ""


def _rank(mark: str) -> int:
    return max((_STRENGTH.find(each) for each in mark.strip()), default=-1)
