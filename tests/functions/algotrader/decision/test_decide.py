"""A decision turns weights into orders within every limit, and gives a reason for every symbol."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.contracts import canonical_json
from algotrader.decision.decide import decide
from algotrader.errors import InsufficientHistoryError, StrategyError
from algotrader.model import CorporateAction, Leg, OrderIntent, OrderType, Side
from algotrader.strategy import Market, Portfolio, Strategy
from tests.support.desk_world import (
    RUN,
    SETTINGS,
    UNIVERSE,
    FixedWeights,
    account,
    asset,
    codes,
    decided,
    features,
    open_order,
    own_id,
    position,
    prices,
    quantities,
    settings,
    snapshot,
)

D = Decimal


# Orders


def test_a_first_entry_is_an_order_with_all_its_terms() -> None:
    seen = snapshot(
        prices=prices(AAPL="100", GOOG="100", IBM="561.20", MSFT="100"),
        last_closes={"IBM": D(550)},
    )
    decision = decided({"IBM": D("0.33")}, seen)
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


def test_a_market_order_has_no_limit_price_and_is_sized_at_the_worst_price() -> None:
    limit = decided({"IBM": D("0.33")}).entries[0]
    market = decided({"IBM": D("0.33")}, under=settings(order_type=OrderType.MARKET)).entries[0]
    assert (market.order_type, market.limit_price) == (OrderType.MARKET, None)
    assert market.qty == limit.qty


def test_fractions_are_bought_where_setting_and_asset_allow_them() -> None:
    seen = snapshot(assets={"IBM": asset("IBM"), "MSFT": asset("MSFT", fractionable=False)})
    decision = decided(
        {"IBM": D("0.3"), "MSFT": D("0.3")}, seen, under=settings(fractional_shares=True)
    )
    assert quantities(decision.entries) == {"IBM": D("293.413173652"), "MSFT": D(293)}


def test_every_managed_symbol_has_a_reason_in_alphabetical_order() -> None:
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
    assert quantities(decision.exits) == {"XOM": D(5)}
    market, portfolio = strategy.shown[0]
    assert "XOM" not in market.symbols
    assert portfolio.quantities == {}


def test_exits_come_by_symbol_and_entries_by_descending_weight_then_symbol() -> None:
    decision = decided(
        {"MSFT": D("0.2"), "GOOG": D("0.1"), "AAPL": D("0.1")}, snapshot({"XOM": "5", "IBM": "5"})
    )
    assert list(quantities(decision.exits)) == ["IBM", "XOM"]
    assert list(quantities(decision.entries)) == ["MSFT", "AAPL", "GOOG"]


def test_the_strategy_sees_only_the_desks_part() -> None:
    seen = snapshot({"IBM": "50"}, positions={"IBM": position("IBM", "500")})
    strategy = FixedWeights({"IBM": D("0.05")})
    decide(RUN, SETTINGS, seen, features(), strategy)
    market, portfolio = strategy.shown[0]
    assert portfolio.quantities == {"IBM": D(50)}
    assert portfolio.capital == D("103000.00")
    assert portfolio.weights == {"IBM": D(5000) / D(103000)}
    assert (market.session, market.as_of) == (date(2024, 3, 4), date(2024, 3, 1))
    assert market["IBM"]["fast"] == 1.0
    assert market["IBM"].price == D(100)


def test_a_holding_that_an_open_order_keeps_still_counts_as_held() -> None:
    seen = snapshot({"IBM": "300"}, positions={"IBM": position("IBM", "300", "0")})
    decision = decided({"IBM": D("0.235")}, seen)
    assert (decision.entries, decision.denied) == ((), ())
    assert decision.desk_capital == D("128000.00")


def test_the_users_own_shares_are_neither_counted_nor_sold() -> None:
    seen = snapshot({"IBM": "10"}, positions={"IBM": position("IBM", "500")})
    decision = decided({}, seen)
    assert quantities(decision.exits) == {"IBM": D(10)}
    assert decision.desk_capital == D("99000.00")
    assert "LEDGER_MISMATCH" not in decision.why["IBM"]


# Capital


def test_capital_limits_the_amount_of_which_weights_are_fractions() -> None:
    decision = decided({"IBM": D("0.3")}, under=settings(capital=D(10000)))
    assert decision.desk_capital == 10000
    assert decision.spendable == 10000
    assert quantities(decision.entries) == {"IBM": D(29)}


def test_capital_above_the_accounts_money_raises_no_limit() -> None:
    decision = decided({"IBM": D("0.3")}, under=settings(capital=D(10**6)))
    assert (decision.desk_capital, decision.spendable) == (D("98000.00"), D("98000.00"))


def test_all_entries_together_do_not_exceed_capital() -> None:
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 4), D(2))
    decision = decided(
        {"GOOG": D("0.3"), "IBM": D("0.3")},
        snapshot({"AAPL": "60"}, corporate_actions=(split,)),
        under=settings(capital=D(10000)),
    )
    assert quantities(decision.entries) == {"GOOG": D(29), "IBM": D(10)}  # from the 4000 left


def test_entries_do_not_exceed_capital_less_the_desks_positions() -> None:
    held = {"AAPL": "45", "GOOG": "45"}  # each worth 4500 of 10000, with a target of 4450
    decision = decided(
        {"AAPL": D("0.445"), "GOOG": D("0.445"), "IBM": D("0.11")},
        snapshot(held),
        under=settings(capital=D(10000), max_position_weight=D("0.5")),
    )
    assert quantities(decision.entries) == {"IBM": D(9)}  # 1000 of 1100 is left
    assert decision.spendable == 1000
    assert decision.why["IBM"].endswith("; cut from 10 to what Capital leaves")
    assert decision.cut_to_cash == {}  # the account has enough cash


def test_an_entry_that_cash_cuts_is_reported_with_the_shares_that_it_wanted() -> None:
    weights = {"AAPL": D("0.905"), "IBM": D("0.095")}  # 9.5 % of 10980 is 1043; 980 is spendable
    decision = decided(weights, snapshot({"AAPL": "100"}, "1000"))
    assert quantities(decision.entries) == {"IBM": D(9)}
    assert decision.why["IBM"].endswith("; cut from 10 to the available money")
    assert decision.cut_to_cash == {"IBM": 10}


def test_a_desk_that_outgrew_its_capital_buys_only_what_its_exits_free() -> None:
    decision = decided(
        {"AAPL": D("0.3"), "IBM": D("0.3")},
        snapshot({"AAPL": "200", "GOOG": "20"}),
        under=settings(capital=D(10000), max_turnover=D(3)),
    )
    assert quantities(decision.exits) == {"AAPL": D(170), "GOOG": D(20)}
    assert decision.spendable == 0
    assert quantities(decision.entries) == {"IBM": D(29)}


def test_an_entry_beyond_capital_is_denied_by_name() -> None:
    seen = snapshot(
        {"AAPL": "120"}, positions={"AAPL": position("AAPL", "120", "0")}, cash="100000"
    )
    decision = decided({"IBM": D("0.3")}, seen, under=settings(capital=D(10000)))
    assert codes(decision) == {"AAPL": "NOTHING_TO_SELL", "IBM": "CAPITAL_EXCEEDED"}
    assert "left -2000.00 of Capital after the desk's positions" in decision.denied[1].detail


def test_open_buys_reduce_the_spendable_cash() -> None:
    mine = open_order("GOOG", Side.BUY, "100", "100", own_id("GOOG", Leg.ENTRY))
    users = open_order("XOM", Side.BUY, "100", "300", "user-1")
    seen = snapshot(own_open_orders=(mine,), foreign_open_orders=(users,))
    assert decided({}, seen).spendable == D("58800.00")


@pytest.mark.parametrize(
    ("changes", "capital"),
    [
        ({}, "102950.00"),
        ({"prices": prices(AAPL="100")}, "102940.00"),  # at the last close of 98.80
        ({"prices": prices(AAPL="100"), "last_closes": {}}, "102500.00"),  # at their cost of 90
    ],
)
def test_a_holding_without_a_price_is_valued_by_its_close_then_its_cost(
    changes: dict[str, Any], capital: str
) -> None:
    closes = {"last_closes": {"IBM": D("98.80")}}
    priced = {"prices": prices(AAPL="100", IBM="99")}
    seen = snapshot({"IBM": "50"}, **{**closes, **priced, **changes})
    assert decided({"IBM": D("0.05")}, seen).desk_capital == D(capital)


class _Keep(Strategy):
    """Keeps what the desk holds, with a stop at 90."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del market
        return dict(portfolio.weights)

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del market
        return dict.fromkeys(portfolio.weights, D(90))


def test_holdings_that_outgrew_capital_may_be_kept_and_get_their_stops() -> None:
    seen = snapshot({"AAPL": "80", "IBM": "70"}, "0")
    under = settings(capital=D(10000))
    decision = decide(RUN, under, seen, features(*UNIVERSE), _Keep())
    assert sum(decision.target_weights.values()) == D("1.5")
    assert (decision.exits, decision.entries, decision.denied) == ((), (), ())
    assert {each.symbol: each.held for each in decision.stops} == {"AAPL": D(80), "IBM": D(70)}


# Cash


def test_a_rotation_is_paid_by_what_the_exit_brings() -> None:
    decision = decided({"IBM": D("0.3")}, snapshot({"AAPL": "300"}, "0"))
    assert quantities(decision.exits) == {"AAPL": D(300)}
    assert quantities(decision.entries) == {"IBM": D(89)}
    assert decision.spendable == 0


def test_a_full_rotation_is_cut_to_the_lowest_proceeds_of_the_exits_less_the_reserve() -> None:
    decision = decided(
        {"IBM": D(1)},
        snapshot({"AAPL": "300"}, "0"),
        under=settings(max_position_weight=D(1)),
    )
    # 300 x 99.80 x 0.98 = 29341.20 pays for 292 shares at 100.20. A weight of 1 would be 299.
    assert quantities(decision.entries) == {"IBM": D(292)}
    assert decision.why["IBM"] == (
        "buy 292: target 1 of 30000.00 at 100.00, worst 100.20; holds 0;"
        " cut from 299 to the available money"
    )


def test_an_entry_is_denied_if_the_exit_that_would_pay_for_it_is() -> None:
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 4), D(2))
    decision = decided(
        {"IBM": D("0.3")}, snapshot({"AAPL": "300"}, "0", corporate_actions=(split,))
    )
    assert codes(decision) == {"AAPL": "CORPORATE_ACTION", "IBM": "INSUFFICIENT_CASH"}
    assert decision.denied[1].detail.startswith("cost 8917.80, spendable 0.00; also ")
    assert decision.denied[1].qty == 89


def test_an_entry_that_cash_would_cut_below_the_band_is_refused() -> None:
    held = {"AAPL": "330", "GOOG": "330", "MSFT": "330"}
    weights = {"AAPL": D("0.32"), "GOOG": D("0.32"), "MSFT": D("0.32"), "IBM": D("0.03")}
    seen = snapshot(held, "500")
    decision = decided(weights, seen, under=settings(no_trade_band=D("0.02")))
    assert decision.exits == ()
    assert codes(decision) == {"IBM": "INSUFFICIENT_CASH"}


def test_the_entry_with_the_greater_weight_gets_the_cash_first() -> None:
    split = CorporateAction("AAPL", "spin_off", date(2024, 3, 4), None)
    seen = snapshot({"AAPL": "900"}, "10000", corporate_actions=(split,))
    decision = decided({"GOOG": D("0.05"), "MSFT": D("0.06")}, seen)
    assert quantities(decision.entries) == {"MSFT": D(59), "GOOG": D(38)}
    assert "cut from 49" in decision.why["GOOG"]


# The whole decision


def test_an_account_without_cash_buys_nothing() -> None:
    broke = snapshot(account=account("-1"))
    decision = decided({"IBM": D("0.3")}, broke)
    assert codes(decision) == {"IBM": "BELOW_MINIMUM_ORDER"}
    assert (decision.desk_capital, decision.spendable) == (0, 0)


def test_a_broken_strategy_ends_the_decision() -> None:
    with pytest.raises(StrategyError, match="WEIGHT_INVALID"):
        decided({"IBM": "all"})


def test_a_decision_without_any_features_ends_before_the_strategy_is_called() -> None:
    strategy = FixedWeights({})
    with pytest.raises(InsufficientHistoryError, match="FEATURES_MISSING: symbols=AAPL"):
        decide(RUN, SETTINGS, snapshot(), features("XOM"), strategy)
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


@pytest.mark.parametrize("held", ["1", "0.01"])
def test_the_strategy_is_shown_a_holding_of_a_share_or_less(held: str) -> None:
    strategy = FixedWeights({})
    decide(RUN, SETTINGS, snapshot({"IBM": held}, "0"), features(), strategy)
    (_, portfolio), _ = strategy.shown
    assert (portfolio.quantities, portfolio.weights) == ({"IBM": D(held)}, {"IBM": D(1)})


def test_one_share_is_sold_if_the_account_has_only_one_of_two_in_the_books() -> None:
    seen = snapshot({"IBM": "2"}, positions={"IBM": position("IBM", "1")})
    decision = decided({}, seen)
    assert quantities(decision.exits) == {"IBM": D(1)}
    assert decision.why["IBM"].endswith(
        "LEDGER_MISMATCH: the desk's books say 2, the account holds 1"
    )


def test_a_drift_of_exactly_the_band_is_not_reported_as_within_it() -> None:
    seen = snapshot({"IBM": "1"}, "100", prices=prices(IBM="100"))
    exact = settings(no_trade_band=D("0.25"), cash_reserve=D(0), max_position_weight=D(1))
    why = decided({"IBM": D("0.75")}, seen, under=exact).why["IBM"]
    assert why.startswith("hold 1: drift 25.00 % is less than the smallest order")


def test_cash_for_exactly_the_wanted_shares_cuts_nothing() -> None:
    dear = settings(max_position_weight=D(1), cash_reserve=D(0))
    decision = decided({"IBM": D(1)}, snapshot(cash="1002"), under=dear)
    assert quantities(decision.entries) == {"IBM": D(10)}
    assert decision.why["IBM"].endswith("holds 0")


def test_a_small_holding_without_a_price_counts_at_its_cost_too() -> None:
    seen = snapshot({"IBM": "0.5"}, "0", prices={}, last_closes={})
    little = replace(seen.ledger.holdings["IBM"], cost=D("0.9"))
    seen = replace(seen, ledger=replace(seen.ledger, holdings={"IBM": little}))
    assert decided({}, seen).desk_capital == D("0.90")
    cheap = snapshot({"IBM": "10"}, "0", prices={}, last_closes={"IBM": D("0.5")})
    assert decided({}, cheap).desk_capital == 5


def test_a_desk_of_a_dollar_reports_its_drift_too() -> None:
    why = decided({"IBM": D("0.995")}, snapshot({"IBM": "0.01"}, "0")).why["IBM"]
    assert why.startswith("hold 0.01: drift 0.50 % is within the 1 % band (target 0.995 of 1.00)")


def test_a_holding_worth_less_than_a_cent_makes_no_capital() -> None:
    strategy = FixedWeights({"IBM": D("0.3")})
    dust = snapshot({"IBM": "0.000000001"}, "0")
    decision = decide(RUN, settings(no_trade_band=D(0)), dust, features(), strategy)
    (_, portfolio), _ = strategy.shown
    assert (portfolio.capital, portfolio.weights) == (0, {"IBM": 0})
    assert decision.why["IBM"] == (
        "hold 0.000000001: drift 0.00 % is less than the smallest order (target 0.3 of 0.00)"
    )


def test_books_with_a_cost_but_no_share_have_no_value() -> None:
    seen = snapshot({"IBM": "0"}, prices={}, last_closes={})
    odd = replace(seen.ledger.holdings["IBM"], cost=D(90))
    seen = replace(seen, ledger=replace(seen.ledger, holdings={"IBM": odd}))
    assert decided({}, seen).desk_capital == D("98000.00")
