from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.messages.figures import money, percent, quantity


@pytest.mark.parametrize(
    ("amount", "spelled"),
    [
        ("1234567.891", "$1,234,567.89"),
        ("-20.1", "-$20.10"),
        ("0", "$0.00"),
        ("-0.001", "$0.00"),
        ("NaN", "unknown"),
        ("-Infinity", "unknown"),
        ("1E+30", "$1.00E+30"),
    ],
)
def test_money_has_separators_and_cents(amount, spelled):
    assert money(Decimal(amount)) == spelled


@pytest.mark.parametrize(
    ("amount", "spelled"),
    [("123.45", "+$123.45"), ("-123.45", "-$123.45"), ("0", "+$0.00"), ("-0.001", "+$0.00")],
)
def test_a_signed_amount_shows_a_plus_for_a_gain(amount, spelled):
    assert money(Decimal(amount), signed=True) == spelled


def test_money_rounds_to_dollars_if_there_is_no_room_for_cents():
    assert money(Decimal("-1234.56"), signed=True, cents=False) == "-$1,235"


def test_money_without_a_figure_is_unknown():
    assert money(None, signed=True) == "unknown"


@pytest.mark.parametrize(
    ("shares", "spelled"),
    [
        ("56", "56"),
        ("56.000", "56"),
        ("1E+2", "100"),
        ("0.1250", "0.125"),
        ("-3", "-3"),
        ("0E+90", "0"),
        ("NaN", "unknown"),
        ("1E-30", "1.00E-30"),
        ("0.123456789", "0.123456789"),
    ],
)
def test_a_quantity_has_no_needless_zeros(shares, spelled):
    assert quantity(Decimal(shares)) == spelled


@pytest.mark.parametrize(
    ("fraction", "spelled"),
    [("0.125", "12.5%"), ("1", "100%"), ("0.33333", "33.33%"), ("NaN", "unknown")],
)
def test_a_fraction_is_formatted_in_percent(fraction, spelled):
    assert percent(Decimal(fraction)) == spelled


@given(st.decimals())
def test_every_decimal_has_a_short_format(number):
    for spelled in (money(number), money(number, signed=True), quantity(number), percent(number)):
        assert len(spelled) <= 45
