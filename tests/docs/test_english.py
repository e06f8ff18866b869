"""Pages, docstrings, comments and messages follow the rules of CONTRIBUTING.md.

english_to_do.txt lists the files that still break a rule. The list may only shrink.
"""

from __future__ import annotations

import pytest

from tests.docs.english import BANNED, MOST_WORDS, entries, long_sentences, to_do, words_of

REMOVE = "run `python -m tests.docs.english --write`"


def test_what_is_covered_keeps_to_the_rules() -> None:
    wrong = {entry: found for entry, found in entries().items() if entry not in to_do()}
    assert wrong == {}


def test_a_file_that_keeps_to_the_rules_leaves_the_list() -> None:
    assert [each for each in to_do() if each not in entries()] == [], REMOVE


def test_the_list_is_sorted_and_names_each_file_once() -> None:
    assert to_do() == sorted(set(to_do())), REMOVE


@pytest.mark.parametrize(
    "text",
    [
        "Mend what the text names.",
        "It begins anew.",
        "They seldom fail.",
        "Meanwhile the stop sold.",
        "Whoever flattens wants to be out.",
        "The lock lies beside it.",
        "Reckon with an hour.",
        "It was told by text.",
        "The text tells why.",
        "What is untold stays.",
        "We hold the account against the books.",
        "It is held against the limits.",
        "A symbol that is no number.",
        "They are no orders.",
        "It waits for ever.",
        "A bell in the place of a run.",
        "Denied for want of a price.",
        "The symbols, each once.",
        "It sends the very order.",
        "Hence it waits.",
        "Taxes count likewise.",
        "It trades if it may. Else it waits.",
        "An order shall end.",
        "It holds also when it fails.",
        "The stop that it is to have.",
    ],
)
def test_a_banned_word_is_found(text: str) -> None:
    assert len(list(words_of(text, is_doc=False))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "They recommend it, besides.",
        "Two runs can be told apart. It tells the two apart.",
        "The desk holds 5 IBM. The limit works against it.",
        "There is no number. It is no longer sent, and no later than noon.",
        "`told` is a name, and [so](0010-untold-ends-are-told-by-a-rule.md) is a file's.",
    ],
)
def test_an_ordinary_word_is_not(text: str) -> None:
    assert list(words_of(text, is_doc=False)) == []


@pytest.mark.parametrize("opening", ["Give", "Gives", "Tell", "Spell", "Say", "Hold"])
def test_a_docstring_does_not_open_with_a_banned_word(opening: str) -> None:
    text = f"{opening} a name."
    assert [each for each in words_of(text, is_doc=True) if "opens with" in each]
    assert not [each for each in words_of(text, is_doc=False) if "opens with" in each]


def test_every_banned_word_has_something_to_write_instead() -> None:
    assert all(BANNED.values())


SHORT = " ".join(["word"] * MOST_WORDS) + "."


@pytest.mark.parametrize(
    "page",
    [
        f"Word {SHORT}",
        f"One. Word {SHORT} Two.",
        f"- item\n- word\n  {SHORT}",
        f"| cell | word {SHORT} |",
        f"Word [{SHORT}](page.md)",
    ],
)
def test_a_sentence_of_too_many_words_is_found(page: str) -> None:
    assert len(long_sentences(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        SHORT,
        f"Word.\n{SHORT.capitalize()}",
        f"{SHORT.capitalize()} {SHORT.capitalize()}",
        f"- {SHORT}\n- {SHORT}",
        f"| {SHORT} | {SHORT} |",
        f"# Heading\n{SHORT}\n\n{SHORT}",
        "`a b c` " * MOST_WORDS,
    ],
)
def test_shorter_ones_are_not_joined(page: str) -> None:
    assert long_sentences(page) == []
