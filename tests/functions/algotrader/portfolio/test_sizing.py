"""Weights become shares that never cost more than the weight, at prices on the broker's tick."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.model import Holding, LatestPrice, Leg, Order, OrderIntent, OrderType, Side
from algotrader.model.units import FRACTION_STEP, ONE_SHARE, dollars, tidy
from algotrader.orders.pricing import marketable_price, usable, worst_cost
from algotrader.portfolio.capital import open_buy_cost, spendable
from algotrader.portfolio.position import DeskPosition, desk_position
from algotrader.portfolio.sizing import (
    Sizing,
    Wanted,
    affordable_quantity,
    floor_to,
    is_enough,
    makes_an_order,
    quantity_step,
    wanted_order,
)
from tests.support.desk_world import NOW, account, asset, open_order, position, prices, settings

D = Decimal
MONEY = st.decimals("0.0001", "1e12", places=4)
WEIGHTS = st.decimals(0, 1, places=6)


def stake(held: str = "0", tradable: str | None = None, ledger: str | None = None) -> DeskPosition:
    return DeskPosition(
        symbol="IBM",
        book_qty=D(ledger or held),
        account_qty=D(held),
        held=D(held),
        sellable=D(held if tradable is None else tradable),
    )


SIZING = Sizing(
    capital=D(98000),
    band=D(980),
    reference=D("561.20"),
    worst_buy=D("562.33"),
    step=ONE_SHARE,
    exit_step=FRACTION_STEP,
)


def intent(qty: str, limit: str | None = "10.02", side: Side = Side.BUY) -> OrderIntent:
    return OrderIntent(
        client_order_id="at1-abc123-2024-03-04-day-IBM-entry-0",
        symbol="IBM",
        side=side,
        leg=Leg.ENTRY,
        qty=D(qty),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else D(limit),
        reference_price=D(10),
        why="",
    )


# What is spendable


@pytest.mark.parametrize(
    ("cash", "non_marginable", "buying_power", "open_buys", "expected"),
    [
        ("1000", "1000", "1000", "0", "980.00"),
        ("5000", "1000", "2000", "0", "980.00"),
        ("5000", "2000", "1000", "0", "980.00"),
        ("1000", "9000", "9000", "400", "588.00"),  # open buys come off cash
        ("1000", "600", "600", "400", "588.00"),  # buying power is net of them already
        ("1000", "1000", "1000", "1500", "0"),
        ("-250", "1000", "1000", "0", "0"),
        ("0.03", "1", "1", "0", "0.02"),  # whole cents, rounded down
        ("NaN", "1000", "1000", "0", "0"),
        ("Infinity", "1000", "1000", "0", "0"),
    ],
)
def test_spendable_is_the_least_of_the_accounts_figures_less_open_buys_and_reserve(
    cash: str, non_marginable: str, buying_power: str, open_buys: str, expected: str
) -> None:
    told = account(
        cash, non_marginable_buying_power=D(non_marginable), buying_power=D(buying_power)
    )
    assert spendable(told, D("0.02"), D(open_buys)) == D(expected)


def test_an_open_buy_costs_its_unfilled_part_at_its_limit() -> None:
    order = open_order("IBM", Side.BUY, "10", "50", "user-1", filled_qty=D(4))
    assert open_buy_cost([order], {}, 20) == 300


def test_an_open_market_buy_costs_its_latest_price_plus_the_offset() -> None:
    order = open_order("IBM", Side.BUY, "10", None, "user-1")
    assert open_buy_cost([order], prices(IBM="100"), 20) == 1002


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
def test_what_costs_nothing_that_is_known_is_left_to_buying_power(order: Order) -> None:
    assert open_buy_cost([order], prices(IBM="100"), 20) == 0


def test_open_buys_add_up_whatever_stands_between_them() -> None:
    orders = [
        open_order("IBM", Side.BUY, "10", "50", "user-1"),
        open_order("IBM", Side.SELL, "10", "50", "user-2"),
        open_order("IBM", Side.BUY, None, None, "user-3", notional=D(30)),
        open_order("XYZ", Side.BUY, "10", None, "user-4"),
        open_order("IBM", Side.BUY, "1", "7", "user-5"),
    ]
    assert open_buy_cost(orders, prices(IBM="100"), 20) == 500 + 30 + 7


# Stakes


@pytest.mark.parametrize(
    ("ledger", "broker", "available", "held", "tradable", "differs"),
    [
        ("10", "10", "10", "10", "10", False),
        ("10", "25", "25", "10", "10", False),  # the user's own shares beside
        ("10", "25", "4", "10", "4", False),  # an open sell keeps most
        ("10", "9", "9", "9", "9", True),
        ("10", "7", "7", "7", "7", True),
        ("10", "0", "0", "0", "0", True),
        ("10", "-5", "-5", "0", "0", True),
        ("0", "-5", "-5", "0", "0", True),
        ("-3", "10", "10", "0", "0", True),
        ("-1", "10", "10", "0", "0", True),
        ("1", "0", "0", "0", "0", True),
        ("10", "10", "-2", "10", "0", False),
        ("NaN", "10", "10", "0", "0", False),
        ("10", "NaN", "10", "0", "0", True),
    ],
)
def test_a_stake_is_the_lesser_of_ledger_and_position_and_never_below_zero(
    ledger: str, broker: str, available: str, held: str, tradable: str, *, differs: bool
) -> None:
    told = desk_position(
        "IBM",
        {"IBM": Holding(qty=D(ledger), cost=D(1))},
        {"IBM": position("IBM", broker, available)},
    )
    assert (told.held, told.sellable, told.differs) == (D(held), D(tradable), differs)


@pytest.mark.parametrize(
    ("ledger", "broker", "others", "held", "differs"),
    [
        ("10", "20", {"def456": "10"}, "10", False),
        ("10", "19", {"def456": "10"}, "9", True),
        ("10", "15", {"def456": "10"}, "5", True),  # nobody knows whose are gone
        ("10", "8", {"def456": "10"}, "0", True),
        ("10", "25", {"def456": "10", "aaaaaa": "5"}, "10", False),
        ("10", "24", {"def456": "10", "aaaaaa": "5"}, "9", True),
        ("0", "5", {"def456": "10"}, "0", True),
        ("10", "10", {"def456": "-5"}, "10", False),  # what it oversold takes from nobody
        ("10", "10", {"def456": "NaN"}, "10", False),
    ],
)
def test_what_other_desks_own_is_never_a_part_of_the_stake(
    ledger: str, broker: str, others: dict[str, str], held: str, *, differs: bool
) -> None:
    told = desk_position(
        "IBM",
        {"IBM": Holding(qty=D(ledger), cost=D(1))},
        {"IBM": position("IBM", broker)},
        {desk: D(qty) for desk, qty in others.items()},
    )
    assert (told.held, told.sellable, told.differs) == (D(held), D(held), differs)


def test_a_symbol_that_nobody_holds_has_an_empty_stake() -> None:
    assert desk_position("IBM", {}, {}) == stake("0")


# Prices


@pytest.mark.parametrize(
    ("price", "side", "bps", "expected"),
    [
        ("561.20", Side.BUY, 20, "562.33"),  # 562.3224, up to the cent
        ("561.20", Side.SELL, 20, "560.07"),  # 560.0776, down to the cent
        ("100", Side.BUY, 0, "100.00"),
        ("100", Side.SELL, 0, "100.00"),
        ("1", Side.SELL, 0, "1.00"),
        ("0.5", Side.BUY, 20, "0.5010"),
        ("0.12345", Side.BUY, 0, "0.1235"),
        ("0.12345", Side.SELL, 0, "0.1234"),
        ("0.9999", Side.BUY, 20, "1.01"),  # 1.0018998 is on the tick of a cent
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


@given(price=MONEY, bps=st.integers(0, 9999))
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
def test_a_price_that_is_no_number_above_zero_is_no_price(price: str) -> None:
    assert usable(LatestPrice(D(price), NOW)) is None


# Weights to orders


def test_a_first_entry_buys_whole_shares_at_the_worst_price() -> None:
    assert wanted_order(D("0.33"), stake(), SIZING) == Wanted(Side.BUY, D(57), D(57))


def test_a_first_entry_is_not_held_back_by_the_band() -> None:
    assert wanted_order(D("0.006"), stake(), SIZING) == Wanted(Side.BUY, D(1), D(1))


def test_a_first_entry_of_less_than_a_share_is_asked_for_with_nothing_to_send() -> None:
    assert wanted_order(D("0.005"), stake(), SIZING) == Wanted(Side.BUY, D(0), D(0))


@pytest.mark.parametrize("weight", ["0.3263", "0.33", "0.3364"])
def test_a_drift_within_the_band_is_left_alone(weight: str) -> None:
    held = stake("58")  # 58 x 561.20 = 32549.60 = 0.33214
    assert wanted_order(D(weight), held, SIZING) is None


@pytest.mark.parametrize("held", ["1", "0.5"])
def test_a_drift_within_the_band_of_one_share_or_less_is_left_alone(held: str) -> None:
    fractions = replace(SIZING, step=FRACTION_STEP)
    assert wanted_order(D("0.005"), stake(held), fractions) is None
    narrow = replace(fractions, band=D(1))
    assert wanted_order(D("0.005"), stake(held), narrow) is not None


@pytest.mark.parametrize(("held", "side"), [("19602", Side.SELL), ("19598", Side.BUY)])
def test_without_a_band_a_drift_of_one_dollar_is_traded(held: str, side: Side) -> None:
    cheap = replace(SIZING, band=D(0), reference=D("0.5"), worst_buy=D("0.5"))
    assert wanted_order(D("0.1"), stake(held), cheap) == Wanted(side, D(2), D(2))


def test_a_drift_of_exactly_the_band_is_traded() -> None:
    exact = replace(SIZING, band=D(5612), capital=D(56120))
    assert wanted_order(D("0.1"), stake("20"), exact) == Wanted(Side.SELL, D(10), D(10))


def test_a_drift_beyond_the_band_is_traded_up() -> None:
    held = stake("50")  # (0.33 x 98000 - 50 x 562.33) / 562.33 = 7.51
    assert wanted_order(D("0.33"), held, SIZING) == Wanted(Side.BUY, D(7), D(7))


def test_a_drift_beyond_the_band_is_traded_down_without_selling_too_much() -> None:
    held = stake("60")  # (60 x 561.20 - 0.33 x 98000) / 561.20 = 2.37
    assert wanted_order(D("0.33"), held, SIZING) == Wanted(Side.SELL, D(2), D(2))


def test_a_drift_beyond_the_band_but_below_a_share_is_left_alone() -> None:
    narrow = replace(SIZING, band=D(98))
    assert wanted_order(D("0.33"), stake("58"), narrow) is None


@pytest.mark.parametrize(
    ("qty", "price", "step", "enough"),
    [
        ("1", "0.5", ONE_SHARE, True),
        ("0.5", "100", ONE_SHARE, False),
        ("0.5", "100", FRACTION_STEP, True),
        ("0.01", "100", FRACTION_STEP, True),
        ("0.009999999", "100", FRACTION_STEP, False),
        ("0", "100", FRACTION_STEP, False),
        ("1", "0.5", FRACTION_STEP, True),
    ],
)
def test_a_share_or_in_fractions_a_dollar_s_worth_makes_an_order(
    qty: str, price: str, step: Decimal, *, enough: bool
) -> None:
    assert is_enough(D(qty), D(price), step) is enough


def test_a_drift_of_less_than_a_dollar_is_left_alone_at_any_price_of_a_share() -> None:
    fractions = replace(SIZING, band=D(0), reference=D(100), worst_buy=D(100), step=FRACTION_STEP)
    assert wanted_order(D("0.1"), stake("98.009"), fractions) is None
    assert wanted_order(D("0.1"), stake("98.010"), fractions) == Wanted(
        Side.SELL, D("0.01"), D("0.01")
    )


def test_whole_shares_of_less_than_a_dollar_each_are_traded() -> None:
    cheap = replace(SIZING, band=D(0), reference=D("0.5"), worst_buy=D("0.5"))
    assert wanted_order(D("0.1"), stake("19603"), cheap) == Wanted(Side.SELL, D(3), D(3))


def test_cash_for_less_than_a_dollar_s_worth_buys_nothing_whatever_the_least_order() -> None:
    least = settings(fractional_shares=True, min_order_notional=D("0.5"))
    assert affordable_quantity(intent("9.5"), D("0.99"), least) == 0


def test_with_a_band_of_zero_no_drift_is_no_order() -> None:
    none = replace(SIZING, band=D(0), capital=D(56120))
    assert wanted_order(D("0.1"), stake("10"), none) is None


@pytest.mark.parametrize("held", ["57", "0.25", "57.123456789"])
def test_a_target_of_zero_sells_exactly_what_is_tradable(held: str) -> None:
    assert wanted_order(D(0), stake(held), SIZING) == Wanted(Side.SELL, D(held), D(held))


def test_a_full_exit_is_capped_at_what_is_tradable() -> None:
    assert wanted_order(D(0), stake("57", "20"), SIZING) == Wanted(Side.SELL, D(57), D(20))


def test_a_trim_is_capped_at_what_is_tradable() -> None:
    assert wanted_order(D("0.1"), stake("57", "20"), SIZING) == Wanted(Side.SELL, D(39), D(20))


def test_a_full_exit_of_an_asset_without_fractions_sells_its_whole_shares() -> None:
    whole = replace(SIZING, exit_step=ONE_SHARE)
    assert wanted_order(D(0), stake("10.5"), whole) == Wanted(Side.SELL, D("10.5"), D(10))


def test_an_exit_is_asked_for_while_the_ledger_says_there_is_something() -> None:
    gone = DeskPosition(symbol="IBM", book_qty=D(40), account_qty=D(0), held=D(0), sellable=D(0))
    assert wanted_order(D(0), gone, SIZING) == Wanted(Side.SELL, D(40), D(0))


def test_a_target_of_zero_of_nothing_is_no_order() -> None:
    assert wanted_order(D(0), stake(), SIZING) is None
    oversold = desk_position("IBM", {"IBM": Holding(qty=D(-3), cost=D(0))}, {})
    assert wanted_order(D(0), oversold, SIZING) is None


def test_in_fractions_a_buy_is_sized_to_nine_decimals() -> None:
    fractions = replace(SIZING, step=FRACTION_STEP)
    wanted = wanted_order(D("0.33"), stake(), fractions)
    assert wanted == Wanted(Side.BUY, D("57.510714349"), D("57.510714349"))


@given(
    weight=WEIGHTS,
    capital=MONEY,
    price=MONEY,
    held=st.integers(0, 10**6),
    fractions=st.booleans(),
    band=st.decimals(0, "0.5", places=3),
)
def test_a_buy_never_costs_more_than_the_weight_and_a_sell_never_goes_below_it(
    weight: Decimal, capital: Decimal, price: Decimal, held: int, fractions: bool, band: Decimal
) -> None:
    sizing = Sizing(
        capital=capital,
        band=band * capital,
        reference=price,
        worst_buy=marketable_price(price, Side.BUY, 20),
        step=FRACTION_STEP if fractions else ONE_SHARE,
        exit_step=FRACTION_STEP,
    )
    wanted = wanted_order(weight, stake(str(held)), sizing)
    if wanted is None:
        return
    if wanted.side is Side.BUY:
        assert (held + wanted.qty) * sizing.worst_buy <= weight * capital
        one_more = (held + wanted.qty + sizing.step) * sizing.worst_buy
        assert one_more > weight * capital or held * sizing.worst_buy > weight * capital
    else:
        assert (held - wanted.qty) * price >= weight * capital
        assert 0 < wanted.sendable <= held


@given(
    weights=st.tuples(WEIGHTS, WEIGHTS),
    price=MONEY,
    held=st.integers(0, 10**6),
    capital=MONEY,
)
def test_a_greater_weight_never_asks_for_fewer_shares(
    weights: tuple[Decimal, Decimal], price: Decimal, held: int, capital: Decimal
) -> None:
    sizing = Sizing(
        capital=capital,
        band=capital / 100,
        reference=price,
        worst_buy=marketable_price(price, Side.BUY, 20),
        step=ONE_SHARE,
        exit_step=FRACTION_STEP,
    )

    def shares_after(weight: Decimal) -> Decimal:
        wanted = wanted_order(weight, stake(str(held)), sizing)
        if wanted is None:
            return D(held)
        return held + wanted.qty if wanted.side is Side.BUY else held - wanted.qty

    assert shares_after(min(weights)) <= shares_after(max(weights))


@pytest.mark.parametrize(
    ("setting", "fractionable", "step"),
    [(True, True, FRACTION_STEP), (True, False, ONE_SHARE), (False, True, ONE_SHARE)],
)
def test_fractions_need_both_the_setting_and_the_asset(
    setting: bool, fractionable: bool, step: Decimal
) -> None:
    told = asset("IBM", fractionable=fractionable)
    assert quantity_step(told, settings(fractional_shares=setting)) == step
    assert quantity_step(None, settings(fractional_shares=setting)) == ONE_SHARE


# What a buy costs and what cash pays


def test_the_worst_cost_of_a_limit_order_is_at_its_limit() -> None:
    assert worst_cost(intent("10"), settings()) == D("100.20")


def test_the_worst_cost_of_a_market_order_is_at_its_reference_plus_the_offset() -> None:
    assert worst_cost(intent("10", limit=None), settings(limit_offset_bps=50)) == D("100.50")


@pytest.mark.parametrize(
    ("qty", "cash", "fractional", "expected"),
    [
        ("10", "100.20", False, "10"),
        ("10", "100.19", False, "9"),
        ("10", "10.01", False, "0"),
        ("10", "-5", False, "0"),
        ("10", "100000", False, "10"),
        ("10", "100.19", True, "9"),  # a whole quantity stays whole
        ("9.5", "50.10", True, "5"),
        ("9.5", "50", True, "4.990019960"),
        ("9.3", "50", True, "4.990019960"),
        ("9.7", "50", True, "4.990019960"),
        ("9.5", "0.99", True, "0"),  # below a dollar's worth
    ],
)
def test_a_buy_is_cut_to_what_cash_pays(
    qty: str, cash: str, fractional: bool, expected: str
) -> None:
    found = affordable_quantity(intent(qty), D(cash), settings(fractional_shares=fractional))
    assert found == D(expected)


def test_a_buy_is_cut_to_nothing_below_the_least_order() -> None:
    least = settings(min_order_notional=D("50.10"))
    assert affordable_quantity(intent("10"), D("50.10"), least) == 5
    assert affordable_quantity(intent("10"), D("50.09"), least) == 0


@given(money=MONEY, price=MONEY, step=st.sampled_from([ONE_SHARE, FRACTION_STEP]))
def test_a_floor_is_the_largest_step_that_the_money_pays(
    money: Decimal, price: Decimal, step: Decimal
) -> None:
    qty = floor_to(money, price, step)
    assert qty * price <= money < (qty + step) * price
    assert qty % step == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [("57.000000000", "57"), ("5E+2", "500"), ("0.500", "0.5"), ("0E-9", "0")],
)
def test_a_tidy_number_has_neither_exponent_nor_idle_zeros(value: str, expected: str) -> None:
    assert str(tidy(D(value))) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("561.2", "561.20"), ("0.5010", "0.501"), ("3.14159", "3.14159")]
)
def test_a_price_is_told_with_two_decimals_at_least(value: str, expected: str) -> None:
    assert dollars(D(value)) == expected


def test_a_stake_names_the_desks_that_own_something() -> None:
    others = {"aaaaaa": D(1), "bbbbbb": D("0.5"), "cccccc": D(0), "dddddd": D(-1)}
    told = desk_position("IBM", {}, {"IBM": position("IBM", "10")}, others)
    assert told.others == {"aaaaaa": D(1), "bbbbbb": D("0.5")}
    assert told.theirs == D("1.5")


def test_no_quantity_is_no_order_whatever_it_costs() -> None:
    assert not makes_an_order(D(0), D(5), FRACTION_STEP)
    assert makes_an_order(FRACTION_STEP, D(5), FRACTION_STEP)
