"""An entry by value never costs more than its dollars, however it is reduced or filled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.accounting.ledger import empty_ledger, fold
from algotrader.errors import OrderConflictError
from algotrader.execution import advance, check_terms, first_plan, matches_decided
from algotrader.execution.values import deny
from algotrader.model import (
    CorporateAction,
    Decision,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Side,
    TradingMode,
)
from algotrader.orders.pricing import worst_cost
from algotrader.portfolio.capital import open_buy_cost
from algotrader.portfolio.sizing import affordable
from tests.functions.algotrader.execution.test_stop_orders import wish
from tests.support.desk_world import (
    DESK,
    NOW,
    asset,
    codes,
    decided,
    open_order,
    own_id,
    prices,
    quantities,
    run,
    settings,
    snapshot,
)
from tests.support.examples import tried
from tests.support.execution_fixtures import NOTHING, account, known
from tests.support.execution_fixtures import RUN as SUBMIT_RUN
from tests.support.execution_fixtures import decision as decision_of
from tests.support.execution_fixtures import order as shown

D = Decimal
BY_VALUE = settings(
    order_type=OrderType.NOTIONAL, fractional_shares=True, max_position_weight=Decimal(1)
)


def values(decision: Decision) -> dict[str, tuple[Decimal, Decimal | None]]:
    return {each.symbol: (each.qty, each.notional) for each in decision.entries}


# Decisions


def test_an_entry_by_value_names_its_dollars_and_the_shares_at_the_worst_price() -> None:
    made = decided({"IBM": D("0.3")}, under=BY_VALUE)
    (entry,) = made.entries
    assert (entry.notional, entry.qty) == (D("29400.00"), D("293.413173652"))
    assert (entry.order_type, entry.limit_price) == (OrderType.MARKET, None)
    assert made.why["IBM"].startswith("buy 293.413173652 for 29400.00 dollars: target 0.3 of ")
    assert worst_cost(entry, BY_VALUE) == D("29400.00")


def test_an_asset_without_fractions_is_bought_in_whole_shares_at_market() -> None:
    seen = snapshot(assets={"IBM": asset("IBM", fractionable=False)})
    (entry,) = decided({"IBM": D("0.3")}, seen, under=BY_VALUE).entries
    assert (entry.qty, entry.notional) == (D(293), None)
    assert entry.order_type is OrderType.MARKET


def test_exits_go_by_quantity_at_market() -> None:
    seen = snapshot({"AAPL": "12.345678901", "IBM": "500"})
    made = decided({"IBM": D("0.2")}, seen, under=BY_VALUE)
    assert quantities(made.exits)["AAPL"] == D("12.345678901")
    assert {each.order_type for each in made.exits} == {OrderType.MARKET}
    assert {each.notional for each in made.exits} == {None}


def test_a_holding_grows_by_the_dollars_that_it_lacks() -> None:
    seen = snapshot({"IBM": "10"}, cash="1000")
    made = decided({"IBM": D(1)}, seen, under=BY_VALUE)
    # 1980.00 of capital less 10 shares at their worst price of 100.20
    assert values(made)["IBM"][1] == D("978.00")


@pytest.mark.parametrize(
    ("weight", "least", "expected"),
    [("0.01", "1", "9.80"), ("0.00102041", "1", "1.00"), ("0.001", "1", ""), ("0.01", "9.81", "")],
)
def test_an_order_by_value_is_at_least_a_dollar_and_the_minimum_order(
    weight: str, least: str, expected: str
) -> None:
    under = replace(BY_VALUE, min_order_notional=D(least))
    made = decided({"IBM": D(weight)}, snapshot(cash="1000"), under=under)
    if expected:
        assert values(made)["IBM"][1] == D(expected)
    else:
        assert (values(made), codes(made)) == ({}, {"IBM": "BELOW_MINIMUM_ORDER"})


def test_rounding_to_the_cent_is_not_a_cut() -> None:
    made = decided({"IBM": D("0.123456789")}, under=BY_VALUE)
    assert values(made)["IBM"][1] == D("12098.76")  # rounded down from 12098.765322
    assert "cut" not in made.why["IBM"]


def test_an_entry_is_cut_to_the_cent_by_exposure() -> None:
    under = replace(BY_VALUE, max_gross_exposure=D("0.123456"))
    made = decided({"IBM": D("0.3")}, under=under)
    assert values(made)["IBM"][1] == D("12098.68")
    assert "; cut from 293.413173652 to what MaxGrossExposure leaves" in made.why["IBM"]


def test_the_ramp_of_a_live_desk_cuts_to_its_dollars() -> None:
    live = replace(BY_VALUE, mode=TradingMode.LIVE)
    made = decided({"IBM": D("0.3")}, under=live, of=run(mode=TradingMode.LIVE))
    assert values(made)["IBM"][1] == D(1000)


def test_limits_on_cost_count_the_dollars() -> None:
    under = replace(BY_VALUE, max_order_notional=D("29399.99"))
    assert codes(decided({"IBM": D("0.3")}, under=under)) == {"IBM": "MAX_ORDER_NOTIONAL"}
    under = replace(BY_VALUE, max_order_notional=D("29400.00"))
    assert codes(decided({"IBM": D("0.3")}, under=under)) == {}


# Spending the cash


def entry(notional: str = "500.00") -> OrderIntent:
    (made,) = decided({"IBM": D("0.3")}, under=BY_VALUE).entries
    return replace(made, notional=D(notional), qty=D("4.990019960"))


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ("500.00", ("500.00", "4.990019960")),
        ("499.999", ("499.99", "4.989920159")),
        ("100000", ("500.00", "4.990019960")),
        ("1.00", ("1.00", "0.009980039")),
        ("0.99", None),
        ("-5", None),
    ],
)
def test_a_buy_by_value_is_cut_to_the_cash_to_the_cent(
    cash: str, expected: tuple[str, str] | None
) -> None:
    found = affordable(entry(), cash=D(cash), settings=BY_VALUE)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.notional, found.qty) == tuple(map(D, expected))


def test_a_buy_by_value_below_the_least_order_is_not_sent() -> None:
    least = replace(BY_VALUE, min_order_notional=D(100))
    assert affordable(entry(), cash=D("99.99"), settings=least) is None
    found = affordable(entry(), cash=D(100), settings=least)
    assert found is not None
    assert found.notional == 100


@given(cash=st.decimals(0, 1000, places=5), dear=st.decimals("0.0001", 1000, places=4))
def test_a_cut_entry_never_costs_more_than_the_cash(cash: Decimal, dear: Decimal) -> None:
    wanted = replace(entry(), reference_price=dear)
    found = affordable(wanted, cash=cash, settings=BY_VALUE)
    if found is not None and found.notional is not None:
        assert 1 <= found.notional <= min(cash, D(500))
        assert found.notional == found.notional.quantize(D("0.01"))
        assert cash - found.notional < D("0.01") or found.notional == 500


def test_an_open_buy_by_value_may_still_cost_its_unfilled_dollars() -> None:
    rests = open_order("IBM", Side.BUY, None, None, own_id("IBM", Leg.ENTRY), notional=D(500))
    part = replace(rests, filled_qty=D("1.5"), filled_avg_price=D("100.10"))
    assert open_buy_cost([rests], {}) == 500
    assert open_buy_cost([part], {}) == D("349.85")
    assert open_buy_cost([replace(part, status="canceled")], {}) == 0


def test_an_open_order_by_value_is_named_by_its_dollars() -> None:
    user = open_order("IBM", Side.BUY, None, None, "mine", notional=D("500.5"))
    made = decided({}, snapshot({"IBM": "5"}, foreign_open_orders=(user,)), under=BY_VALUE)
    assert made.denied[0].detail == "buy 500.50 dollars (mine)"


# Submission


def placed(intent: OrderIntent, status: str, filled: str, price: str = "100") -> Order:
    return replace(
        shown(intent, status, 0),
        order_type="market",
        qty=None,
        notional=intent.notional,
        filled_qty=D(filled),
        filled_avg_price=D(price),
    )


def ours(notional: str = "500.00") -> OrderIntent:
    return replace(
        entry(notional), client_order_id=f"at1-abc123-{SUBMIT_RUN.session}-day-IBM-entry-0"
    )


def test_an_order_by_value_matches_the_plan_if_its_dollars_do() -> None:
    intent = ours()
    made = decision_of(exits=(), entries=(intent,))
    plan = first_plan(SUBMIT_RUN, made)
    check_terms(plan, made, known(placed(intent, "new", "0")))
    check_terms(plan, made, known(placed(intent, "filled", "5.001")))
    for other in (
        replace(placed(intent, "new", "0"), notional=D("499.99")),
        replace(placed(intent, "new", "0"), notional=None, qty=intent.qty),
        replace(placed(intent, "new", "0"), extended_hours=True),
    ):
        with pytest.raises(OrderConflictError, match="ORDER_CONFLICT"):
            check_terms(plan, made, known(other))


@pytest.mark.parametrize(
    ("changes", "ours_too"),
    [
        ({}, True),
        ({"notional": D("392.03")}, True),  # reduced to the available cash
        ({"notional": D("500.01")}, False),
        ({"notional": None, "qty": D(4)}, False),
        ({"symbol": "AAPL"}, False),
    ],
)
def test_an_order_by_value_matches_the_decision_whole_or_cut(
    changes: dict[str, Any], *, ours_too: bool
) -> None:
    found = replace(placed(ours(), "new", "0"), **changes)
    assert matches_decided(ours(), found) is ours_too


def test_an_entry_by_value_that_was_given_up_returns_with_the_dollars_sent() -> None:
    intent = ours()
    made = decision_of(exits=(), entries=(intent,))
    denied = deny(intent, "TRADING_HALTED", "drill")
    plan = replace(first_plan(SUBMIT_RUN, made), orders=(), denied=(denied,), gave_up_after=0)
    sent = placed(replace(intent, notional=D("392.03")), "new", "0")
    view = replace(known(), beyond_plan={sent.client_order_id: sent})
    step = advance(SUBMIT_RUN, BY_VALUE, made, plan, view, NOTHING)
    assert [(each.notional, each.client_order_id) for each in step.plan.orders] == [
        (D("392.03"), intent.client_order_id)
    ]
    assert step.plan.denied == ()


def test_entries_by_value_are_cut_to_the_proceeds_of_the_exits() -> None:
    exit_ = decision_of().exits[0]
    made = decision_of(entries=(ours("5000.00"),), spendable=0)
    sold = replace(shown(exit_), filled_qty=D(4), filled_avg_price=D("100.01"), status="canceled")
    step = advance(
        SUBMIT_RUN,
        BY_VALUE,
        made,
        first_plan(SUBMIT_RUN, made),
        replace(known(sold), account=account(5000)),
        NOTHING,
    )
    # Four shares at 100.01 bring 392.03 after the 2 % reserve.
    assert [each.notional for each in step.plan.orders[1:]] == [D("392.03")]


def test_the_stop_after_an_entry_by_value_covers_its_whole_shares() -> None:
    intent = ours()
    made = replace(decision_of(exits=(), entries=(intent,)), stops=(wish("IBM", 0),))
    step = advance(
        SUBMIT_RUN,
        BY_VALUE,
        made,
        first_plan(SUBMIT_RUN, made),
        known(placed(intent, "filled", "5.001")),
        NOTHING,
    )
    assert [(each.leg, each.qty) for each in step.plan.orders][1:] == [(Leg.STOP, D(5))]


# Selling the holding to the last billionth

buys = st.lists(st.decimals("0.000000001", 50, places=9), min_size=1, max_size=5)
splits = st.sampled_from([None, D(2), D(3), D("1.5"), D(1) / D(3), D("0.1")])


@tried(100)
@given(parts=buys, ratio=splits, by_value=st.booleans())
def test_a_full_exit_leaves_no_dust(
    parts: list[Decimal], ratio: Decimal | None, *, by_value: bool
) -> None:
    """After several partial buys, a split and one full exit, the desk holds nothing."""
    bought = [
        replace(
            open_order("IBM", Side.BUY, None, None, own_id("IBM", Leg.ENTRY)),
            broker_id=f"buy-{place}",
            notional=D(9000),
            status="canceled",
            filled_qty=part,
            filled_avg_price=D(100),
        )
        for place, part in enumerate(parts)
    ]
    split = [CorporateAction("IBM", "split", date(2024, 3, 4), ratio)] if ratio else []
    held = fold(empty_ledger(DESK), bought, split, NOW)
    expected = (
        sum(parts, D(0)) if ratio is None else held.holdings["IBM"].qty if held.holdings else 0
    )
    seen = snapshot({symbol: str(each.qty) for symbol, each in held.holdings.items()})
    made = decided({}, seen, under=BY_VALUE if by_value else settings())
    sold = [
        replace(
            open_order("IBM", each.side, str(each.qty), None, each.client_order_id),
            broker_id="exit",
            submitted_at=NOW,
            status="filled",
            filled_qty=each.qty,
            filled_avg_price=D(101),
        )
        for each in made.exits
    ]
    assert [each.qty for each in made.exits] == ([expected] if expected else [])
    assert fold(empty_ledger(DESK), [*bought, *sold], split, NOW).holdings == {}


def test_a_share_of_less_than_a_dollar_is_bought_by_value() -> None:
    seen = snapshot(cash="1000", prices=prices(IBM="0.5"), last_closes={"IBM": D("0.5")})
    made = decided({"IBM": D("0.3")}, seen, under=BY_VALUE)
    assert values(made)["IBM"][1] == D("294.00")


def test_a_buy_by_quantity_may_be_cut_to_one_share_or_less() -> None:
    whole = replace(entry(), notional=None, qty=D(5))
    found = affordable(whole, cash=D("150"), settings=BY_VALUE)
    assert found is not None
    assert (found.qty, found.notional) == (D(1), None)
    part = affordable(replace(whole, qty=D("5.5")), cash=D("50.10"), settings=BY_VALUE)
    assert part is not None
    assert part.qty == D("0.5")


def test_cash_for_less_than_a_share_buys_nothing_by_quantity() -> None:
    whole = replace(entry(), notional=None, qty=D(5))
    assert affordable(whole, cash=D("100.19"), settings=BY_VALUE) is None
