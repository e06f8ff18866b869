"""The form of the text message is the user's, and no form can hide what matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.messages.gsm7 import septets
from algotrader.messages.text_template import FIELDS, fill, template_flaw
from algotrader.model.settings import TEXT_TEMPLATE
from tests.support.desk_world import settings
from tests.support.finished_runs import (
    RUN,
    decision,
    order,
    run_report,
    submission,
)

BOUGHT = submission(order("AAPL", "56"))


def text(template, **changes):
    given = {"settings": settings(text_template=template), "submission": BOUGHT, **changes}
    return make_texts(run_report(**given)).sms


@pytest.mark.parametrize(
    ("template", "flaw"),
    [
        (TEXT_TEMPLATE, ""),
        ("{orders}", ""),
        ("{ordrs}", "has the unknown field {ordrs}; did you mean orders"),
        ("{orders} {Equity}", "has the unknown field {Equity}; did you mean equity"),
        ("{orders} {equity.real}", "has a brace that is not part of a plain field"),
        ("{orders} {equity!r}", "has a brace that is not part of a plain field"),
        ("{orders} {equity:>9}", "has a brace that is not part of a plain field"),
        ("{orders} {0}", "has the unknown field {0}"),
        ("{orders} {equity[0]}", "has a brace that is not part of a plain field"),
        ("{{orders}}", "has a brace that is not part of a plain field"),
        ("{head} {equity}", "lacks the field {orders}"),
        ("", "lacks the field {orders}"),
        ("{orders}\n{equity}", "is not one line"),
        ("{orders}" + "x" * 160, "is not one line of at most 160 characters"),
    ],
)
def test_a_template_has_only_plain_known_fields_and_the_required_one(template, flaw):
    assert template_flaw(template).startswith(flaw)
    assert bool(template_flaw(template)) == bool(flaw)


def test_a_template_sets_the_form_of_the_text():
    assert text("{session} {mode}: {orders} / {benchmark}, {equity}, {strategy}") == (
        "2013-02-28 PAPER: bought 56 AAPL, holds 1 / SPY -0.3%, equity $100,000, "
        "strategy fixed_weights"
    )
    assert text("P&L {last}. {orders}!") == ("P&L last session +0.1%. Bought 56 AAPL, holds 1!")


def test_every_field_has_a_value():
    for name in FIELDS:
        shown = text(f"{{orders}} | {{{name}}} |")
        assert "| |" not in shown.replace("|  |", "| |"), name


@pytest.mark.parametrize(
    ("values", "filled"),
    [
        ({"head": "A", "orders": "b", "last": "c", "since": "d", "equity": "e"}, "A: b. C, d. E"),
        ({"head": "A", "orders": "b", "since": "d", "equity": "e"}, "A: b. D. E"),
        ({"head": "A", "orders": "b", "last": "c", "equity": "e"}, "A: b. C. E"),
        ({"head": "A", "orders": "b", "equity": "e"}, "A: b. E"),
        ({"head": "A", "orders": "b"}, "A: b"),
        ({"orders": "b", "since": "d"}, "b. D"),
        ({}, ""),
    ],
)
def test_an_empty_field_takes_the_weaker_mark_next_to_it_along(values, filled):
    assert fill(TEXT_TEMPLATE, values) == filled


def test_an_empty_field_takes_the_words_before_it_along():
    assert fill("{orders}, total {since}. {equity}", {"orders": "b", "equity": "e"}) == "b. E"


def test_what_needs_attention_follows_the_orders_in_any_form():
    missing = replace(decision(), unprotected={"AAPL": "halted"})
    assert "NO STOP AAPL" in text("Done: {orders}", decision=missing)


def test_fields_that_the_default_lacks_go_first():
    form = "{head}: {orders}. {best}. {account}. {desk}. {cash}. {week}. {strategy}. {equity}"
    placed = submission(*(order(f"SYM{n}", "7") for n in range(3)))
    assert text(form, submission=placed) == (
        "algo-trader PAPER 2013-02-28: bought 7 SYM0, 7 SYM1, 7 SYM2, holds 3. Equity $100,000"
    )


def test_a_form_that_leaves_no_room_is_replaced_by_the_default():
    many = submission(*(order(f"SYMBOL{n}", "1234") for n in range(20)))
    shown = text("x" * 151 + " {orders}", submission=many)
    assert shown.startswith("algo-trader PAPER 2013-02-28: bought 1234 SYMBOL0")


def test_a_wrong_form_from_an_older_run_gives_the_default():
    assert text("{nothing}").startswith("algo-trader PAPER 2013-02-28: bought 56 AAPL")


names = st.sampled_from(sorted(FIELDS)).map(lambda name: f"{{{name}}}")


@given(st.lists(names | st.text(max_size=30), max_size=9).map("".join), st.integers(0, 40))
def test_any_form_gives_one_segment(template, count):
    placed = submission(*(order(f"SYM{n}", "7000") for n in range(count)))
    shown = text(template, submission=placed, run=RUN)
    assert 0 < septets(shown) <= 160
    assert ("bought" in shown) == (count > 0)
