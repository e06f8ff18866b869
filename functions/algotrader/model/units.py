"""Owns units and exact arithmetic: the steps of money and shares, and how a number is shown."""

from __future__ import annotations

from decimal import Context, Decimal

# Wide enough that the products of a day's money are exact and a floor never rounds up.
MONEY = Context(prec=60)

ZERO = Decimal(0)
ONE_SHARE = Decimal(1)
FRACTION_STEP = Decimal("1e-9")  # the finest quantity that Alpaca takes
CENT = Decimal("0.01")


def finite(value: Decimal) -> Decimal:
    """Return a number as it is, and 0 for NaN and the infinities."""
    return value if value.is_finite() else ZERO


def tidy(value: Decimal) -> Decimal:
    """Drop the zeros behind a decimal point, and any exponent of a whole number."""
    whole = value.to_integral_value()
    return whole.quantize(ONE_SHARE) if whole == value else value.normalize()


def dollars(price: Decimal) -> str:
    """Format a price with all its decimals, two at least."""
    shown = tidy(price)
    return f"{shown:.2f}" if shown == shown.quantize(CENT) else f"{shown:f}"
