"""The desk may spend the account's lowest figure, less open buys and the reserve."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.model import Leg, Order, Side
from algotrader.model.units import Price
from algotrader.portfolio.capital import open_buy_cost, portfolio_state, spendable
from tests.support.desk_world import account, open_order, own_id, prices, snapshot
from tests.support.settings import SETTINGS

D = Decimal


@pytest.mark.parametrize(
    ("cash", "non_marginable", "buying_power", "open_buys", "expected"),
    [
        ("1000", "1000", "1000", "0", "980.00"),
        ("5000", "1000", "2000", "0", "980.00"),
        ("5000", "2000", "1000", "0", "980.00"),
        ("1000", "9000", "9000", "400", "588.00"),  # open buys reduce cash
        ("1000", "600", "600", "400", "588.00"),  # buying power already excludes open buys
        ("1000", "1000", "1000", "1500", "0"),
        ("-250", "1000", "1000", "0", "0"),
        ("0.03", "1", "1", "0", "0.02"),  # rounded down to whole cents
        ("NaN", "1000", "1000", "0", "0"),
        ("Infinity", "1000", "1000", "0", "0"),
    ],
)
def test_spendable_cash_is_the_lowest_figure_of_the_account_less_open_buys_and_reserve(
    cash: str, non_marginable: str, buying_power: str, open_buys: str, expected: str
) -> None:
    seen = account(
        cash, non_marginable_buying_power=D(non_marginable), buying_power=D(buying_power)
    )
    assert spendable(seen, cash_reserve=D("0.02"), open_buys=D(open_buys)) == D(expected)


def test_an_open_buy_costs_its_unfilled_part_at_its_limit() -> None:
    order = open_order("IBM", Side.BUY, "10", "50", "user-1", filled_qty=D(4))
    assert open_buy_cost([order], {}) == 300


def test_an_open_market_buy_costs_four_percent_more_than_the_value_of_its_shares() -> None:
    order = open_order("IBM", Side.BUY, "10", None, "user-1")
    assert open_buy_cost([order], {"IBM": Price(D(100))}) == 1040


@pytest.mark.parametrize(
    "order",
    [
        open_order("IBM", Side.SELL, "10", "50", "user-1"),
        open_order("IBM", Side.BUY, "10", "50", "user-1", status="canceled"),
        open_order("IBM", Side.BUY, None, "50", "user-1"),
        open_order("XYZ", Side.BUY, "10", None, "user-1"),
        open_order("IBM", Side.BUY, "10", "50", "user-1", filled_qty=D(12)),
    ],
    ids=["a sell", "ended", "by notional", "no price known", "more filled than ordered"],
)
def test_an_open_buy_of_unknown_cost_counts_only_in_the_buying_power(order: Order) -> None:
    assert open_buy_cost([order], {"IBM": Price(D(100))}) == 0


def test_open_buys_add_up_whatever_orders_come_between_them() -> None:
    orders = [
        open_order("IBM", Side.BUY, "10", "50", "user-1"),
        open_order("IBM", Side.SELL, "10", "50", "user-2"),
        open_order("IBM", Side.BUY, None, None, "user-3", notional=D(30)),
        open_order("XYZ", Side.BUY, "10", None, "user-4"),
        open_order("IBM", Side.BUY, "1", "7", "user-5"),
    ]
    assert open_buy_cost(orders, {"IBM": Price(D(100))}) == 500 + 30 + 7


@pytest.mark.parametrize("limit", ["50", None])
def test_an_open_buy_of_an_earlier_run_counts_as_filled_for_capital_and_exposure(
    limit: str | None,
) -> None:
    """The order may hang even if the run cancels it."""
    rests = open_order("IBM", Side.BUY, "10", limit, own_id("IBM", Leg.ENTRY))
    seen = snapshot({"MSFT": "4"}, cash="10000", prices=prices(MSFT="100", IBM="100"))
    seen = replace(seen, own_open_orders=(rests,))
    cost = D(500) if limit else D(1040)  # a market buy counts 4 % above the price
    capped = replace(SETTINGS, capital=D(5000))
    desk = portfolio_state(capped, seen)
    assert desk.budget.cash == ((10000 - cost) * D("0.98")).quantize(D("0.01"))
    assert desk.budget.capital_left == 5000 - 400 - cost
    assert desk.room(capped) == min(desk.budget.exposure_left, 5000 - 400 - cost)
    half = replace(SETTINGS, max_gross_exposure=D("0.5"))
    left = portfolio_state(half, seen).room(half)
    assert left == (400 + desk.budget.cash + cost) / 2 - 400 - cost
    free = replace(SETTINGS, max_gross_exposure=D(1), capital=None)
    assert portfolio_state(free, seen).room(free) is None


def test_the_value_of_a_desk_is_exact_however_large_its_figures_are() -> None:
    seen = snapshot({"IBM": "1e15"}, cash="0", prices=prices(IBM="999999999999999.99"))
    assert portfolio_state(SETTINGS, seen).capital == D("999999999999999990000000000000.00")
