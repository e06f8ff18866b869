"""Numbers appear without trailing zeros, and prices with cents."""

from __future__ import annotations

from decimal import Decimal

import pytest

from algotrader.model.units import format_dollars, tidy

D = Decimal


@pytest.mark.parametrize(
    ("value", "expected"),
    [("57.000000000", "57"), ("5E+2", "500"), ("0.500", "0.5"), ("0E-9", "0")],
)
def test_a_tidy_number_has_neither_exponent_nor_idle_zeros(value: str, expected: str) -> None:
    assert str(tidy(D(value))) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("561.2", "561.20"), ("0.5010", "0.501"), ("3.14159", "3.14159")]
)
def test_a_price_has_at_least_two_decimals(value: str, expected: str) -> None:
    assert format_dollars(D(value)) == expected
