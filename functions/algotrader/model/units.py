"""Owns the units of money and shares, their exact arithmetic, and their format."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import NewType

# An amount's meaning is part of its type, so that mypy finds swapped arguments.
Dollars = NewType("Dollars", Decimal)
Shares = NewType("Shares", Decimal)
Price = NewType("Price", Decimal)  # dollars per share
Fraction = NewType("Fraction", Decimal)  # 0.25 is 25 %

# Enough digits for exact products of money, so that a floor never rounds up.
MONEY = Context(prec=60)

ZERO = Decimal(0)
ONE = Decimal(1)
NO_DOLLARS = Dollars(ZERO)
NO_SHARES = Shares(ZERO)
NO_PRICE = Price(ZERO)
ONE_SHARE = Shares(Decimal(1))
FRACTION_STEP = Shares(Decimal("1e-9"))  # the finest quantity that Alpaca accepts
CENT = Decimal("0.01")


def finite(value: Decimal) -> Decimal:
    """Return a number unchanged, or 0 for NaN and the infinities."""
    return value if value.is_finite() else ZERO


def tidy(value: Decimal) -> Decimal:
    """Return a number without trailing zeros, and a whole number without an exponent."""
    whole = value.to_integral_value()
    return whole.quantize(ONE_SHARE) if whole == value else value.normalize()


def format_dollars(price: Decimal) -> str:
    """Format a price with all its decimals, at least two."""
    shown = tidy(price)
    return f"{shown:.2f}" if shown == shown.quantize(CENT) else f"{shown:f}"
