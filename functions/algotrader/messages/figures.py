"""Owns the format of figures: money, quantities and percentages."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from algotrader.model.units import CENT

_DOLLAR = Decimal(1)
_TENTH = Decimal("0.1")
# A larger figure cannot be a real amount and appears as 1.23E+45.
_LARGEST_EXPONENT = 20
_LARGEST_SHORT_EXPONENT = 11  # for messages without room for cents
_SMALLEST_EXPONENT = -9  # the smallest fraction of a share at the broker

UNKNOWN = "unknown"


def money(amount: Decimal | None, *, signed: bool = False, cents: bool = True) -> str:
    """Format dollars as ``$1,234.56``, ``-$20.10``; ``signed`` puts a ``+`` before a gain.

    None, NaN and infinity are ``unknown``.
    """
    if amount is None or not amount.is_finite():
        return UNKNOWN
    sign = "-" if amount < 0 else "+" if signed else ""
    if amount.adjusted() > (_LARGEST_EXPONENT if cents else _LARGEST_SHORT_EXPONENT):
        return f"{sign}${abs(amount):.2E}"
    rounded = abs(amount).quantize(CENT if cents else _DOLLAR, rounding=ROUND_HALF_EVEN)
    if not rounded:
        sign = "+" if signed else ""
    return f"{sign}${rounded:,f}"


def quantity(shares: Decimal | None) -> str:
    """Format shares as ``56`` or ``0.125``; None, NaN and infinity are ``unknown``."""
    if shares is None or not shares.is_finite():
        return UNKNOWN
    if not shares:
        return "0"
    if not _SMALLEST_EXPONENT <= shares.adjusted() <= _LARGEST_EXPONENT:
        return f"{shares:.2E}"
    text = f"{shares:.{-_SMALLEST_EXPONENT}f}"
    return text.rstrip("0").rstrip(".")


def percent(fraction: Decimal | None, *, signed: bool = False, short: bool = False) -> str:
    """Format a fraction as ``12.5%``; ``signed`` puts a ``+`` before a gain.

    None, NaN and infinity are ``unknown``. ``short`` rounds to one decimal and always shows it.
    """
    if fraction is None or not fraction.is_finite():
        return UNKNOWN
    sign = "+" if signed and fraction >= 0 else ""
    if fraction.adjusted() > _LARGEST_EXPONENT:
        return f"{sign}{quantity(fraction)} times"
    if short:
        rounded = (fraction * 100).quantize(_TENTH, rounding=ROUND_HALF_EVEN)
        return f"{sign if rounded >= 0 else ''}{rounded or abs(rounded):f}%"
    return f"{sign}{quantity((fraction * 100).quantize(CENT))}%"


def share(part: Decimal | None, whole: Decimal) -> Decimal | None:
    """Return a part as a fraction of the whole, or None if the whole is not above 0."""
    if part is None or not (part.is_finite() and whole.is_finite()) or whole <= 0:
        return None
    return part / whole
