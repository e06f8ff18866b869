"""Text from outside keeps its printable characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.errors import ConfigurationError
from algotrader.plain_text import one_line, printable

#: Control characters, zero-width characters, direction marks and overrides, line and paragraph
#: separators, lone surrogates, and a private-use character.
HIDDEN = (
    "\x00\x07\x1b\x7f\x85\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    "\u2028\u2029\ufeff\ud800\udfff\ue000\r\n\t"
)


@pytest.mark.parametrize("character", HIDDEN)
def test_what_does_not_show_becomes_a_space(character: str) -> None:
    assert printable(f"a{character}b") == "a b"


@pytest.mark.parametrize("text", ["", "plain", "Ärger: 50 %", "日本 \N{GRINNING FACE}", "a  b "])
def test_what_shows_stays(text: str) -> None:
    assert printable(text) == text


def test_one_line_has_no_runs_of_spaces_and_no_more_than_was_asked_for() -> None:
    assert one_line(" a\r\n\r\n b\u202e ", 3) == "a b"
    assert one_line("abcdef", 3) == "abc"


@given(st.text(st.characters(codec=None, categories=None)))
def test_no_text_keeps_a_control_character_or_a_surrogate(text: str) -> None:
    kept = printable(text)

    assert len(kept) == len(text)
    assert not {unicodedata.category(each) for each in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    kept.encode()


def test_no_error_of_ours_carries_what_does_not_show() -> None:
    error = ConfigurationError("CODE", "Do this.", broker=f"x{HIDDEN}y", request="GET /v2/clock")

    assert str(error) == f"CODE: broker=x{' ' * len(HIDDEN)}y request=GET /v2/clock. Do this."
