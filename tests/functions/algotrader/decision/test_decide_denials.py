"""A decision denies an order that breaks a limit, names the limit's code, and lets exits pass."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.model import CorporateAction, LatestPrice, Leg, Side, TradingState
from tests.support.desk_world import (
    NOW,
    RUN,
    SETTINGS,
    FixedWeights,
    asset,
    codes,
    decided,
    features,
    ledger,
    open_order,
    own_id,
    position,
    prices,
    quantities,
    run,
    settings,
    snapshot,
)

D = Decimal


# Limits of a run


def test_an_entry_for_a_weight_above_the_limit_is_denied_whole() -> None:
    decision = decided({"IBM": D("0.36"), "MSFT": D("0.3")})
    assert codes(decision) == {"IBM": "MAX_POSITION_WEIGHT"}
    assert quantities(decision.entries) == {"MSFT": D(293)}
    assert decision.denied[0].qty == 352


def test_shares_already_held_count_towards_the_weight_of_a_position() -> None:
    decision = decided({"IBM": D("0.36")}, snapshot({"IBM": "300"}))
    assert codes(decision) == {"IBM": "MAX_POSITION_WEIGHT"}


def test_an_order_above_the_notional_limit_is_denied_whole() -> None:
    decision = decided({"IBM": D("0.3")}, under=settings(max_order_notional=D(29000)))
    assert codes(decision) == {"IBM": "MAX_ORDER_NOTIONAL"}


def test_exits_count_first_and_entries_fill_up_the_number_of_orders_by_weight() -> None:
    decision = decided(
        {"GOOG": D("0.1"), "IBM": D("0.2"), "MSFT": D("0.1")},
        snapshot({"AAPL": "10", "XOM": "10"}),
        under=settings(max_orders_per_run=3),
    )
    assert list(quantities(decision.exits)) == ["AAPL", "XOM"]
    assert list(quantities(decision.entries)) == ["IBM"]
    assert codes(decision) == {"GOOG": "MAX_ORDERS_PER_RUN", "MSFT": "MAX_ORDERS_PER_RUN"}


def test_the_number_of_orders_never_denies_an_exit() -> None:
    decision = decided(
        {}, snapshot({"AAPL": "1", "IBM": "1"}), under=settings(max_orders_per_run=1)
    )
    assert list(quantities(decision.exits)) == ["AAPL", "IBM"]


def test_a_first_entry_of_less_than_a_share_is_denied() -> None:
    decision = decided({"IBM": D("0.001")})
    assert codes(decision) == {"IBM": "BELOW_MINIMUM_ORDER"}
    assert decision.why["IBM"].startswith(
        "denied buy 0: BELOW_MINIMUM_ORDER: 98.00 buys 0 at 100.20, less than one share"
    )


def test_a_run_with_named_symbols_buys_only_those_and_sells_all() -> None:
    decision = decided(
        {"IBM": D("0.3"), "MSFT": D("0.3")},
        snapshot({"AAPL": "10"}),
        of=run(entry_symbols=("MSFT",)),
    )
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert quantities(decision.entries) == {"MSFT": D(296)}
    assert codes(decision) == {"IBM": "NOT_IN_INPUT"}


# Prices


def test_without_a_price_nothing_is_traded_on_either_side() -> None:
    seen = snapshot({"AAPL": "10"}, prices=prices(GOOG="100", MSFT="100"))
    decision = decided({"IBM": D("0.3")}, seen)
    assert codes(decision) == {"AAPL": "NO_PRICE", "IBM": "NO_PRICE"}
    assert (decision.exits, decision.entries) == ((), ())


@pytest.mark.parametrize("weight", ["0", "0.3"])
def test_an_entry_in_a_symbol_of_unknown_value_is_denied(weight: str) -> None:
    seen = snapshot({"IBM": "10"}, prices={}, last_closes={})
    free = replace(seen.ledger.holdings["IBM"], cost=D(0))
    seen = replace(seen, ledger=replace(seen.ledger, holdings={"IBM": free}))
    decision = decided({"IBM": D(weight)}, seen)
    assert codes(decision) == {"IBM": "NO_PRICE"}
    # Without a price, a buy has no known size, but a sell has the size of the holding.
    assert decision.denied[0].qty == (10 if weight == "0" else 0)
    assert decision.why["IBM"].endswith("at no price, worst 0.00; holds 10)")


@pytest.mark.parametrize("price", ["0", "-5", "NaN"])
def test_the_strategy_does_not_see_an_unusable_price(price: str) -> None:
    seen = snapshot(prices={"IBM": LatestPrice(D(price), NOW)})
    strategy = FixedWeights({"IBM": D("0.3")})
    decision = decide(RUN, SETTINGS, seen, features(), strategy)
    assert codes(decision) == {"IBM": "NO_PRICE"}
    assert strategy.shown[0][0]["IBM"].price is None


def test_a_stale_price_stops_the_entry_and_lets_the_exit_go() -> None:
    old = prices(NOW - timedelta(seconds=901), AAPL="100", IBM="100")
    decision = decided({"IBM": D("0.3")}, snapshot({"AAPL": "10"}, prices=old))
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert codes(decision) == {"IBM": "PRICE_STALE"}


def test_a_dry_run_after_the_close_accepts_the_prices_of_the_close() -> None:
    night = snapshot()
    closed = replace(
        night,
        clock=replace(night.clock, now=night.session.close + timedelta(hours=9), is_open=False),
        prices=prices(night.session.close - timedelta(seconds=30), IBM="100"),
    )
    assert codes(decided({"IBM": D("0.3")}, closed)) == {"IBM": "MINUTES_TO_CLOSE"}
    dry = decided({"IBM": D("0.3")}, closed, of=run(sends_orders=False))
    assert quantities(dry.entries) == {"IBM": D(293)}
    late = prices(night.session.close + timedelta(hours=3), IBM="100")
    after_hours = decided(
        {"IBM": D("0.3")}, replace(closed, prices=late), of=run(sends_orders=False)
    )
    assert quantities(after_hours.entries) == {"IBM": D(293)}


def test_a_dry_run_does_not_take_a_stale_or_future_price() -> None:
    dry = run(sends_orders=False)
    for off in (timedelta(seconds=-901), timedelta(seconds=61)):
        seen = snapshot(prices=prices(NOW + off, IBM="100"))
        assert codes(decided({"IBM": D("0.3")}, seen, of=dry)) == {"IBM": "PRICE_STALE"}


# The trading state


def test_a_halted_desk_sends_nothing_and_cancels_only_its_open_entries() -> None:
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
    seen = snapshot(
        {"AAPL": "10", "GOOG": "5"},
        trading_state=TradingState.HALTED,
        trading_state_reason="drill",
        own_open_orders=mine,
    )
    decision = decided({"IBM": D("0.3")}, seen)
    assert (decision.exits, decision.entries) == ((), ())
    assert codes(decision) == dict.fromkeys(("AAPL", "GOOG", "IBM"), "TRADING_HALTED")
    assert decision.denied[0].detail == "trading state is HALTED: drill"
    assert decision.cancels == (own_id("GOOG", Leg.ENTRY),)


def test_a_reducing_desk_sells_and_does_not_buy() -> None:
    seen = snapshot({"AAPL": "10"}, trading_state=TradingState.REDUCING)
    decision = decided({"IBM": D("0.3")}, seen)
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert codes(decision) == {"IBM": "TRADING_REDUCING"}


# Open orders


def test_the_desks_earlier_orders_are_canceled_and_their_symbols_wait() -> None:
    mine = (
        open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY)),
        open_order("AAPL", Side.SELL, "5", "120", own_id("AAPL", Leg.EXIT)),
        open_order("TSLA", Side.BUY, "5", "99", own_id("TSLA", Leg.ENTRY)),
        open_order("MSFT", Side.BUY, "5", "99", own_id("MSFT", Leg.ENTRY), status="filled"),
    )
    seen = snapshot({"AAPL": "10"}, own_open_orders=mine)
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, seen)
    assert codes(decision) == {"AAPL": "OPEN_ORDER_UNSETTLED", "IBM": "OPEN_ORDER_UNSETTLED"}
    assert quantities(decision.entries) == {"MSFT": D(293)}
    assert decision.cancels == (
        own_id("AAPL", Leg.EXIT),
        own_id("IBM", Leg.ENTRY),
        own_id("TSLA", Leg.ENTRY),
    )


def test_a_buy_under_the_id_of_a_stop_protects_nothing_and_is_canceled_like_any_order() -> None:
    odd = open_order("AAPL", Side.BUY, "5", "80", own_id("AAPL", Leg.STOP))
    decision = decided({}, snapshot({"AAPL": "10"}, own_open_orders=(odd,)))
    assert codes(decision) == {"AAPL": "OPEN_ORDER_UNSETTLED"}
    assert decision.cancels == (odd.client_order_id,)


def test_the_users_opposite_orders_deny_an_entry_and_are_never_canceled() -> None:
    users = (
        open_order("IBM", Side.SELL, "5", "120", "user-1"),
        open_order("AAPL", Side.BUY, "5", "80", "user-2"),
        open_order("MSFT", Side.BUY, "5", "80", "user-3"),
    )
    seen = snapshot({"AAPL": "10"}, foreign_open_orders=users)
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, seen)
    assert codes(decision) == {"AAPL": "OPPOSITE_ORDER_OPEN", "IBM": "OPPOSITE_ORDER_OPEN"}
    assert quantities(decision.entries) == {"MSFT": D(294)}  # 800 of the cash is reserved
    assert decision.cancels == ()


def test_nothing_is_bought_next_to_a_replacement_order() -> None:
    changed = open_order("IBM", Side.BUY, "5", "80", "user-1", replaces="broker-of-the-desks")
    plain = open_order("MSFT", Side.BUY, "5", "80", "user-2")
    seen = snapshot({"IBM": "40"}, foreign_open_orders=(changed, plain))
    decision = decided({"IBM": D("0.6"), "MSFT": D("0.3")}, seen)
    assert codes(decision)["IBM"] == "ORDER_REPLACED"
    assert "user-1" in decision.why["IBM"]
    assert "MSFT" not in codes(decision)


def test_an_exit_goes_through_next_to_a_replacement_sell() -> None:
    changed = open_order("AAPL", Side.SELL, "7", "120", "user-1", replaces="broker-of-the-desks")
    seen = snapshot(
        {"AAPL": "10"},
        positions={"AAPL": position("AAPL", "10", "3")},
        foreign_open_orders=(changed,),
    )
    assert quantities(decided({}, seen).exits) == {"AAPL": D(3)}


def test_an_exit_leaves_the_shares_that_the_users_open_sell_reserves() -> None:
    users = open_order("AAPL", Side.SELL, "7", "120", "user-1")
    seen = snapshot(
        {"AAPL": "10"},
        positions={"AAPL": position("AAPL", "10", "3")},
        foreign_open_orders=(users,),
    )
    decision = decided({}, seen)
    assert quantities(decision.exits) == {"AAPL": D(3)}
    assert decision.why["AAPL"].endswith("; cut from 10 to what can be sold now")


# Ledger and broker


@pytest.mark.parametrize("broker", ["30", "0", "-15"])
def test_a_ledger_above_the_position_blocks_the_entry_by_name(broker: str) -> None:
    seen = snapshot(
        positions={"IBM": position("IBM", broker)}, ledger=ledger(IBM="40"), cash="100000"
    )
    decision = decided({"IBM": D("0.3")}, seen)
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}
    assert decision.denied[0].detail == (f"the desk's books say 40, the account holds {broker}")


def test_a_short_position_of_the_users_is_never_bought_back() -> None:
    decision = decided({"IBM": D("0.3")}, snapshot(positions={"IBM": position("IBM", "-5")}))
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}


def test_an_exit_despite_a_mismatch_sells_what_is_there_and_names_the_difference() -> None:
    seen = snapshot(positions={"IBM": position("IBM", "30")}, ledger=ledger(IBM="40"))
    decision = decided({}, seen)
    assert quantities(decision.exits) == {"IBM": D(30)}
    assert decision.why["IBM"].endswith(
        "; LEDGER_MISMATCH: the desk's books say 40, the account holds 30"
    )


@pytest.mark.parametrize("broker", ["0", "-15"])
def test_an_exit_of_missing_shares_is_denied_by_name_and_never_sells_short(broker: str) -> None:
    seen = snapshot(positions={"IBM": position("IBM", broker)}, ledger=ledger(IBM="40"))
    decision = decided({}, seen)
    assert decision.exits == ()
    assert codes(decision) == {"IBM": "LEDGER_MISMATCH"}
    assert decision.denied[0].qty == 40


def test_an_exit_never_sells_shares_that_may_belong_to_another_desk() -> None:
    seen = snapshot(
        positions={"IBM": position("IBM", "15")},
        ledger=ledger(IBM="10"),
        other_desks={"IBM": {"def456": D(10)}},
        causes={"IBM": "a sale by hand of 5 on 2024-03-01"},
    )
    decision = decided({}, seen)
    assert quantities(decision.exits) == {"IBM": D(5)}
    assert decision.why["IBM"].endswith(
        "LEDGER_MISMATCH: the desk's books say 10, the account holds 15, desk def456 owns 10;"
        " probably a sale by hand of 5 on 2024-03-01"
    )
    assert codes(decided({"IBM": D("0.3")}, seen)) == {"IBM": "LEDGER_MISMATCH"}


def test_two_desks_whose_shares_are_all_there_trade_side_by_side() -> None:
    seen = snapshot(
        positions={"IBM": position("IBM", "25")},
        ledger=ledger(IBM="10"),
        other_desks={"IBM": {"def456": D(10)}},
    )
    assert quantities(decided({}, seen).exits) == {"IBM": D(10)}
    assert quantities(decided({"IBM": D("0.3")}, seen).entries).keys() == {"IBM"}


def test_shares_that_another_desk_lacks_are_not_bought_either() -> None:
    seen = snapshot(positions={"IBM": position("IBM", "5")}, other_desks={"IBM": {"def456": D(10)}})
    assert codes(decided({"IBM": D("0.3")}, seen)) == {"IBM": "LEDGER_MISMATCH"}


def test_a_desk_that_sold_more_than_it_bought_does_nothing_and_says_so() -> None:
    seen = snapshot(positions={"IBM": position("IBM", "10")}, ledger=ledger(IBM="-5"))
    decision = decided({}, seen)
    assert (decision.exits, decision.denied) == ((), ())
    assert decision.why["IBM"] == (
        "nothing to do: target 0, holds 0;"
        " LEDGER_MISMATCH: the desk's books say -5, the account holds 10"
    )


def test_a_holding_of_nothing_is_not_managed() -> None:
    assert "XOM" not in decided({}, snapshot(ledger=ledger(XOM="0"))).why


def test_a_symbol_that_is_not_tradable_is_not_traded() -> None:
    seen = snapshot({"AAPL": "10"}, assets={"AAPL": asset("AAPL", tradable=False)})
    assert codes(decided({"IBM": D("0.3")}, seen)) == {
        "AAPL": "NOT_TRADABLE",
        "IBM": "NOT_TRADABLE",
    }


@pytest.mark.parametrize(
    ("held", "sold", "refused"),
    [("10.5", {"AAPL": D(10)}, {}), ("0.5", {}, {"AAPL": "NOTHING_TO_SELL"})],
)
def test_of_an_asset_without_fractions_only_whole_shares_are_sold(
    held: str, sold: dict[str, Decimal], refused: dict[str, str]
) -> None:
    seen = snapshot({"AAPL": held}, assets={"AAPL": asset("AAPL", fractionable=False)})
    decision = decided({}, seen)
    assert (quantities(decision.exits), codes(decision)) == (sold, refused)


def test_an_asset_that_the_broker_no_longer_lists_is_still_sold() -> None:
    decision = decided({}, snapshot({"XOM": "10.5"}, assets={}))
    assert quantities(decision.exits) == {"XOM": D("10.5")}


def test_a_corporate_action_stops_both_sides_of_its_symbol() -> None:
    seen = snapshot(
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
    decision = decided({"IBM": D("0.3"), "MSFT": D("0.3")}, seen)
    assert codes(decision) == {"AAPL": "CORPORATE_ACTION", "IBM": "CORPORATE_ACTION"}
    assert quantities(decision.entries) == {"MSFT": D(296)}
