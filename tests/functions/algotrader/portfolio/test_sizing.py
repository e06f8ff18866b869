"""An order never costs more than its weight allows, and entries never cost more than the cash."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.model import Holding, Settings, Side
from algotrader.model.units import FRACTION_STEP, ONE_SHARE
from algotrader.orders.pricing import marketable_price
from algotrader.portfolio.position import DeskPosition, desk_position
from algotrader.portfolio.sizing import (
    Sizing,
    Wanted,
    affordable,
    floor_shares,
    makes_an_order,
    quantity_step,
    shares_for,
    wanted_order,
)
from tests.support.desk_world import asset, ibm_entry, settings

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
    worst_sell=D("560.07"),
    step=ONE_SHARE,
    exit_step=FRACTION_STEP,
)


def wants(weight: Decimal, held: DeskPosition, sizing: Sizing) -> Wanted | None:
    return wanted_order(held, weight=weight, sizing=sizing)


def bought(qty: str, cash: str, under: Settings) -> Decimal:
    """Return how many shares of an intent the given cash buys."""
    cut = affordable(ibm_entry(qty), cash=D(cash), settings=under)
    return D(0) if cut is None else cut.qty


def test_a_first_entry_buys_whole_shares_at_the_worst_price() -> None:
    assert wants(D("0.33"), stake(), SIZING) == Wanted(Side.BUY, D(57), D(57))


def test_the_band_does_not_stop_a_first_entry() -> None:
    assert wants(D("0.006"), stake(), SIZING) == Wanted(Side.BUY, D(1), D(1))


def test_a_first_entry_of_less_than_a_share_has_nothing_to_send() -> None:
    assert wants(D("0.005"), stake(), SIZING) == Wanted(Side.BUY, D(0), D(0))


@pytest.mark.parametrize("weight", ["0.3263", "0.33", "0.3364"])
def test_a_drift_within_the_band_is_left_alone(weight: str) -> None:
    held = stake("58")  # 58 x 561.20 = 32549.60 = 0.33214
    assert wants(D(weight), held, SIZING) is None


@pytest.mark.parametrize("held", ["1", "0.5"])
def test_a_drift_within_the_band_of_one_share_or_less_is_left_alone(held: str) -> None:
    fractions = replace(SIZING, step=FRACTION_STEP)
    assert wants(D("0.005"), stake(held), fractions) is None
    narrow = replace(fractions, band=D(1))
    assert wants(D("0.005"), stake(held), narrow) is not None


@pytest.mark.parametrize(("held", "side"), [("19602", Side.SELL), ("19598", Side.BUY)])
def test_without_a_band_a_drift_of_one_dollar_is_traded(held: str, side: Side) -> None:
    cheap = replace(SIZING, band=D(0), reference=D("0.5"), worst_buy=D("0.5"))
    assert wants(D("0.1"), stake(held), cheap) == Wanted(side, D(2), D(2))


def test_a_drift_of_exactly_the_band_is_traded() -> None:
    exact = replace(SIZING, band=D(5612), capital=D(56120))
    assert wants(D("0.1"), stake("20"), exact) == Wanted(Side.SELL, D(10), D(10))


def test_a_drift_beyond_the_band_is_traded_up() -> None:
    held = stake("50")  # (0.33 x 98000 - 50 x 562.33) / 562.33 = 7.51
    assert wants(D("0.33"), held, SIZING) == Wanted(Side.BUY, D(7), D(7))


def test_a_drift_beyond_the_band_is_traded_down_without_selling_too_much() -> None:
    held = stake("60")  # (60 x 561.20 - 0.33 x 98000) / 561.20 = 2.37
    assert wants(D("0.33"), held, SIZING) == Wanted(Side.SELL, D(2), D(2))


def test_a_drift_beyond_the_band_but_below_a_share_is_left_alone() -> None:
    narrow = replace(SIZING, band=D(98))
    assert wants(D("0.33"), stake("58"), narrow) is None


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
def test_the_smallest_order_is_a_share_or_a_dollar_in_fractions(
    qty: str, price: str, step: Decimal, *, enough: bool
) -> None:
    assert makes_an_order(qty=D(qty), cost=D(qty) * D(price), step=step) is enough


def test_a_drift_of_less_than_a_dollar_is_left_alone_at_any_price_of_a_share() -> None:
    fractions = replace(SIZING, band=D(0), reference=D(100), worst_buy=D(100), step=FRACTION_STEP)
    assert wants(D("0.1"), stake("98.009"), fractions) is None
    assert wants(D("0.1"), stake("98.010"), fractions) == Wanted(Side.SELL, D("0.01"), D("0.01"))


def test_whole_shares_of_less_than_a_dollar_each_are_traded() -> None:
    cheap = replace(SIZING, band=D(0), reference=D("0.5"), worst_buy=D("0.5"))
    assert wants(D("0.1"), stake("19603"), cheap) == Wanted(Side.SELL, D(3), D(3))


def test_cash_of_less_than_a_dollar_buys_nothing_whatever_the_minimum_order() -> None:
    least = settings(fractional_shares=True, min_order_notional=D("0.5"))
    assert bought("9.5", "0.99", least) == 0


def test_under_a_zero_band_zero_drift_needs_no_order() -> None:
    none = replace(SIZING, band=D(0), capital=D(56120))
    assert wants(D("0.1"), stake("10"), none) is None


@pytest.mark.parametrize("held", ["57", "0.25", "57.123456789"])
def test_a_target_of_zero_sells_exactly_what_is_tradable(held: str) -> None:
    assert wants(D(0), stake(held), SIZING) == Wanted(Side.SELL, D(held), D(held))


def test_a_full_exit_is_capped_at_what_is_tradable() -> None:
    assert wants(D(0), stake("57", "20"), SIZING) == Wanted(Side.SELL, D(57), D(20))


def test_a_trim_is_capped_at_what_is_tradable() -> None:
    assert wants(D("0.1"), stake("57", "20"), SIZING) == Wanted(Side.SELL, D(39), D(20))


def test_a_full_exit_of_an_asset_without_fractions_sells_its_whole_shares() -> None:
    whole = replace(SIZING, exit_step=ONE_SHARE)
    assert wants(D(0), stake("10.5"), whole) == Wanted(Side.SELL, D("10.5"), D(10))


def test_an_exit_is_wanted_as_long_as_the_ledger_has_shares() -> None:
    gone = DeskPosition(symbol="IBM", book_qty=D(40), account_qty=D(0), held=D(0), sellable=D(0))
    assert wants(D(0), gone, SIZING) == Wanted(Side.SELL, D(40), D(0))


def test_a_target_of_zero_without_a_holding_needs_no_order() -> None:
    assert wants(D(0), stake(), SIZING) is None
    oversold = desk_position("IBM", {"IBM": Holding(qty=D(-3), cost=D(0))}, {})
    assert wants(D(0), oversold, SIZING) is None


def test_in_fractions_a_buy_is_sized_to_nine_decimals() -> None:
    fractions = replace(SIZING, step=FRACTION_STEP)
    wanted = wants(D("0.33"), stake(), fractions)
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
        worst_sell=marketable_price(price, Side.SELL, 20),
        step=FRACTION_STEP if fractions else ONE_SHARE,
        exit_step=FRACTION_STEP,
    )
    wanted = wants(weight, stake(str(held)), sizing)
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
        worst_sell=marketable_price(price, Side.SELL, 20),
        step=ONE_SHARE,
        exit_step=FRACTION_STEP,
    )

    def shares_after(weight: Decimal) -> Decimal:
        wanted = wants(weight, stake(str(held)), sizing)
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
    seen = asset("IBM", fractionable=fractionable)
    assert quantity_step(seen, settings(fractional_shares=setting)) == step
    assert quantity_step(None, settings(fractional_shares=setting)) == ONE_SHARE


@pytest.mark.parametrize(
    ("qty", "cash", "fractional", "expected"),
    [
        ("10", "100.20", False, "10"),
        ("10", "100.19", False, "9"),
        ("10", "10.01", False, "0"),
        ("10", "-5", False, "0"),
        ("10", "100000", False, "10"),
        ("10", "100.19", True, "9"),  # whole quantities stay whole
        ("9.5", "50.10", True, "5"),
        ("9.5", "50", True, "4.990019960"),
        ("9.3", "50", True, "4.990019960"),
        ("9.7", "50", True, "4.990019960"),
        ("9.5", "0.99", True, "0"),  # worth less than a dollar
    ],
)
def test_a_buy_is_cut_to_the_cash(qty: str, cash: str, fractional: bool, expected: str) -> None:
    found = bought(qty, cash, settings(fractional_shares=fractional))
    assert found == D(expected)


def test_a_buy_below_the_minimum_order_is_cut_to_nothing() -> None:
    least = settings(min_order_notional=D("50.10"))
    assert bought("10", "50.10", least) == 5
    assert bought("10", "50.09", least) == 0


@given(money=MONEY, price=MONEY, step=st.sampled_from([ONE_SHARE, FRACTION_STEP]))
def test_rounding_down_gives_the_largest_quantity_that_the_money_pays(
    money: Decimal, price: Decimal, step: Decimal
) -> None:
    qty = shares_for(money=money, price=price, step=step)
    assert qty * price <= money < (qty + step) * price
    assert qty % step == 0


@given(qty=MONEY, step=st.sampled_from([ONE_SHARE, FRACTION_STEP]))
def test_shares_are_cut_by_less_than_a_step(qty: Decimal, step: Decimal) -> None:
    cut = floor_shares(qty=qty, step=step)
    assert cut <= qty < cut + step
    assert cut % step == 0


def test_a_zero_quantity_needs_no_order_whatever_it_costs() -> None:
    assert not makes_an_order(qty=D(0), cost=D(5), step=FRACTION_STEP)
    assert makes_an_order(qty=FRACTION_STEP, cost=D(5), step=FRACTION_STEP)
