"""Owns the conversion of text to GSM-7, and its length in septets.

In GSM 03.38 a segment has 160 septets. A basic character takes one septet, and a character of the
extension table takes two. Any other character turns the whole message into UCS-2, with 70
characters per segment.
"""

from __future__ import annotations

import re
import unicodedata

SEGMENT_SEPTETS = 160

_BASIC = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€")
_LOOKALIKES = str.maketrans(
    {
        "`": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{RIGHTWARDS ARROW}": "->",
    }
)
_ELLIPSIS = "..."
_CUT_FIGURE = re.compile(r"[-+$]*[0-9][0-9.,%]*$")


def to_gsm7(text: str) -> str:
    """Convert text to one line of GSM-7; replace other characters by look-alikes or ``?``."""
    replaced = "".join(map(_character, text.translate(_LOOKALIKES)))
    return " ".join(replaced.split())


def _character(character: str) -> str:
    if character in _BASIC or character in _EXTENSION:
        return character
    if character.isspace() or unicodedata.category(character).startswith("C"):
        return " "
    plain = unicodedata.normalize("NFKD", character)
    kept = "".join(each for each in plain if each in _BASIC or each in _EXTENSION)
    return kept or "?"


def septets(text: str) -> int:
    """Count the septets of a GSM-7 string."""
    return sum(2 if character in _EXTENSION else 1 for character in text)


def shorten(text: str, limit: int) -> str:
    """Cut a GSM-7 string between words to at most ``limit`` septets, and add an ellipsis.

    Only a first word that is too long is cut inside. A number stays whole or disappears. If even
    the ellipsis does not fit, the result is empty.
    """
    if septets(text) <= limit:
        return text
    room = limit - len(_ELLIPSIS)
    if room < 0:
        return ""
    end = used = 0
    for character in text:
        used += septets(character)
        if used > room:
            break
        end += 1
    kept = text[:end]
    if text[end : end + 1] != " ":
        head, space, _ = kept.rpartition(" ")
        kept = head if space else _CUT_FIGURE.sub("", kept)
    return kept.rstrip(" ,;:.(") + _ELLIPSIS
