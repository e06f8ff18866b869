"""Owns the path of the checkout, where tests find the code, the pages and the sample events."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
