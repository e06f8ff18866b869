"""A decision turns weights into orders that keep every limit, and tells why for every symbol."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from algotrader.contracts import canonical_json
from algotrader.decision import decide
from algotrader.errors import InsufficientHistoryError, StrategyError
from algotrader.model import (
    CorporateAction,
    Decision,
    LatestPrice,
    Leg,
    OrderIntent,
    OrderType,
    Run,
    Settings,
    Side,
    Snapshot,
    TradingState,
)
from tests.support.desk_world import (
    NOW,
    RUN,
    SETTINGS,
    FixedWeights,
    account,
    asset,
    features,
    ledger,
    open_order,
    own_id,
    position,
    prices,
    run,
    settings,
    snapshot,
)

D = Decimal


def decided(
    weights: dict[str, Any],
    told: Snapshot | None = None,
    *,
    under: Settings = SETTINGS,
    of: Run = RUN,
) -> Decision:
    return decide(of, under, told or snapshot(), features(*under.symbols), FixedWeights(weights))


def orders(intents: tuple[OrderIntent, ...]) -> dict[str, Decimal]:
    return {intent.symbol: intent.qty for intent in intents}


def codes(decision: Decision) -> dict[str, str]:
    return {each.symbol: each.code for each in decision.denied}


# Orders


def test_a_first_entry_is_an_order_with_all_its_terms() -> None:
    told = snapshot(prices=prices(AAPL="100", GOOG="100", IBM="561.20", MSFT="100"))
    decision = decided({"IBM": D("0.33")}, told)
    why = "buy 57: target 0.33 of 98000.00 at 561.20, worst 562.33; holds 0"
    assert decision.entries == (
        OrderIntent(
            client_order_id="at1-abc123-2024-03-04-day-IBM-entry-0",
            symbol="IBM",
            side=Side.BUY,
            leg=Leg.ENTRY,
            qty=D(57),
            order_type=OrderType.LIMIT,
            limit_price=D("562.33"),
            reference_price=D("561.20"),
            why=why,
        ),
    )
    assert decision.why["IBM"] == why
    assert (decision.desk_capital, decision.spendable) == (D("98000.00"), D("98000.00"))
    assert (decision.run_id, decision.strategy) == (RUN.run_id, "fixed_weights")
    assert decision.target_weights == {"IBM": D("0.33")}
    assert (decision.exits, decision.cancels, decision.denied) == ((), (), ())


def test_a_full_exit_is_an_order_with_all_its_terms() -> None:
    decision = decided({}, snapshot({"IBM": "10.5"}))
    assert decision.exits == (
        OrderIntent(
            client_order_id="at1-abc123-2024-03-04-day-IBM-exit-0",
            symbol="IBM",
            side=Side.SELL,
            leg=Leg.EXIT,
            qty=D("10.5"),
            order_type=OrderType.LIMIT,
            limit_price=D("99.80"),
            reference_price=D(100),
            why="sell 10.5: target 0 of 99050.00 at 100.00, worst 99.80; holds 10.5",
        ),
    )


def test_a_market_order_has_no_limit_and_is_sized_all_the_same() -> None:
    limit = decided({"IBM": D("0.33")}).entries[0]
    market = decided({"IBM": D("0.33")}, under=settings(order_type=OrderType.MARKET)).entries[0]
    assert (market.order_type, market.limit_price) == (OrderType.MARKET, None)
    assert market.qty == limit.qty


def test_fractions_are_bought_where_setting_and_asset_allow_them() -> None:
    told = snapshot(assets={"IBM": asset("IBM"), "MSFT": asset("MSFT", fractionable=False)})
    decision = decided(
        {"IBM": D("0.3"), "MSFT": D("0.3")}, told, under=settings(fractional_shares=True)
    )
    assert orders(decision.entries) == {"IBM": D("293.413173652"), "MSFT": D(293)}


def test_every_managed_symbol_has_its_why_in_alphabetical_order() -> None:
    decision = decided({"IBM": D("0.3"), "AAPL": D("0.1")}, snapshot({"XOM": "5", "AAPL": "99"}))
    assert decision.why == {
        "AAPL": "hold 99: drift 0.87 % is within the 1 % band (target 0.1 of 108400.00)",
        "GOOG": "nothing to do: target 0, holds 0",
        "IBM": "buy 324: target 0.3 of 108400.00 at 100.00, worst 100.20; holds 0",
        "MSFT": "nothing to do: target 0, holds 0",
        "XOM": "sell 5: target 0 of 108400.00 at 100.00, worst 99.80; holds 5",
    }


def test_a_hold_below_the_smallest_order_says_so() -> None:
    decision = decided(
        {"IBM": D("0.101")}, snapshot({"IBM": "1"}, "1000"), under=settings(no_trade_band=D(0))
    )
    assert decision.why["IBM"] == (
        "hold 1: drift 0.84 % is less than the smallest order (target 0.101 of 1080.00)"
    )


def test_a_symbol_out_of_the_universe_is_sold_and_never_shown_to_the_strategy() -> None:
    strategy = FixedWeights({})
    decision = decide(RUN, SETTINGS, snapshot({"XOM": "5"}), features(), strategy)
    assert orders(decision.exits) == {"XOM": D(5)}
    market, portfolio = strategy.shown[0]
    assert "XOM" not in market.symbols
    assert portfolio.quantities == {}


def test_exits_come_by_symbol_and_entries_by_descending_weight_then_symbol() -> None:
    decision = decided(
        {"MSFT": D("0.2"), "GOOG": D("0.1"), "AAPL": D("0.1")}, snapshot({"XOM": "5", "IBM": "5"})
    )
    assert list(orders(decision.exits)) == ["IBM", "XOM"]
    assert list(orders(decision.entries)) == ["MSFT", "AAPL", "GOOG"]


def test_the_strategy_is_shown_the_desks_part_alone() -> None:
    told = snapshot({"IBM": "50"}, positions={"IBM": position("IBM", "500")})
    strategy = FixedWeights({"IBM": D("0.05")})
    decide(RUN, SETTINGS, told, features(), strategy)
    market, portfolio = strategy.shown[0]
    assert portfolio.quantities == {"IBM": D(50)}
    assert portfolio.capital == D("103000.00")
    assert portfolio.weights == {"IBM": D(5000) / D(103000)}
    assert (market.session, market.as_of) == (date(2024, 3, 4), date(2024, 3, 1))
    assert market["IBM"]["fast"] == 1.0
    assert market["IBM"].price == D(100)


def test_a_holding_that_an_open_order_keeps_still_counts_as_held() -> None:
    told = snapshot({"IBM": "300"}, positions={"IBM": position("IBM", "300", "0")})
    decision = decided({"IBM": D("0.235")}, told)
    assert (decision.entries, decision.denied) == ((), ())
    assert decision.desk_capital == D("128000.00")


def test_the_users_own_shares_are_neither_counted_nor_sold() -> None:
    told = snapshot({"IBM": "10"}, positions={"IBM": position("IBM", "500")})
    decision = decided({}, told)
    assert orders(decision.exits) == {"IBM": D(10)}
    assert decision.desk_capital == D("99000.00")
    assert "LEDGER_MISMATCH" not in decision.why["IBM"]


# Capital


def test_capital_caps_what_weights_apply_to() -> None:
    decision = decided({"IBM": D("0.3")}, under=settings(capital=D(10000)))
    assert decision.desk_capital == 10000
    assert decision.spendable == 10000
    assert orders(decision.entries) == {"IBM": D(29)}


def test_entries_do_not_exceed_capital_less_the_desks_positions() -> None:
    held = {"AAPL": "45", "GOOG": "45"}  # each 4500 of a capital of 10000, aimed at 4450
    decision = decided(
        {"AAPL": D("0.445"), "GOOG": D("0.445"), "IBM": D("0.11")},
        snapshot(held),
        under=settings(capital=D(10000), max_position_weight=D("0.5")),
    )
    assert orders(decision.entries) == {"IBM": D(9)}  # 1000 is left of 1100
    assert decision.spendable == 1000
    assert decision.why["IBM"].endswith("; cut from 10 to the money there is")


def test_a_desk_that_outgrew_its_capital_buys_only_what_its_exits_free() -> None:
    decision = decided(
        {"AAPL": D("0.3"), "IBM": D("0.3")},
        snapshot({"AAPL": "200", "GOOG": "20"}),
        under=settings(capital=D(10000)),
    )
    assert orders(decision.exits) == {"AAPL": D(170), "GOOG": D(20)}
    assert decision.spendable == 0
    assert orders(decision.entries) == {"IBM": D(29)}


def test_what_capital_does_not_leave_is_refused_by_name() -> None:
    told = snapshot(
        {"AAPL": "120"}, positions={"AAPL": position("AAPL", "120", "0")}, cash="100000"
    )
    decision = decided({"IBM": D("0.3")}, told, under=settings(capital=D(10000)))
    assert codes(decision) == {"AAPL": "NOTHING_TO_SELL", "IBM": "CAPITAL_EXCEEDED"}
    assert "Capital beside the desk's positions -2000.00" in decision.denied[1].detail


def test_open_buys_come_off_what_is_spendable() -> None:
    mine = open_order("GOOG", Side.BUY, "100", "100", own_id("GOOG", Leg.ENTRY))
    users = open_order("XOM", Side.BUY, "100", "300", "user-1")
    told = snapshot(own_open_orders=(mine,), foreign_open_orders=(users,))
    assert decided({}, told).spendable == D("58800.00")


@pytest.mark.parametrize(
    ("changes", "capital"),
    [
        ({}, "102950.00"),
        ({"prices": prices(AAPL="100")}, "102940.00"),  # 50 at the last close of 98.80
        ({"prices": prices(AAPL="100"), "last_closes": {}}, "102500.00"),  # at its cost of 90
    ],
)
def test_a_holding_without_a_price_is_valued_by_its_close_then_its_cost(
    changes: dict[str, Any], capital: str
) -> None:
    closes = {"last_closes": {"IBM": D("98.80")}}
    priced = {"prices": prices(AAPL="100", IBM="99")}
    told = snapshot({"IBM": "50"}, **{**closes, **priced, **changes})
    assert decided({"IBM": D("0.05")}, told).desk_capital == D(capital)


# Cash


def test_a_rotation_is_paid_by_what_the_exit_brings() -> None:
    decision = decided({"IBM": D("0.3")}, snapshot({"AAPL": "300"}, "0"))
    assert orders(decision.exits) == {"AAPL": D(300)}
    assert orders(decision.entries) == {"IBM": D(89)}
    assert decision.spendable == 0


def test_a_full_rotation_is_cut_to_the_exits_least_proceeds_less_the_reserve() -> None:
    decision = decided(
        {"IBM": D(1)},
        snapshot({"AAPL": "300"}, "0"),
        under=settings(max_position_weight=D(1)),
    )
    # 300 x 99.80 x 0.98 = 29341.20 pay for 292 at 100.20, a weight of 1 would be 299.
    assert orders(decision.entries) == {"IBM": D(292)}
    assert decision.why["IBM"] == (
        "buy 292: target 1 of 30000.00 at 100.00, worst 100.20; holds 0;"
        " cut from 299 to the money there is"
    )


def test_without_its_exit_an_entry_that_nothing_pays_for_is_refused() -> None:
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 4), D(2))
    decision = decided(
        {"IBM": D("0.3")}, snapshot({"AAPL": "300"}, "0", corporate_actions=(split,))
    )
    assert codes(decision) == {"AAPL": "CORPORATE_ACTION", "IBM": "INSUFFICIENT_CASH"}
    assert decision.denied[1].detail == "cost 8917.80, spendable 0.00"
    assert decision.denied[1].qty == 89


def test_an_entry_that_cash_would_cut_below_the_band_is_refused() -> None:
    held = {"AAPL": "330", "GOOG": "330", "MSFT": "330"}
    weights = {"AAPL": D("0.32"), "GOOG": D("0.32"), "MSFT": D("0.32"), "IBM": D("0.03")}
    told = snapshot(held, "500")
    decision = decided(weights, told, under=settings(no_trade_band=D("0.02")))
    assert decision.exits == ()
    assert codes(decision) == {"IBM": "INSUFFICIENT_CASH"}


def test_the_greater_weight_is_paid_first() -> None:
    split = CorporateAction("AAPL", "spin_off", date(2024, 3, 4), None)
    told = snapshot({"AAPL": "900"}, "10000", corporate_actions=(split,))
    decision = decided({"GOOG": D("0.05"), "MSFT": D("0.06")}, told)
    assert orders(decision.entries) == {"MSFT": D(59), "GOOG": D(38)}
    assert "cut from 49" in decision.why["GOOG"]


# Limits in a run


def test_a_weight_above_the_limit_is_refused_whole() -> None:
    decision = decided({"IBM": D("0.36"), "MSFT": D("0.3")})
    assert codes(decision) == {"IBM": "MAX_POSITION_WEIGHT"}
    assert orders(decision.entries) == {"MSFT": D(293)}
    assert decision.denied[0].qty == 352


def test_an_order_above_the_notional_is_refused_whole() -> None:
    decision = decided({"IBM": D("0.3")}, under=settings(max_order_notional=D(29000)))
    assert codes(decision) == {"IBM": "MAX_ORDER_NOTIONAL"}


def test_exits_count_first_and_entries_by_priority_fill_up_the_orders_of_a_run() -> None:
    decision = decided(
        {"GOOG": D("0.1"), "IBM": D("0.2"), "MSFT": D("0.1")},
        snapshot({"AAPL": "10", "XOM": "10"}),
        under=settings(max_orders_per_run=3),
    )
    assert list(orders(decision.exits)) == ["AAPL", "XOM"]
    assert list(orders(decision.entries)) == ["IBM"]
    assert codes(decision) == {"GOOG": "MAX_ORDERS_PER_RUN", "MSFT": "MAX_ORDERS_PER_RUN"}


def test_exits_are_never_refused_by_the_number_of_orders() -> None:
    decision = decided(
        {}, snapshot({"AAPL": "1", "IBM": "1"}), under=settings(max_orders_per_run=1)
    )
    assert list(orders(decision.exits)) == ["AAPL", "IBM"]


def test_a_first_entry_of_less_than_a_share_is_refused() -> None:
    decision = decided({"IBM": D("0.001")})
    assert codes(decision) == {"IBM": "BELOW_MINIMUM_ORDER"}
    assert decision.why["IBM"].startswith(
        "denied buy 0: BELOW_MINIMUM_ORDER: 98.00 buys 0 at 100.20, less than one share"
    )


def test_a_run_with_named_symbols_buys_those_alone_and_sells_all() -> None:
    decision = decided(
        {"IBM": D("0.3"), "MSFT": D("0.3")},
        snapshot({"AAPL": "10"}),
        of=run(entry_symbols=("MSFT",)),
    )
    assert orders(decision.exits) == {"AAPL": D(10)}
    assert orders(decision.entries) == {"MSFT": D(296)}
    assert codes(decision) == {"IBM": "NOT_IN_INPUT"}


# Prices


def test_without_a_price_nothing_is_traded_on_either_side() -> None:
    told = snapshot({"AAPL": "10"}, prices=prices(GOOG="100", MSFT="100"))
    decision = decided({"IBM": D("0.3")}, told)
    assert codes(decision) == {"AAPL": "NO_PRICE", "IBM": "NO_PRICE"}
    assert (decision.exits, decision.entries) == ((), ())


@pytest.mark.parametrize("weight", ["0", "0.3"])
def test_a_symbol_of_which_no_worth_at_all_is_known_is_refused(weight: str) -> None:
    told = snapshot({"IBM": "10"}, prices={}, last_closes={})
    free = replace(told.ledger.holdings["IBM"], cost=D(0))
    told = replace(told, ledger=replace(told.ledger, holdings={"IBM": free}))
    assert codes(decided({"IBM": D(weight)}, told)) == {"IBM": "NO_PRICE"}


@pytest.mark.parametrize("price", ["0", "-5", "NaN"])
def test_a_price_that_is_none_is_not_shown_to_the_strategy(price: str) -> None:
    told = snapshot(prices={"IBM": LatestPrice(D(price), NOW)})
    strategy = FixedWeights({"IBM": D("0.3")})
    decision = decide(RUN, SETTINGS, told, features(), strategy)
    assert codes(decision) == {"IBM": "NO_PRICE"}
    assert strategy.shown[0][0]["IBM"].price is None


def test_a_stale_price_stops_the_entry_and_lets_the_exit_go() -> None:
    old = prices(NOW - timedelta(seconds=901), AAPL="100", IBM="100")
    decision = decided({"IBM": D("0.3")}, snapshot({"AAPL": "10"}, prices=old))
    assert orders(decision.exits) == {"AAPL": D(10)}
    assert codes(decision) == {"IBM": "PRICE_STALE"}


def test_a_dry_run_after_the_close_takes_the_prices_of_the_close_as_fresh() -> None:
    night = snapshot()
    closed = replace(
        night,
        clock=replace(night.clock, now=night.session.close + timedelta(hours=9), is_open=False),
        prices=prices(night.session.close - timedelta(seconds=30), IBM="100"),
    )
    assert codes(decided({"IBM": D("0.3")}, closed)) == {"IBM": "PRICE_STALE"}
    dry = decided({"IBM": D("0.3")}, closed, of=run(sends_orders=False))
    assert orders(dry.entries) == {"IBM": D(293)}
    late = prices(night.session.close + timedelta(hours=3), IBM="100")
    after_hours = decided(
        {"IBM": D("0.3")}, replace(closed, prices=late), of=run(sends_orders=False)
    )
    assert orders(after_hours.entries) == {"IBM": D(293)}


def test_a_dry_run_does_not_take_a_stale_or_future_price() -> None:
    dry = run(sends_orders=False)
    for off in (timedelta(seconds=-901), timedelta(seconds=61)):
        told = snapshot(prices=prices(NOW + off, IBM="100"))
        assert codes(decided({"IBM": D("0.3")}, told, of=dry)) == {"IBM": "PRICE_STALE"}


# The trading state


def test_a_halted_desk_sends_nothing_and_cancels_its_open_entries_alone() -> None:
    mine = tuple(
        open_order("GOOG", side, "5", "99", own_id("GOOG", leg))
        for side, leg in (
            (Side.BUY, Leg.ENTRY),
            (Side.SELL, Leg.EXIT),
            (Side.SELL, Leg.STOP),
            (Side.SELL, Leg.TARGET),
            (Side.SELL, Leg.FLATTEN),
        )
    )
    told = snapshot(
        {"AAPL": "10"},
        trading_state=TradingState.HALTED,
        trading_state_reason="drill",
        own_open_orders=mine,
    )
    decision = decided({"IBM": D("0.3")}, told)
    assert (decision.exits, decision.entries) == ((), ())
    assert codes(decision) == {"AAPL": "TRADING_HALTED", "IBM": "TRADING_HALTED"}
    assert decision.denied[0].detail == "trading state is HALTED: drill"
    assert decision.cancels == (own_id("GOOG", Leg.ENTRY),)


def test_a_reducing_desk_sells_and_does_not_buy() -> None:
    told = snapshot({"AAPL": "10"}, trading_state=TradingState.REDUCING)
    decision = decided({"IBM": D("0.3")}, told)
    assert orders(decision.exits) == {"AAPL": D(10)}
    assert codes(decision) == {"IBM": "TRADING_REDUCING"}


# Open orders


def test_own_orders_from_before_are_canceled_and_their_symbols_wait() -> None:
    mine = (
        open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY)),
        open_order("AAPL", Side.SELL, "5", "120", own_id("AAPL", Leg.EXIT)),
        open_order("TSLA", Side.BUY, "5", "99", own_id("TSLA", Leg.ENTRY)),
        open_order("MSFT", Side.BUY, "5", "99", own_id("MSFT", Leg.ENTRY), status="filled"),
    )
    told = snapshot({"AAPL": "10"}, own_open_orders=mine)
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, told)
    assert codes(decision) == {"AAPL": "OPEN_ORDER_UNSETTLED", "IBM": "OPEN_ORDER_UNSETTLED"}
    assert orders(decision.entries) == {"MSFT": D(293)}
    assert decision.cancels == (
        own_id("AAPL", Leg.EXIT),
        own_id("IBM", Leg.ENTRY),
        own_id("TSLA", Leg.ENTRY),
    )


def test_a_protective_order_stays_and_nothing_is_bought_against_it() -> None:
    stop = open_order("IBM", Side.SELL, "10", None, own_id("IBM", Leg.STOP))
    told = snapshot(
        {"IBM": "10"}, positions={"IBM": position("IBM", "10", "0")}, own_open_orders=(stop,)
    )
    decision = decided({"IBM": D("0.3")}, told)
    assert decision.cancels == ()
    assert codes(decision) == {"IBM": "OPPOSITE_ORDER_OPEN"}


def test_the_users_opposite_orders_are_respected_and_never_canceled() -> None:
    users = (
        open_order("IBM", Side.SELL, "5", "120", "user-1"),
        open_order("AAPL", Side.BUY, "5", "80", "user-2"),
        open_order("MSFT", Side.BUY, "5", "80", "user-3"),
    )
    told = snapshot({"AAPL": "10"}, foreign_open_orders=users)
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, told)
    assert codes(decision) == {"AAPL": "OPPOSITE_ORDER_OPEN", "IBM": "OPPOSITE_ORDER_OPEN"}
    assert orders(decision.entries) == {"MSFT": D(294)}  # 800 of the cash is spoken for
    assert decision.cancels == ()


def test_an_exit_leaves_what_the_users_open_sell_keeps() -> None:
    users = open_order("AAPL", Side.SELL, "7", "120", "user-1")
    told = snapshot(
        {"AAPL": "10"},
        positions={"AAPL": position("AAPL", "10", "3")},
        foreign_open_orders=(users,),
    )
    decision = decided({}, told)
    assert orders(decision.exits) == {"AAPL": D(3)}
    assert decision.why["AAPL"].endswith("; cut from 10 to what can be sold now")


# Ledger and broker


@pytest.mark.parametrize("broker", ["30", "0", "-15"])
def test_a_ledger_above_the_position_blocks_the_entry_by_name(broker: str) -> None:
    told = snapshot(
        positions={"IBM": position("IBM", broker)}, ledger=ledger(IBM="40"), cash="100000"
    )
    decision = decided({"IBM": D("0.3")}, told)
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}
    assert decision.denied[0].detail == (
        f"the desk's orders add up to 40, the account holds {broker}"
    )


def test_a_short_position_of_the_users_is_never_bought_back() -> None:
    decision = decided({"IBM": D("0.3")}, snapshot(positions={"IBM": position("IBM", "-5")}))
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}


def test_an_exit_beside_a_mismatch_sells_what_is_there_and_names_the_difference() -> None:
    told = snapshot(positions={"IBM": position("IBM", "30")}, ledger=ledger(IBM="40"))
    decision = decided({}, told)
    assert orders(decision.exits) == {"IBM": D(30)}
    assert decision.why["IBM"].endswith(
        "; LEDGER_MISMATCH: the desk's orders add up to 40, the account holds 30"
    )


@pytest.mark.parametrize("broker", ["0", "-15"])
def test_an_exit_of_what_is_gone_is_refused_by_name_and_never_sold_short(broker: str) -> None:
    told = snapshot(positions={"IBM": position("IBM", broker)}, ledger=ledger(IBM="40"))
    decision = decided({}, told)
    assert decision.exits == ()
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}
    assert decision.denied[0].qty == 40


def test_a_desk_that_sold_more_than_it_bought_does_nothing_and_says_so() -> None:
    told = snapshot(positions={"IBM": position("IBM", "10")}, ledger=ledger(IBM="-5"))
    decision = decided({}, told)
    assert (decision.exits, decision.denied) == ((), ())
    assert decision.why["IBM"] == (
        "nothing to do: target 0, holds 0;"
        " LEDGER_MISMATCH: the desk's orders add up to -5, the account holds 10"
    )


def test_a_holding_of_nothing_is_not_managed() -> None:
    assert "XOM" not in decided({}, snapshot(ledger=ledger(XOM="0"))).why


def test_a_symbol_that_is_not_tradable_is_not_traded() -> None:
    told = snapshot({"AAPL": "10"}, assets={"AAPL": asset("AAPL", tradable=False)})
    assert codes(decided({"IBM": D("0.3")}, told)) == {
        "AAPL": "NOT_TRADABLE",
        "IBM": "NOT_TRADABLE",
    }


def test_a_corporate_action_stops_both_sides_of_its_symbol() -> None:
    told = snapshot(
        {"AAPL": "10"},
        corporate_actions=tuple(
            CorporateAction(symbol, kind, date(2024, 3, 4), None)
            for symbol, kind in (
                ("AAPL", "name_change"),
                ("IBM", "reverse_split"),
                ("MSFT", "cash_dividend"),
            )
        ),
    )
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, told)
    assert codes(decision) == {"AAPL": "CORPORATE_ACTION", "IBM": "CORPORATE_ACTION"}
    assert orders(decision.entries) == {"MSFT": D(296)}


# As a whole


def test_an_account_without_cash_buys_nothing() -> None:
    broke = snapshot(account=account("-1"))
    decision = decided({"IBM": D("0.3")}, broke)
    assert codes(decision) == {"IBM": "BELOW_MINIMUM_ORDER"}
    assert (decision.desk_capital, decision.spendable) == (0, 0)


def test_a_broken_strategy_ends_the_decision() -> None:
    with pytest.raises(StrategyError, match="WEIGHT_INVALID"):
        decided({"IBM": "all"})


def test_missing_features_end_the_decision_before_the_strategy_is_asked() -> None:
    strategy = FixedWeights({})
    with pytest.raises(InsufficientHistoryError, match="symbols=GOOG,MSFT"):
        decide(RUN, SETTINGS, snapshot(), features("AAPL", "IBM"), strategy)
    assert strategy.shown == []


def test_the_order_of_dicts_and_tuples_changes_no_byte() -> None:
    held = {"XOM": "5", "AAPL": "30", "GOOG": "7"}
    weights = {"IBM": D("0.2"), "MSFT": D("0.2"), "AAPL": D("0.1")}
    plain, turned = snapshot(held), snapshot(dict(reversed(held.items())))
    turned = replace(
        turned,
        **{
            name: dict(reversed(getattr(turned, name).items()))
            for name in ("positions", "prices", "assets", "last_closes")
        },
    )
    one = decide(RUN, SETTINGS, plain, features(), FixedWeights(weights))
    other = decide(
        RUN,
        settings(symbols=tuple(reversed(SETTINGS.symbols))),
        turned,
        features(*reversed(SETTINGS.symbols)),
        FixedWeights(dict(reversed(weights.items()))),
    )
    assert canonical_json(one) == canonical_json(other)
