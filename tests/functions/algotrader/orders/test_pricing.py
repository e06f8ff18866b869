"""Order prices are multiples of the broker's tick, and an order costs at most its worst price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.model import LatestPrice, Side
from algotrader.orders.pricing import marketable_price, usable_price, worst_cost
from tests.support.desk_world import NOW, ibm_entry, settings

D = Decimal
PRICES = st.decimals("0.0001", "1e12", places=4)


@pytest.mark.parametrize(
    ("price", "side", "bps", "expected"),
    [
        ("561.20", Side.BUY, 20, "562.33"),  # 562.3224, rounded up to the cent
        ("561.20", Side.SELL, 20, "560.07"),  # 560.0776, rounded down to the cent
        ("100", Side.BUY, 0, "100.00"),
        ("100", Side.SELL, 0, "100.00"),
        ("1", Side.SELL, 0, "1.00"),
        ("0.5", Side.BUY, 20, "0.5010"),
        ("0.12345", Side.BUY, 0, "0.1235"),
        ("0.12345", Side.SELL, 0, "0.1234"),
        ("0.9999", Side.BUY, 20, "1.01"),  # 1.0018998, rounded up to the cent
        ("1.0001", Side.SELL, 20, "0.9980"),
        ("0.00001", Side.SELL, 20, "0.0001"),
        ("100", Side.SELL, 20000, "0.0001"),
    ],
)
def test_a_marketable_price_lies_on_the_tick_past_the_latest_price(
    price: str, side: Side, bps: int, expected: str
) -> None:
    found = marketable_price(D(price), side, bps)
    assert str(found) == expected


@given(price=PRICES, bps=st.integers(0, 9999))
def test_a_buys_price_is_at_least_and_a_sells_at_most_what_was_meant_by_less_than_a_tick(
    price: Decimal, bps: int
) -> None:
    for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
        meant = price * (1 + sign * D(bps) / 10_000)
        found = marketable_price(price, side, bps)
        tick = D("0.01") if meant >= 1 else D("0.0001")
        assert found > 0
        assert found % tick == 0
        assert found == tick or 0 <= (found - meant) * sign < tick


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "sNaN", "Infinity"])
def test_only_a_number_above_zero_is_a_price(price: str) -> None:
    assert usable_price(LatestPrice(D(price), NOW)) is None


def test_the_worst_cost_of_a_limit_order_is_at_its_limit() -> None:
    assert worst_cost(ibm_entry("10"), settings()) == D("100.20")


def test_the_worst_cost_of_a_market_order_is_at_its_reference_plus_the_offset() -> None:
    assert worst_cost(ibm_entry("10", limit=None), settings(limit_offset_bps=50)) == D("100.50")
