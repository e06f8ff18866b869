"""A decision keeps, renews or cancels protective stops, and reports what it cannot protect."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.decision.stops import RENEW_AFTER, stop_level
from algotrader.errors import StrategyError
from algotrader.model import CorporateAction, Leg, Order, Side, Snapshot, TradingState
from algotrader.strategy.view import Market, Portfolio
from tests.support.desk_world import (
    NOW,
    RUN,
    SESSION,
    SETTINGS,
    FixedWeights,
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
from tests.support.examples import tried

D = Decimal


def stop(symbol: str = "IBM", qty: str = "10", at: str = "90", **changes: Any) -> Order:
    """Return one of the desk's own stops, resting and valid."""
    rests = open_order(symbol, Side.SELL, qty, None, own_id(symbol, Leg.STOP))
    good = {"order_type": "stop", "stop_price": D(at), "time_in_force": "gtc"}
    return replace(rests, **{**good, **changes})


def holding(qty: str = "300", *stops: Order, **changes: Any) -> Snapshot:
    """Return a desk that holds IBM and has the given stops, which reserve its shares."""
    kept = sum((each.qty or D(0) for each in stops), D(0))
    there = {"IBM": position("IBM", qty, D(qty) - kept)}
    return snapshot({"IBM": qty}, "70000", positions=there, own_open_orders=stops, **changes)


# 300 shares at 100 are about 0.304 of 98,600, so the drift stays within the band.
KEPT = {"IBM": D("0.304")}


def test_a_holding_without_a_stop_gets_one_for_all_its_shares() -> None:
    decision = decided(KEPT, holding("300"), stops={"IBM": D("90.004")})
    (wish,) = decision.stops
    assert (wish.symbol, wish.stop_price, wish.held) == ("IBM", D("90.00"), D(300))
    assert wish.client_order_id == "at1-abc123-2024-03-04-day-IBM-stop-0"
    assert (decision.exits, decision.entries, decision.cancels) == ((), (), ())
    assert decision.why["IBM"].endswith("stop at 90.00: no stop rests")


def test_a_stop_without_a_flaw_is_left_alone() -> None:
    decision = decided(KEPT, holding("300", stop(qty="300")), stops={"IBM": 90.0})
    assert (decision.stops, decision.cancels, decision.unprotected) == ((), (), {})
    assert decision.why["IBM"].endswith("its stop rests at 90.00")


@pytest.mark.parametrize(
    ("resting", "why"),
    [
        ((stop(qty="300", at="85"),), "its stop rests at 85.00"),
        ((stop(qty="200"),), "its stop covers 200 of 300"),
        ((stop(qty="300", time_in_force="day"),), "its stop ends with the day"),
        ((stop(qty="300", time_in_force="opg"),), "its stop ends with the day"),
        ((stop(qty="300", submitted_at=NOW - RENEW_AFTER),), "its stop is 80 days old"),
        ((stop(qty="300", submitted_at=NOW - timedelta(days=95)),), "its stop is 95 days old"),
        ((stop(qty="300", status="pending_cancel"),), "its stop is pending_cancel"),
        ((stop(qty="300", status="suspended"),), "its stop is suspended"),
        (
            (stop(qty="100"), stop(qty="200", client_order_id=f"{own_id('IBM', Leg.STOP)[:-1]}1")),
            "2 stops rest",
        ),
    ],
)
def test_a_stop_with_a_flaw_is_renewed(resting: tuple[Order, ...], why: str) -> None:
    decision = decided(KEPT, holding("300", *resting), stops={"IBM": D(90)})
    assert decision.cancels == tuple(sorted(each.client_order_id for each in resting))
    assert [each.stop_price for each in decision.stops] == [D(90)]
    assert decision.why["IBM"].endswith(f"stop at 90.00: {why}")


def test_a_stop_stands_for_more_than_eleven_weeks_before_it_is_renewed() -> None:
    young = stop(qty="300", submitted_at=NOW - RENEW_AFTER + timedelta(seconds=1))
    assert decided(KEPT, holding("300", young), stops={"IBM": D(90)}).stops == ()
    assert timedelta(days=90) > RENEW_AFTER


def test_after_a_split_the_stop_is_renewed_for_the_new_number_of_shares() -> None:
    split = CorporateAction("IBM", "forward_split", SESSION, D(2))
    seen = holding("600", stop(qty="300", at="180"), corporate_actions=(split,))
    decision = decided(KEPT, seen, stops={"IBM": D(90)})
    assert [(each.held, each.stop_price) for each in decision.stops] == [(D(600), D(90))]


def test_a_stop_is_not_placed_from_bars_that_do_not_show_a_split_yet() -> None:
    split = CorporateAction("IBM", "reverse_split", SESSION, D("0.5"))
    seen = holding("300", corporate_actions=(split,), last_closes={"IBM": D(50)})
    decision = decided(KEPT, seen, stops={"IBM": D(45)})
    assert decision.stops == ()
    assert decision.unprotected["IBM"].startswith("PRICE_DEVIATION")


def test_an_entry_with_a_stop_is_bought_first_and_protected_then() -> None:
    decision = decided({"IBM": D("0.3")}, stops={"IBM": D(90)})
    assert quantities(decision.entries) == {"IBM": D(293)}
    assert [(each.held, each.stop_price) for each in decision.stops] == [(D(0), D(90))]
    assert decision.entries[0].why in decision.why["IBM"]


def test_a_symbol_with_a_resting_stop_is_traded_after_the_stop_is_canceled() -> None:
    resting = stop(qty="100", filled_qty=D(3))
    seen = holding("100", replace(resting, filled_qty=D(0)))
    seen = replace(seen, own_open_orders=(resting,))
    sold = decided({}, seen, stops={"IBM": D(90)})
    assert quantities(sold.exits) == {"IBM": D(97)}  # 3 shares are missing
    assert sold.cancels == (resting.client_order_id,)
    assert sold.filled_before == {resting.client_order_id: D(3)}
    more = decided({"IBM": D("0.3")}, holding("100", stop(qty="100")), stops={"IBM": D(90)})
    assert [each.side for each in more.entries] == [Side.BUY]
    assert more.cancels == (stop().client_order_id,)


def test_shares_that_an_exit_leaves_are_protected_as_before() -> None:
    decision = decided({}, holding("300", stop(qty="300", at="88")))
    assert quantities(decision.exits) == {"IBM": D(300)}
    assert [(each.stop_price, each.held) for each in decision.stops] == [(D(88), D(300))]


def test_a_stop_that_the_strategy_no_longer_asks_for_is_canceled() -> None:
    decision = decided(KEPT, holding("300", stop(qty="300")))
    assert (decision.cancels, decision.stops) == ((stop().client_order_id,), ())


def test_a_stop_of_a_symbol_that_left_the_universe_stays_when_its_exit_is_refused() -> None:
    seen = holding("300", stop(qty="300"))
    seen = replace(seen, prices=prices(AAPL="100", GOOG="100", MSFT="100"))
    decision = decided({}, seen, under=settings(symbols=("AAPL", "GOOG", "MSFT")))
    assert codes(decision) == {"IBM": "NO_PRICE"}
    assert (decision.cancels, decision.stops) == ((), ())


def test_a_stop_stays_if_the_sale_of_its_shares_is_denied() -> None:
    seen = holding("300", stop(qty="300"), prices={})
    decision = decided({}, seen)
    assert codes(decision) == {"IBM": "NO_PRICE"}
    assert (decision.cancels, decision.stops, decision.unprotected) == ((), (), {})
    assert decision.why["IBM"].endswith("its stop rests at 90.00")
    # A stop for more shares than the desk holds would sell the user's shares.
    beyond = decided({}, holding("300", stop(qty="301"), prices={}))
    assert beyond.cancels == (own_id("IBM", Leg.STOP),)


def test_a_stop_of_shares_that_the_desk_no_longer_holds_is_canceled() -> None:
    """The stop would sell the user's shares or open a short position."""
    there = {"IBM": position("IBM", "10", "0")}
    seen = snapshot({}, positions=there, own_open_orders=(stop(qty="10"),))
    decision = decided({}, seen, stops={"IBM": D(90)})
    assert (decision.cancels, decision.stops) == ((stop().client_order_id,), ())


def test_a_stop_above_the_price_is_never_placed_and_its_entry_is_refused() -> None:
    entry = decided({"IBM": D("0.3")}, stops={"IBM": D(100)})
    assert codes(entry) == {"IBM": "STOP_ABOVE_PRICE"}
    assert (entry.entries, entry.stops, entry.unprotected) == ((), (), {})
    held = decided(KEPT, holding("300"), stops={"IBM": D(101)})
    assert held.stops == ()
    assert held.unprotected == {
        "IBM": "STOP_ABOVE_PRICE: stop 101.00 is not below the price 100.00"
    }
    resting = decided(KEPT, holding("300", stop(qty="300")), stops={"IBM": D(101)})
    assert (resting.cancels, resting.stops, resting.unprotected) == ((), (), {})


def test_a_stop_that_cannot_be_replaced_stays_unless_it_sells_too_much() -> None:
    users = (open_order("IBM", Side.BUY, "5", "80", "user-1"),)
    keeps = decided(
        KEPT,
        holding("300", stop(qty="200"), foreign_open_orders=users),
        stops={"IBM": D(90)},
    )
    assert (keeps.cancels, keeps.unprotected) == ((), {})
    assert "OPPOSITE_ORDER_OPEN" in keeps.why["IBM"]
    seen = holding("300", foreign_open_orders=users)
    goes = decided(KEPT, replace(seen, own_open_orders=(stop(qty="301"),)), stops={"IBM": D(90)})
    assert goes.cancels == (stop().client_order_id,)
    assert "IBM" in goes.unprotected


def test_an_entry_is_denied_if_a_buy_of_the_user_would_prevent_its_stop() -> None:
    users = (open_order("IBM", Side.BUY, "5", "80", "user-1"),)
    seen = snapshot(foreign_open_orders=users)
    assert codes(decided({"IBM": D("0.3")}, seen, stops={"IBM": D(90)})) == {
        "IBM": "OPPOSITE_ORDER_OPEN"
    }
    assert codes(decided({"IBM": D("0.3")}, seen)) == {}


def test_halted_keeps_every_stop_and_places_none() -> None:
    halted = {"trading_state": TradingState.HALTED}
    keeps = decided(KEPT, holding("300", stop(qty="300", at="80"), **halted), stops={"IBM": D(90)})
    assert (keeps.cancels, keeps.stops, keeps.unprotected) == ((), (), {})
    part = decided(KEPT, holding("300", stop(qty="200"), **halted), stops={"IBM": D(90)})
    assert (part.cancels, part.stops) == ((), ())
    assert part.unprotected == {"IBM": "trading is halted, its stop covers 200 of 300"}
    seen = replace(holding("300", **halted), own_open_orders=(stop(qty="301"),))
    assert decided(KEPT, seen).cancels == (stop().client_order_id,)
    bare = decided(KEPT, holding("300", **halted), stops={"IBM": D(90)})
    assert (bare.stops, bare.unprotected) == ((), {"IBM": "trading is halted"})


def test_reducing_still_protects() -> None:
    seen = holding("300", trading_state=TradingState.REDUCING)
    assert len(decided(KEPT, seen, stops={"IBM": D(90)}).stops) == 1


def test_a_fraction_alone_is_reported_as_without_a_stop() -> None:
    decision = decided({"IBM": D("0.0007")}, holding("0.7"), stops={"IBM": D(90)})
    assert decision.unprotected == {"IBM": "no whole share is free to protect"}


# One share is about 0.001 of 98,100, so the drift stays within the band.
ONE_KEPT = {"IBM": D("0.001")}


def test_a_holding_of_one_share_gets_its_stop() -> None:
    decision = decided(ONE_KEPT, holding("1"), stops={"IBM": D(90)})
    assert [(each.held, each.stop_price) for each in decision.stops] == [(D(1), D(90))]
    assert (decision.exits, decision.entries, decision.unprotected) == ((), (), {})


def test_a_holding_of_one_share_keeps_its_stop() -> None:
    rests = stop(qty="1")
    kept = decided(ONE_KEPT, holding("1", rests), stops={"IBM": D(90)})
    assert (kept.cancels, kept.stops, kept.unprotected) == ((), (), {})
    moved = decided(ONE_KEPT, holding("1", rests), stops={"IBM": D(95)})
    assert moved.cancels == (rests.client_order_id,)
    assert [(each.held, each.stop_price) for each in moved.stops] == [(D(1), D(95))]


def test_a_stop_for_one_share_stays_if_its_symbol_is_outside_the_universe() -> None:
    seen = replace(holding("1", stop(qty="1")), prices=prices(AAPL="100", GOOG="100", MSFT="100"))
    decision = decided({}, seen, under=settings(symbols=("AAPL", "GOOG", "MSFT")))
    assert codes(decision) == {"IBM": "NO_PRICE"}
    assert (decision.cancels, decision.stops) == ((), ())


def test_halted_reports_one_share_without_its_stop_and_keeps_the_stop_it_has() -> None:
    halted = {"trading_state": TradingState.HALTED}
    bare = decided(ONE_KEPT, holding("1", **halted), stops={"IBM": D(90)})
    assert bare.unprotected == {"IBM": "trading is halted"}
    kept = decided(ONE_KEPT, holding("1", stop(qty="1"), **halted), stops={"IBM": D(90)})
    assert (kept.cancels, kept.unprotected) == ((), {})


def test_one_share_that_a_sale_leaves_without_a_stop_is_reported() -> None:
    decision = decided({"IBM": D("0.001")}, holding("300"), stops={"IBM": D(105)})
    assert quantities(decision.exits) == {"IBM": D(299)}
    assert decision.unprotected["IBM"].startswith("STOP_ABOVE_PRICE")


def test_shares_that_a_sell_of_the_user_reserves_are_not_covered_again_every_day() -> None:
    seen = holding("300", stop(qty="250"))
    busy = replace(seen, positions={"IBM": position("IBM", "300", "0")})
    decision = decided(KEPT, busy, stops={"IBM": D(90)})
    assert (decision.cancels, decision.stops) == ((), ())


def test_the_strategy_sees_its_stops_and_its_costs() -> None:
    strategy = FixedWeights(KEPT)
    decide(RUN, SETTINGS, holding("300", stop(qty="300")), features(), strategy)
    (_, portfolio), _ = strategy.shown
    assert (portfolio.stops, portfolio.costs) == ({"IBM": D(90)}, {"IBM": D(90)})


def test_the_strategy_sees_the_cost_of_a_share_to_the_cent() -> None:
    seen = holding("4")
    paid = replace(seen.ledger.holdings["IBM"], cost=D("361"))
    strategy = FixedWeights({"IBM": D("0.004")})
    odd = replace(seen, ledger=replace(seen.ledger, holdings={"IBM": paid}))
    decide(RUN, SETTINGS, odd, features(), strategy)
    assert strategy.shown[0][1].costs == {"IBM": D("90.25")}


@pytest.mark.parametrize(
    "answer",
    [None, [("IBM", 90)], {"IBM": "90"}, {"IBM": 0}, {"IBM": -1}, {"IBM": float("nan")},
     {"IBM": True}, {"XOM": 90}, {7: 90}],
)  # fmt: skip
def test_anything_but_prices_above_zero_for_the_universe_is_a_strategy_error(
    answer: object,
) -> None:
    strategy = FixedWeights({})
    strategy.stops = answer
    with pytest.raises(StrategyError, match=r"STOPS_INVALID: .*stop_prices.* functions/"):
        decide(RUN, SETTINGS, snapshot(), features(), strategy)


def test_a_strategy_that_raises_in_stop_prices_trades_nothing() -> None:
    class Broken(FixedWeights):
        def stop_prices(self, market: Market, portfolio: Portfolio) -> Any:
            return {"IBM": market["IBM"]["atr"] + portfolio.capital}

    reported = r"STRATEGY_FAILED: error=.test_stops\.py:\d+ KeyError: 'atr' is not a declared"
    with pytest.raises(StrategyError, match=reported):
        decide(RUN, SETTINGS, snapshot(), features(), Broken({}))


@given(price=st.decimals("0.00001", "100000", allow_nan=False, places=6))
def test_a_stop_is_on_the_tick_and_never_above_the_requested_price(price: D) -> None:
    level = stop_level(price)
    assert level > 0
    assert level <= price or level == D("0.0001")
    assert level % (D("0.01") if price >= 1 else D("0.0001")) == 0


@tried(80)
@given(
    held=st.integers(0, 400),
    resting=st.lists(st.tuples(st.integers(1, 400), st.sampled_from([85, 90])), max_size=2),
    asks=st.sampled_from([None, 85, 90, 100, 101]),
    weight=st.sampled_from(["0", "0.1", "0.3"]),
    state=st.sampled_from(TradingState),
)
def test_after_any_run_no_stop_covers_more_than_the_desk_holds(
    held: int, resting: list[tuple[int, int]], asks: int | None, weight: str, state: TradingState
) -> None:
    stops = tuple(
        stop(qty=str(qty), at=str(at), client_order_id=f"{own_id('IBM', Leg.STOP)[:-1]}{number}")
        for number, (qty, at) in enumerate(resting)
    )
    total = D(max(held, sum(qty for qty, _ in resting)))  # includes the user's own shares
    kept = sum((each.qty or D(0) for each in stops), D(0))
    seen = snapshot(
        {"IBM": str(held)} if held else {},
        positions={"IBM": position("IBM", total, total - kept)},
        own_open_orders=stops,
        trading_state=state,
    )
    asked = {} if asks is None else {"IBM": D(asks)}
    decision = decided({"IBM": D(weight)}, seen, stops=asked)
    left = [each for each in stops if each.client_order_id not in decision.cancels]
    if state is TradingState.HALTED:
        assert decision.stops == ()
        assert bool(left) == (len(stops) > 0 and kept <= held)
        return
    assert sum((each.qty or D(0) for each in left), D(0)) <= held
    assert not (left and decision.stops)  # never two stops at the same time
    assert all(wish.stop_price < D(100) for wish in decision.stops)
    trades = {each.symbol for each in (*decision.exits, *decision.entries)}
    assert not (left and trades)  # no stop rests for a symbol that the run trades
    protected = left or decision.stops or decision.unprotected
    assert protected or asks is None or held == 0 or decision.exits


def test_a_buy_of_the_user_in_another_symbol_prevents_no_stop() -> None:
    users = tuple(open_order(each, Side.BUY, "5", "80", "user-1") for each in ("AAPL", "MSFT"))
    decision = decided(KEPT, holding("300", foreign_open_orders=users), stops={"IBM": D(90)})
    assert [each.stop_price for each in decision.stops] == [D(90)]


def test_a_stop_is_also_placed_in_a_crash_that_no_corporate_action_explains() -> None:
    decision = decided(KEPT, holding("300", last_closes={"IBM": D(200)}), stops={"IBM": D(90)})
    assert (len(decision.stops), decision.unprotected) == (1, {})


def test_during_a_corporate_action_a_stop_above_the_price_is_not_placed_either() -> None:
    split = CorporateAction("IBM", "forward_split", SESSION, D(2))
    decision = decided(KEPT, holding("300", corporate_actions=(split,)), stops={"IBM": D(101)})
    assert decision.stops == ()
    assert decision.unprotected["IBM"].startswith("STOP_ABOVE_PRICE")


def test_a_stop_is_canceled_before_a_trade_even_if_no_stop_can_follow() -> None:
    resting = stop(qty="300", at="101")
    exit_ = decided({}, holding("300", resting))
    assert (exit_.cancels, exit_.stops) == ((resting.client_order_id,), ())
    part = decided({"IBM": D("0.1")}, holding("300", resting), stops={"IBM": D(105)})
    assert (part.cancels, part.stops) == ((resting.client_order_id,), ())
    assert part.unprotected["IBM"].startswith("STOP_ABOVE_PRICE")


def test_a_holding_that_is_sold_whole_is_not_reported_as_without_a_stop() -> None:
    decision = decided({}, holding("300"), stops={"IBM": D(105)})
    assert quantities(decision.exits) == {"IBM": D(300)}
    assert decision.unprotected == {}


def test_halted_reports_only_holdings_that_need_protection() -> None:
    halted = {"trading_state": TradingState.HALTED}
    assert decided(KEPT, snapshot(**halted), stops={"IBM": D(90)}).unprotected == {}
    assert decided(KEPT, holding("300", **halted)).unprotected == {}
    little = decided(KEPT, holding("0.7", **halted), stops={"IBM": D(90)})
    assert little.unprotected == {"IBM": "trading is halted"}


def test_a_stop_of_unknown_quantity_is_canceled_if_the_account_holds_nothing() -> None:
    resting = replace(stop(), qty=None)
    seen = snapshot({"IBM": "10"}, positions={}, own_open_orders=(resting,))
    decision = decided({}, seen, under=settings(symbols=("AAPL", "GOOG", "MSFT")))
    assert decision.cancels == (resting.client_order_id,)


def test_a_stop_at_the_price_itself_is_not_placed_again_after_a_trade() -> None:
    decision = decided({"IBM": D("0.1")}, holding("300"), stops={"IBM": D(100)})
    assert (len(decision.exits), decision.stops) == (1, ())
    assert decision.unprotected["IBM"].startswith("STOP_ABOVE_PRICE")


def test_of_two_stops_the_strategy_sees_the_first() -> None:
    second = replace(stop(qty="100", at="85"), client_order_id=f"{own_id('IBM', Leg.STOP)[:-1]}1")
    strategy = FixedWeights(KEPT)
    decide(RUN, SETTINGS, holding("300", stop(qty="200"), second), features(), strategy)
    assert strategy.shown[0][1].stops == {"IBM": D(90)}


def test_a_stop_for_part_of_a_holding_stays_if_its_symbol_is_outside_the_universe() -> None:
    seen = holding("300", stop(qty="200"))
    seen = replace(seen, prices=prices(AAPL="100", GOOG="100", MSFT="100"))
    decision = decided({}, seen, under=settings(symbols=("AAPL", "GOOG", "MSFT")))
    assert (decision.cancels, decision.stops) == ((), ())


def test_halted_reports_no_fraction_next_to_a_stop_for_all_whole_shares() -> None:
    seen = holding("300.5", stop(qty="300"), trading_state=TradingState.HALTED)
    assert decided(KEPT, seen, stops={"IBM": D(90)}).unprotected == {}
