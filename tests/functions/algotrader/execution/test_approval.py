"""A plan may contain only orders that its decision approved, at the same size or smaller."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.execution import find_unapproved, first_plan
from algotrader.execution.stop_orders import stop_intent
from algotrader.model import (
    Decision,
    DesiredStop,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    OrderType,
    Plan,
    Side,
    TimeInForce,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.support.execution_fixtures import BELL, BUY_IBM, BUY_MSFT, EXIT, RUN, decision, order


def stop_of(symbol: str, held: int) -> DesiredStop:
    place = OrderPlace("abc123", RUN.session, "day", symbol, Leg.STOP, 0)
    return DesiredStop(client_order_id(place), symbol, Decimal(90), Decimal(100), Decimal(held), "")


def plan_of(made: Decision, *orders: OrderIntent, **more: Any) -> Plan:
    return replace(first_plan(RUN, made), sequence=1, orders=orders, **more)


def problem(made: Decision, plan: Plan, *shown: Order) -> str:
    return find_unapproved(RUN, made, plan, {each.client_order_id: each for each in shown})


def test_the_first_plan_is_approved() -> None:
    made = decision()
    assert problem(made, first_plan(RUN, made)) == ""


@pytest.mark.parametrize("qty", ["5", "1", "0.5"])
def test_an_order_may_be_cut(qty: str) -> None:
    made = decision()
    assert problem(made, plan_of(made, replace(BUY_IBM, qty=Decimal(qty)))) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"qty": Decimal("5.1")},
        {"qty": Decimal(0)},
        {"qty": Decimal(-5)},
        {"symbol": "TSLA"},
        {"side": Side.SELL},
        {"leg": Leg.EXIT},
        {"order_type": OrderType.MARKET},
        {"limit_price": Decimal(101)},
        {"limit_price": None},
        {"reference_price": Decimal(99)},
        {"stop_price": Decimal(1)},
        {"time_in_force": TimeInForce.GTC},
        {"notional": Decimal(1)},
        {"client_order_id": BUY_MSFT.client_order_id},
        {"client_order_id": "at1-abc123-2024-03-04-day-IBM-entry-1"},
    ],
    ids=str,
)
def test_every_other_term_is_as_approved(change: dict[str, Any]) -> None:
    made = decision()
    assert "does not approve" in problem(made, plan_of(made, replace(BUY_IBM, **change)))


def test_a_notional_order_may_be_cut_in_dollars_and_never_raised() -> None:
    by_value = replace(
        BUY_IBM, order_type=OrderType.NOTIONAL, limit_price=None, notional=Decimal(500)
    )
    made = decision(entries=(by_value,))
    cut = replace(by_value, qty=Decimal("2.5"), notional=Decimal(250))
    assert problem(made, plan_of(made, cut)) == ""
    for notional in (None, Decimal("500.01"), Decimal(0), Decimal(-1)):
        assert "does not approve" in problem(
            made, plan_of(made, replace(by_value, notional=notional))
        )


def test_no_order_stands_in_a_plan_twice() -> None:
    made = decision()
    assert "does not approve" in problem(made, plan_of(made, EXIT, EXIT))


@pytest.mark.parametrize(("qty", "fits"), [(7, True), (12, True), (13, False), (0, False)])
def test_a_stop_covers_at_most_what_is_held_and_bought(qty: int, fits: bool) -> None:
    wish = stop_of("IBM", 7)
    made = replace(decision(), stops=(wish,))
    found = problem(made, plan_of(made, stop_intent(wish, Decimal(qty))))
    assert (found == "") is fits


def test_a_stop_counts_no_other_symbol_s_entries() -> None:
    wish = stop_of("AAPL", 7)
    made = replace(decision(), stops=(wish,))
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(7)))) == ""
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(8)))) != ""


def test_a_stop_has_the_decided_level() -> None:
    wish = stop_of("IBM", 7)
    made = replace(decision(), stops=(wish,))
    moved = replace(stop_intent(wish, Decimal(7)), stop_price=Decimal(99))
    assert problem(made, plan_of(made, moved)) != ""


def test_a_stop_that_nobody_decided_is_not_approved() -> None:
    made = decision()
    assert problem(made, plan_of(made, stop_intent(stop_of("IBM", 7), Decimal(7)))) != ""


def test_a_stop_covers_what_a_canceled_buy_may_have_bought() -> None:
    old_id = client_order_id(
        OrderPlace("abc123", (BELL - timedelta(days=1)).date(), "day", "IBM", Leg.ENTRY, 0)
    )
    wish = stop_of("IBM", 7)
    made = replace(decision(entries=(), cancels=(old_id,)), stops=(wish,))
    old = replace(order(BUY_IBM, "new"), client_order_id=old_id, qty=Decimal(3))
    for qty, fits in ((10, True), (11, False)):
        plan = plan_of(made, stop_intent(wish, Decimal(qty)))
        assert (problem(made, plan, old) == "") is fits
        assert problem(made, plan) == ""  # the broker does not show how large the old stop was


def test_a_stop_covers_no_more_for_a_canceled_sell_that_the_broker_shows() -> None:
    old_id = client_order_id(
        OrderPlace("abc123", (BELL - timedelta(days=1)).date(), "day", "IBM", Leg.STOP, 0)
    )
    wish = stop_of("IBM", 7)
    made = replace(decision(entries=(), cancels=(old_id,)), stops=(wish,))
    old = replace(order(BUY_IBM, "new"), client_order_id=old_id, side=Side.SELL, qty=Decimal(7))
    for qty, fits in ((7, True), (8, False)):
        plan = plan_of(made, stop_intent(wish, Decimal(qty)))
        assert (problem(made, plan, old) == "") is fits


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_a_canceled_buy_of_another_symbol_lets_a_stop_cover_no_more(symbol: str) -> None:
    old_id = client_order_id(
        OrderPlace("abc123", (BELL - timedelta(days=1)).date(), "day", symbol, Leg.ENTRY, 0)
    )
    wish = stop_of("IBM", 7)
    made = replace(decision(entries=(), cancels=(old_id,)), stops=(wish,))
    old = replace(order(BUY_IBM, "new"), client_order_id=old_id, symbol=symbol)
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(7))), old) == ""
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(8))), old) != ""


def test_a_canceled_stop_that_the_broker_does_not_show_lets_a_new_one_cover_no_more() -> None:
    old_id = client_order_id(
        OrderPlace("abc123", (BELL - timedelta(days=1)).date(), "day", "IBM", Leg.STOP, 0)
    )
    wish = stop_of("IBM", 7)
    made = replace(decision(entries=(), cancels=(old_id,)), stops=(wish,))
    for qty, fits in ((7, True), (8, False)):
        plan = plan_of(made, stop_intent(wish, Decimal(qty)))
        assert (problem(made, plan) == "") is fits


def test_cancels_are_those_of_the_decision() -> None:
    made = decision(cancels=("x",))
    assert problem(made, plan_of(made, EXIT)) == ""
    assert "cancels" in problem(made, plan_of(made, EXIT, cancels=()))
    assert "cancels" in problem(made, plan_of(made, EXIT, cancels=("x", "y")))


def test_only_what_was_decided_can_be_refused() -> None:
    made = replace(decision(), stops=(stop_of("IBM", 7),))
    sold, bought = Side.SELL, Side.BUY
    fine = (OrderDenied("AAPL", sold, Decimal(10), "X", ""),)
    assert problem(made, plan_of(made, denied=fine)) == ""
    for symbol, side in (("AAPL", bought), ("TSLA", sold)):
        denied = (OrderDenied(symbol, side, Decimal(10), "X", ""),)
        assert "denies" in problem(made, plan_of(made, denied=denied))
    rejected = (OrderRejected("at1-abc123-2024-03-04-day-TSLA-entry-0", "TSLA", "X", ""),)
    assert "rejection" in problem(made, plan_of(made, rejected=rejected))
    assert problem(made, plan_of(made, unprotected={"IBM": "X"})) == ""
    assert "stop in AAPL" in problem(made, plan_of(made, unprotected={"AAPL": "X"}))


def test_a_first_plan_is_the_decision_s_own() -> None:
    made = decision()
    plan = first_plan(RUN, made)
    assert problem(made, replace(plan, polls=3, waited_seconds=40)) == ""
    assert "first plan" in problem(made, replace(plan, orders=()))
    assert "first plan" in problem(
        made, replace(plan, denied=(OrderDenied("AAPL", Side.SELL, Decimal(10), "X", ""),))
    )


@pytest.mark.parametrize("other", ["2024-03-03-day", "2024-03-05-day"])
def test_a_plan_of_another_run_is_named(other: str) -> None:
    made = decision()
    assert other in problem(made, replace(plan_of(made, EXIT), run_id=other))
    theirs = replace(made, run_id=other)
    assert problem(theirs, plan_of(made, EXIT)) != ""
    assert other in problem(theirs, replace(plan_of(made, EXIT), run_id=other))


def test_a_notional_order_may_be_cut_to_a_dollar() -> None:
    by_value = replace(
        BUY_IBM, order_type=OrderType.NOTIONAL, limit_price=None, notional=Decimal(500)
    )
    made = decision(entries=(by_value,))
    for notional in (1, 500):
        assert problem(made, plan_of(made, replace(by_value, notional=Decimal(notional)))) == ""


@pytest.mark.parametrize(("symbol", "most"), [("AAPL", 7), ("IBM", 12), ("MSFT", 27)])
def test_a_stop_counts_only_the_entries_of_its_own_symbol(symbol: str, most: int) -> None:
    wish = stop_of(symbol, 7)
    made = replace(decision(), stops=(wish,))
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(most)))) == ""
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(most + 1)))) != ""


def test_a_stop_of_one_share_is_approved() -> None:
    wish = stop_of("AAPL", 1)
    made = replace(decision(), stops=(wish,))
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(1)))) == ""


def test_a_stop_counts_the_fractions_that_a_notional_buy_may_bring() -> None:
    by_value = replace(
        BUY_IBM, order_type=OrderType.NOTIONAL, limit_price=None, notional=Decimal(500)
    )
    wish = replace(stop_of("IBM", 0), held=Decimal("0.5"))
    made = replace(decision(entries=(by_value,)), stops=(wish,))
    # At the stop's price of 90, 500 dollars buy 5.55 shares.
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(6)))) == ""
    assert problem(made, plan_of(made, stop_intent(wish, Decimal(7)))) != ""


def test_a_canceled_buy_of_no_known_size_lets_a_stop_cover_what_is_held() -> None:
    old_id = client_order_id(
        OrderPlace("abc123", (BELL - timedelta(days=1)).date(), "day", "IBM", Leg.ENTRY, 0)
    )
    wish = stop_of("IBM", 7)
    made = replace(decision(entries=(), cancels=(old_id,)), stops=(wish,))
    old = replace(order(BUY_IBM, "new"), client_order_id=old_id, qty=None)
    for qty, fits in ((7, True), (8, False)):
        plan = plan_of(made, stop_intent(wish, Decimal(qty)))
        assert (problem(made, plan, old) == "") is fits
