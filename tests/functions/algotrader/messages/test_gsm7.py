import re

from hypothesis import given
from hypothesis import strategies as st

from algotrader.messages.gsm7 import septets, shorten, to_gsm7
from tests.support.gsm7 import BASIC

EXTENSION = set("^{}\\[~]|€\f")


def test_the_alphabet_is_that_of_the_standard():
    assert len(BASIC) == 127
    kept = {chr(code) for code in range(0x3000) if to_gsm7(f"a{chr(code)}b") == f"a{chr(code)}b"}
    assert kept == (BASIC | EXTENSION) - set("\n\r\f")


def test_characters_of_the_extension_table_count_double():
    assert septets("a{b}") == 6
    assert septets("€") == 2


def test_lookalikes_keep_their_meaning():
    assert (
        to_gsm7("it\u2019s \u201cdone\u201d \u2013 5\u00d72 \u2192 `x`")
        == "it's \"done\" - 5x2 -> 'x'"
    )


def test_letters_lose_accents_that_the_alphabet_lacks():
    assert to_gsm7("Ibañez Łódź crème ç") == "Ibañez ?ódz crème c".replace("ó", "o")


def test_a_character_without_an_encoding_becomes_a_question_mark():
    assert to_gsm7("up \N{ROCKET} 漢") == "up ? ?"


def test_lines_and_control_characters_become_single_spaces():
    assert to_gsm7(" a\r\n\tb\x00\x1b\u200bc ") == "a b c"


def test_a_text_that_fits_is_left_alone():
    assert shorten("bought 56 AAPL", 14) == "bought 56 AAPL"


def test_a_cut_falls_between_words():
    assert shorten("bought 56 AAPL, 31 GOOG", 19) == "bought 56 AAPL..."


def test_a_number_stays_whole_or_disappears():
    assert shorten("equity is $1234567.89 now", 20) == "equity is..."
    assert shorten("x$1234567.89", 10) == "x..."


def test_nothing_is_left_if_not_even_the_ellipsis_fits():
    assert shorten("abcdef", 2) == ""


@given(st.text())
def test_any_text_becomes_one_line_of_gsm7(text):
    spelled = to_gsm7(text)
    assert set(spelled) <= (BASIC | EXTENSION) - set("\n\r\f")
    assert spelled == spelled.strip()
    assert to_gsm7(spelled) == spelled


@given(st.text().map(to_gsm7), st.integers(0, 200))
def test_a_shortened_text_never_exceeds_its_limit(text, limit):
    assert septets(shorten(text, limit)) <= limit


@given(
    st.lists(st.from_regex(r"[a-z]{1,8}|[+-]?\$?[0-9]{1,9}(\.[0-9]{2})?", fullmatch=True)),
    st.integers(3, 80),
)
def test_no_number_is_cut_wherever_the_cut_falls(words, limit):
    text = " ".join(words)
    kept = shorten(text, limit).removesuffix("...")
    figures = re.findall(r"\S*[0-9]\S*", kept)
    assert all(figure in words for figure in figures)
