"""The adapter converts the broker's orders, single or listed, to our types."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Side
from algotrader.orders.statuses import is_terminal
from tests.functions.algotrader.adapters.broker_answers import order
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen


def test_an_order_is_read_with_an_unknown_status_kept_as_text(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", status="under_the_moon"))

    found = broker.order("at1-a")

    assert found.status == "under_the_moon"
    assert not is_terminal(found)
    assert (found.side, found.qty, found.limit_price) == (Side.BUY, 10, Decimal("101.25"))
    assert found.filled_at is None


def test_an_order_names_the_order_that_it_replaced(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", replaces="id-of-another"))
    assert broker.order("at1-a").replaces == "id-of-another"

    server.on("GET /v2/orders:by_client_order_id", order("at1-a", replaces=None))
    assert broker.order("at1-a").replaces is None


def test_an_order_by_value_has_no_quantity_whatever_the_broker_shows(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", qty="5", notional="500.5"))
    found = broker.order("at1-a")
    assert (found.qty, found.notional) == (None, Decimal("500.5"))


@pytest.mark.parametrize("flag", [True, False, None])
def test_an_order_says_whether_it_trades_outside_regular_hours(
    server: ScriptedBroker, broker: AlpacaBroker, flag: bool | None
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", extended_hours=flag))
    assert broker.order("at1-a").extended_hours is (flag is True)


def test_a_part_fill_without_an_instant_takes_the_orders_last_change(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", filled_qty="3"))

    assert broker.order("at1-a").filled_at == datetime(2026, 1, 6, 14, 35, 2, tzinfo=UTC)


def test_an_order_that_the_broker_does_not_know_is_none(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", Answer({"message": "order not found"}, 404))

    assert broker.order("at1-a") is None


def test_a_404_that_is_not_the_brokers_answer_is_not_mistaken_for_an_unknown_order(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", Answer(b"<html>nothing here</html>", 404))

    with pytest.raises(BrokerUnavailableError, match="BROKER_PATH_NOT_FOUND"):
        broker.order("at1-a")


def test_an_answer_about_another_order_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-b"))

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_INVALID"):
        broker.order("at1-a")


def test_orders_of_options_coins_and_several_legs_are_left_out(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/orders",
        [
            order("a"),
            order("b", asset_class="us_option"),
            order("c", symbol="", side=""),
            order("d", asset_class="crypto", symbol="BTC/USD"),
        ],
    )

    assert [each.client_order_id for each in broker.open_orders()] == ["a"]


def test_orders_are_paged_to_the_end_and_none_comes_twice(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    all_orders = [
        order(f"o{n}", submitted_at=f"2026-01-06T14:{n // 60 % 60:02}:{n % 60:02}.5Z")
        for n in range(1203)
    ]

    def page(seen: Seen) -> Answer:
        after = seen.query.get("after", "")
        return Answer([o for o in all_orders if o["submitted_at"] > after][:500])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in range(1203)]
    assert len(server.requests) == 3


@pytest.mark.parametrize("page_size", [50, 100])
def test_a_server_of_smaller_pages_is_asked_to_the_end_as_well(
    server: ScriptedBroker, broker: AlpacaBroker, page_size: int
) -> None:
    all_orders = [
        order(f"o{n}", submitted_at=f"2026-01-06T14:{n // 60 % 60:02}:{n % 60:02}.5Z")
        for n in range(230)
    ]

    def page(seen: Seen) -> Answer:
        after = seen.query.get("after", "")
        return Answer([o for o in all_orders if o["submitted_at"] > after][:page_size])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in range(230)]


@pytest.mark.parametrize("count", [3, 49, 230])
def test_a_server_that_gives_all_orders_at_once_has_no_more_to_give(
    server: ScriptedBroker, broker: AlpacaBroker, count: int
) -> None:
    server.on("GET /v2/orders", [order(f"o{n}") for n in range(count)])

    assert len(broker.orders_after(None)) == count


def test_a_server_that_gives_the_newest_first_is_asked_to_the_end_as_well(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    newest_first = [
        order(f"o{n}", submitted_at=f"2026-01-06T{14 - n // 60:02}:{59 - n % 60:02}:00Z")
        for n in range(130)
    ]

    def page(seen: Seen) -> Answer:
        until = seen.query.get("until", "9")
        return Answer([o for o in newest_first if o["submitted_at"] < until][:50])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in reversed(range(130))]


def test_pages_of_orders_that_do_not_continue_are_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders", [order(f"o{n}") for n in range(500)])

    with pytest.raises(BrokerUnavailableError, match="a page token repeats"):
        broker.orders_after(None)


def test_a_stop_is_read_with_its_price_and_how_long_it_is_good(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    reported = order("at1-a", type="stop", limit_price=None, stop_price="90.5", time_in_force="gtc")
    server.on("GET /v2/orders:by_client_order_id", reported)
    found = broker.order("at1-a")
    assert (found.order_type, found.limit_price) == ("stop", None)
    assert (found.stop_price, found.time_in_force) == (Decimal("90.5"), "gtc")
