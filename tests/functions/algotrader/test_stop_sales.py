"""Which stops sold since the run before, so that each is told once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from algotrader.model import Leg, Order, Side
from algotrader.stop_sales import bell_before, stops_sold
from tests.support.desk_world import DESK, NOW, open_order, own_id

MONDAY, FRIDAY = date(2024, 3, 11), date(2024, 3, 8)


@pytest.mark.parametrize(
    ("slot", "slots", "before"),
    [
        # Clocks went forward between the two: 09:35 in New York is 14:35, then 13:35 in UTC.
        ("day", ("day",), datetime(2024, 3, 8, 14, 35, tzinfo=UTC)),
        ("0935", ("0935", "1530"), datetime(2024, 3, 8, 20, 30, tzinfo=UTC)),
        ("1530", ("0935", "1530"), datetime(2024, 3, 11, 13, 35, tzinfo=UTC)),
    ],
)
def test_the_bell_before_is_that_of_the_slot_or_session_before(
    slot: str, slots: tuple[str, ...], before: datetime
) -> None:
    now = datetime(2024, 3, 11, 13, 35, tzinfo=UTC)
    assert bell_before(now, MONDAY, FRIDAY, slot, slots) == before


def test_only_the_desks_own_stops_with_a_fill_since_then_are_found() -> None:
    sold = {"filled_qty": Decimal(3), "status": "canceled"}
    late, early = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    orders = [
        open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.STOP), filled_at=late, **sold),
        open_order("AAPL", Side.SELL, "5", None, own_id("AAPL", Leg.STOP), filled_at=early, **sold),
        open_order("GOOG", Side.SELL, "5", None, own_id("GOOG", Leg.EXIT), filled_at=late, **sold),
        open_order("MSFT", Side.SELL, "5", None, own_id("MSFT", Leg.STOP)),
        open_order("XOM", Side.SELL, "5", None, "user-1", filled_at=late, **sold),
    ]
    assert [each.symbol for each in stops_sold(orders, DESK, NOW)] == ["IBM"]


@pytest.mark.parametrize(
    ("session", "previous"),
    [(date(2024, 1, 2), date(2023, 12, 29)), (date(2024, 3, 1), date(2024, 2, 29))],
)
def test_the_bell_before_may_be_of_another_month_or_year(session: date, previous: date) -> None:
    now = datetime(session.year, session.month, session.day, 14, 35, tzinfo=UTC)
    before = bell_before(now, session, previous, "day", ("day",))
    assert before == datetime(previous.year, previous.month, previous.day, 14, 35, tzinfo=UTC)


def test_of_three_bells_the_one_before_is_the_latest_earlier_one() -> None:
    now = datetime(2024, 3, 11, 19, 30, tzinfo=UTC)
    slots = ("0935", "1200", "1530")
    assert bell_before(now, MONDAY, FRIDAY, "1530", slots) == datetime(2024, 3, 11, 16, tzinfo=UTC)
    assert bell_before(now, MONDAY, FRIDAY, "0935", slots) == datetime(
        2024, 3, 8, 20, 30, tzinfo=UTC
    )


def test_what_another_desks_stop_sold_is_not_told_and_the_oldest_comes_first() -> None:
    def sold(symbol: str, hours: int, order_id: str) -> Order:
        return open_order(
            symbol,
            Side.SELL,
            "5",
            None,
            order_id,
            filled_at=NOW + timedelta(hours=hours),
            filled_qty=Decimal(5),
            status="filled",
        )

    theirs = own_id("GOOG", Leg.STOP).replace(DESK, "def456")
    orders = [
        sold("AAPL", 2, own_id("AAPL", Leg.STOP)),
        sold("MSFT", 1, own_id("MSFT", Leg.STOP)),
        sold("GOOG", 1, theirs),
    ]
    assert [each.symbol for each in stops_sold(orders, DESK, NOW)] == ["MSFT", "AAPL"]
    assert stops_sold(orders, DESK, NOW + timedelta(hours=2)) == ()  # told once
