"""The desk reports each sale by a stop once, even if the sale comes late or in parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.stop_fills import (
    ReportedFills,
    initial_report,
    previous_bell,
    report_for_next_run,
    reported_sales,
    unreported_fills,
)
from algotrader.model import Leg, Order, Side
from tests.support.desk_world import DESK, NOW, open_order, own_id

D = Decimal
MONDAY, FRIDAY = date(2024, 3, 11), date(2024, 3, 8)
NOTHING_REPORTED = ReportedFills(journal="", looked_at=NOW, since=NOW, sold={})
HOUR = timedelta(hours=1)


def sold(symbol: str, qty: str = "5", at: datetime | None = NOW, **changes: object) -> Order:
    plain = {
        "filled_at": at,
        "filled_qty": D(qty),
        "status": "filled" if qty == "5" else "partially_filled",
    }
    order_id = changes.pop("order_id", own_id(symbol, Leg.STOP))
    return open_order(symbol, Side.SELL, "5", None, order_id, **{**plain, **changes})


def reported_by(*orders: Order) -> list[tuple[str, Decimal]]:
    return [(each.symbol, each.filled_qty) for each in orders]


def test_a_buy_under_the_id_of_a_stop_does_not_count_as_a_sale() -> None:
    odd = replace(sold("IBM"), side=Side.BUY)
    assert unreported_fills([odd], DESK, NOTHING_REPORTED) == ()
    assert reported_sales(NOTHING_REPORTED, (), [odd]) == {}


@pytest.mark.parametrize(
    ("slot", "slots", "before"),
    [
        # The clocks went forward in between: 09:35 in New York was 14:35 UTC, then 13:35 UTC.
        ("day", ("day",), datetime(2024, 3, 8, 14, 35, tzinfo=UTC)),
        ("0935", ("0935", "1530"), datetime(2024, 3, 8, 20, 30, tzinfo=UTC)),
        ("1530", ("0935", "1530"), datetime(2024, 3, 11, 13, 35, tzinfo=UTC)),
        ("f1542", ("0935", "1530"), datetime(2024, 3, 11, 19, 30, tzinfo=UTC)),
    ],
)
def test_the_previous_bell_is_that_of_the_previous_slot_or_session(
    slot: str, slots: tuple[str, ...], before: datetime
) -> None:
    now = datetime(2024, 3, 11, 13, 35, tzinfo=UTC)
    assert previous_bell(now, MONDAY, FRIDAY, slot, slots) == before


@pytest.mark.parametrize(
    ("session", "previous"),
    [(date(2024, 1, 2), date(2023, 12, 29)), (date(2024, 3, 1), date(2024, 2, 29))],
)
def test_the_previous_bell_may_be_in_another_month_or_year(session: date, previous: date) -> None:
    now = datetime(session.year, session.month, session.day, 14, 35, tzinfo=UTC)
    before = previous_bell(now, session, previous, "day", ("day",))
    assert before == datetime(previous.year, previous.month, previous.day, 14, 35, tzinfo=UTC)


def test_with_three_slots_the_previous_bell_is_the_latest_earlier_one() -> None:
    now = datetime(2024, 3, 11, 19, 30, tzinfo=UTC)
    slots = ("0935", "1200", "1530")
    assert previous_bell(now, MONDAY, FRIDAY, "1530", slots) == datetime(
        2024, 3, 11, 16, tzinfo=UTC
    )
    assert previous_bell(now, MONDAY, FRIDAY, "0935", slots) == datetime(
        2024, 3, 8, 20, 30, tzinfo=UTC
    )


def test_only_the_desks_own_stops_with_sales_are_reported_oldest_first() -> None:
    theirs = own_id("GOOG", Leg.STOP).replace(DESK, "def456")
    orders = [
        sold("AAPL", at=NOW + 2 * HOUR),
        sold("MSFT", at=NOW + HOUR),
        sold("GOOG", order_id=theirs),
        sold("IBM", order_id=own_id("IBM", Leg.EXIT)),
        sold("XOM", order_id="user-1"),
        sold("FB", "0", None, status="new"),
    ]
    assert reported_by(*unreported_fills(orders, DESK, NOTHING_REPORTED)) == [
        ("MSFT", D(5)),
        ("AAPL", D(5)),
    ]


def test_without_a_record_the_sales_before_the_last_run_count_as_reported() -> None:
    orders = [sold("AAPL", at=NOW - HOUR), sold("IBM", at=NOW), sold("MSFT", at=NOW + HOUR)]
    assert reported_by(*unreported_fills(orders, DESK, initial_report(orders, DESK, NOW))) == [
        ("MSFT", D(5))
    ]


def test_a_stop_that_sells_in_parts_is_reported_part_by_part() -> None:
    first, then = sold("AAPL", "2"), sold("AAPL", "5", NOW + HOUR)
    one = unreported_fills([first], DESK, NOTHING_REPORTED)
    assert reported_by(*one) == [("AAPL", D(2))]
    reported = NOTHING_REPORTED.with_record(reported_sales(NOTHING_REPORTED, one, []))
    assert unreported_fills([first], DESK, reported) == ()
    two = unreported_fills([then], DESK, reported)
    assert reported_by(*two) == [("AAPL", D(3))]
    reported = reported.with_record(reported_sales(reported, two, []))
    assert unreported_fills([then], DESK, reported) == ()


def test_a_sale_by_a_stop_while_its_run_canceled_it_is_not_reported_again() -> None:
    order = sold("AAPL", "5")
    entry = open_order("IBM", Side.BUY, "5", "100", own_id("IBM", Leg.ENTRY), filled_qty=D(5))
    reported = NOTHING_REPORTED.with_record(reported_sales(NOTHING_REPORTED, [], [order, entry]))
    assert reported.sold == {order.client_order_id: D(5)}
    assert unreported_fills([order], DESK, reported) == ()


def test_a_fill_that_shows_late_is_reported_although_it_is_older_than_the_last_reading() -> None:
    looked = ReportedFills("runs/x/", NOW + HOUR, NOW, {}).with_record({})
    assert looked.since == NOW + HOUR
    assert reported_by(*unreported_fills([sold("AAPL", at=NOW)], DESK, looked)) == [("AAPL", D(5))]


def test_books_that_were_rebuilt_from_all_orders_do_not_report_an_old_sale_again() -> None:
    long_ago = [sold("AAPL", at=NOW - timedelta(days=2))]
    assert unreported_fills(long_ago, DESK, NOTHING_REPORTED) == ()


def test_an_old_reported_sale_is_dropped_unless_its_stop_may_sell_more() -> None:
    old = NOW - timedelta(days=2)
    over, rests, fresh = sold("AAPL", at=old), sold("IBM", "2", old), sold("MSFT")
    reported = ReportedFills(
        "", NOW, NOW, {each.client_order_id: D(2) for each in (over, rests, fresh)}
    )
    kept = report_for_next_run(reported, [over, rests, fresh], DESK, "runs/now/", NOW + HOUR)
    assert kept.sold.keys() == {rests.client_order_id, fresh.client_order_id}
    assert (kept.journal, kept.looked_at, kept.since) == ("runs/now/", NOW + HOUR, NOW)


def test_a_sale_without_a_time_is_reported_anyway() -> None:
    assert reported_by(*unreported_fills([sold("AAPL", at=None)], DESK, NOTHING_REPORTED)) == [
        ("AAPL", D(5))
    ]


@pytest.mark.parametrize(
    ("age", "shows"), [(timedelta(days=1), False), (timedelta(hours=23, minutes=59), True)]
)
def test_a_fill_may_show_up_to_a_day_late(age: timedelta, *, shows: bool) -> None:
    late = sold("AAPL", at=NOW - age)
    reported = ReportedFills("", NOW, NOW, {late.client_order_id: D(2)})
    assert bool(unreported_fills([late], DESK, reported)) is shows
    assert bool(report_for_next_run(reported, [late], DESK, "", NOW).sold) is shows


def test_a_stop_that_sold_one_share_or_less_is_reported_once() -> None:
    for qty in ("1", "0.5"):
        one = sold("AAPL", qty)
        assert reported_by(*unreported_fills([one], DESK, NOTHING_REPORTED)) == [("AAPL", D(qty))]
        reported = NOTHING_REPORTED.with_record(reported_sales(NOTHING_REPORTED, [], [one]))
        assert unreported_fills([one], DESK, reported) == ()


def test_a_stop_without_a_fill_is_not_in_the_list_of_sales() -> None:
    rests = sold("AAPL", "0", status="new")
    assert reported_sales(NOTHING_REPORTED, (), [rests]) == {}
    assert initial_report([rests], DESK, NOW).sold == {}
