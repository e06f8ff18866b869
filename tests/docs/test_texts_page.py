"""The page on texts shows what the messages' own code writes."""

from __future__ import annotations

from algotrader.messages.text_template import LONGEST
from algotrader.model.settings import TEXT_TEMPLATE
from tests.support.checkout import CHECKOUT
from tests.support.text_examples import examples_table, fields_table

PAGE = (CHECKOUT / "docs/texts.md").read_text(encoding="utf-8")
HINT = "PYTHONPATH=functions:. python -m tests.support.text_examples prints both tables"


def test_the_examples_of_the_page_are_real_texts() -> None:
    assert examples_table() in PAGE, HINT


def test_the_page_lists_every_field_of_the_template() -> None:
    assert fields_table() in PAGE, HINT
    assert f"The default is `{TEXT_TEMPLATE}`" in PAGE
    assert f"at most {LONGEST} characters" in PAGE
