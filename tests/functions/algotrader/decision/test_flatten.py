"""A flatten sells exactly what the desk holds, even if the desk's own orders interfere."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from algotrader.decision.flatten import flatten
from algotrader.model import (
    CorporateAction,
    Decision,
    Leg,
    Order,
    OrderType,
    Run,
    Side,
    Snapshot,
    TradingState,
)
from algotrader.model.units import finite
from algotrader.orders.ids import OrderPlace, client_order_id, parse_client_order_id
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import portfolio_state
from tests.support.desk_world import (
    DESK,
    SESSION,
    SETTINGS,
    asset,
    codes,
    ledger,
    open_order,
    own_id,
    position,
    quantities,
    run,
    snapshot,
)
from tests.support.snapshots import snapshots

RUN = run(run_id="2024-03-04-f1542", slot="f1542", entry_symbols=())


def flat(seen: Snapshot, of: Run = RUN) -> Decision:
    return flatten(of, SETTINGS, seen)


def answered_qty(decision: Decision) -> dict[str, Decimal]:
    answers = (*decision.exits, *decision.denied)
    return {
        symbol: sum((each.qty for each in answers if each.symbol == symbol), Decimal(0))
        for symbol in {each.symbol for each in answers}
    }


def stop(symbol: str, qty: str, leg: Leg = Leg.STOP, **changes: Any) -> Order:
    return open_order(
        symbol, Side.SELL, qty, None, own_id(symbol, leg), order_type="stop", **changes
    )


def test_everything_that_the_ledger_holds_is_sold_at_market_to_the_last_fraction() -> None:
    decision = flat(snapshot({"AAPL": "10", "XOM": "0.333333333"}))

    assert quantities(decision.exits) == {"AAPL": Decimal(10), "XOM": Decimal("0.333333333")}
    assert {each.order_type for each in decision.exits} == {OrderType.MARKET}
    assert {each.side for each in decision.exits} == {Side.SELL}
    assert [each.client_order_id for each in decision.exits] == [
        f"at1-{DESK}-2024-03-04-f1542-{symbol}-flatten-0" for symbol in ("AAPL", "XOM")
    ]
    assert decision.why["AAPL"] == "sell 10: flatten, at market, latest 100.00; holds 10"
    assert decision.why["GOOG"] == "nothing to sell: holds 0"
    assert (decision.entries, decision.denied, decision.target_weights) == ((), (), {})


def test_the_users_own_shares_are_left_alone() -> None:
    seen = snapshot(
        {"AAPL": "10"}, positions={"AAPL": position("AAPL", "25"), "TSLA": position("TSLA", "5")}
    )

    assert quantities(flat(seen).exits) == {"AAPL": Decimal(10)}


def test_one_share_is_sold_if_the_account_has_only_one_of_two_in_the_books() -> None:
    decision = flat(snapshot({"AAPL": "2"}, positions={"AAPL": position("AAPL", "1")}))

    assert quantities(decision.exits) == {"AAPL": Decimal(1)}
    assert decision.why["AAPL"].endswith(
        "LEDGER_MISMATCH: the desk's books say 2, the account holds 1"
    )


def test_the_desks_own_orders_are_canceled_first_and_keep_no_share_from_the_sale() -> None:
    mine = (
        stop("AAPL", "10"),
        open_order("AAPL", Side.BUY, "3", "101", own_id("AAPL", Leg.ENTRY)),
        stop("IBM", "4", filled_qty=Decimal(1)),
        stop("GOOG", "9", Leg.TARGET),  # for a position that no longer exists
    )
    seen = snapshot(
        {"AAPL": "10", "IBM": "5"},
        own_open_orders=mine,
        positions={
            "AAPL": position("AAPL", "10", available="0"),
            "IBM": position("IBM", "5", available="1"),
        },
    )

    decision = flat(seen)

    # IBM's stop still reserves three shares of four, and the user's order reserves one more.
    assert quantities(decision.exits) == {"AAPL": Decimal(10), "IBM": Decimal(4)}
    assert set(decision.cancels) == {each.client_order_id for each in mine}
    assert "holds 5, of which 4 can be sold" in decision.why["IBM"]
    assert [(each.symbol, each.qty) for each in decision.denied] == [("IBM", Decimal(1))]
    assert "holds 5, of which open orders leave 4" in decision.denied[0].detail


def test_a_users_buy_stops_only_the_sale_of_its_own_symbol() -> None:
    users = open_order("IBM", Side.BUY, "5", "80", "user-1")
    decision = flat(snapshot({"AAPL": "1", "IBM": "1", "MSFT": "1"}, foreign_open_orders=(users,)))

    assert quantities(decision.exits) == {"AAPL": Decimal(1), "MSFT": Decimal(1)}
    assert codes(decision) == {"IBM": "OPPOSITE_ORDER_OPEN"}


def test_the_stop_of_a_position_that_is_not_sold_stays() -> None:
    protects = stop("AAPL", "10")
    entry = open_order("AAPL", Side.BUY, "3", "101", own_id("AAPL", Leg.ENTRY))
    seen = snapshot(
        {"AAPL": "10"},
        own_open_orders=(protects, entry),
        corporate_actions=(CorporateAction("AAPL", "forward_split", SESSION, Decimal(2)),),
    )

    decision = flat(seen)

    assert codes(decision) == {"AAPL": "CORPORATE_ACTION"}
    assert decision.denied[0].qty == 10
    assert decision.cancels == (entry.client_order_id,)
    assert decision.why["AAPL"].startswith("denied sell 10: CORPORATE_ACTION: forward split")


def test_a_missing_price_does_not_stop_the_sale() -> None:
    decision = flat(snapshot({"AAPL": "10"}, prices={}, last_closes={}, assets={}))

    assert quantities(decision.exits) == {"AAPL": Decimal(10)}
    assert "no latest price" in decision.why["AAPL"]


def test_an_open_buy_of_the_user_in_the_symbol_denies_the_sale() -> None:
    theirs = open_order("AAPL", Side.BUY, "5", "99", "mine")

    decision = flat(snapshot({"AAPL": "10"}, foreign_open_orders=(theirs,)))

    assert codes(decision) == {"AAPL": "OPPOSITE_ORDER_OPEN"}
    assert decision.cancels == ()


def test_a_halt_stops_a_flatten_too_and_keeps_its_stops() -> None:
    entry = open_order("AAPL", Side.BUY, "3", "101", own_id("AAPL", Leg.ENTRY))
    seen = snapshot(
        {"AAPL": "10"},
        own_open_orders=(stop("AAPL", "10"), entry),
        trading_state=TradingState.HALTED,
        trading_state_reason="storm",
    )

    decision = flat(seen)

    assert codes(decision) == {"AAPL": "TRADING_HALTED"}
    assert (decision.exits, decision.cancels) == ((), (entry.client_order_id,))


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.REDUCING])
def test_any_other_trading_state_lets_a_flatten_sell(state: TradingState) -> None:
    assert flat(snapshot({"AAPL": "10"}, trading_state=state)).exits


def test_an_asset_that_trades_only_in_whole_shares_leaves_a_fraction_and_says_so() -> None:
    seen = snapshot(
        {"AAPL": "10.5", "IBM": "0.5"},
        assets={name: asset(name, fractionable=False) for name in ("AAPL", "IBM")},
    )

    decision = flat(seen)

    assert quantities(decision.exits) == {"AAPL": Decimal(10)}
    assert codes(decision) == {"AAPL": "NOTHING_TO_SELL", "IBM": "NOTHING_TO_SELL"}
    assert {each.symbol: each.qty for each in decision.denied} == {
        "AAPL": Decimal("0.5"),
        "IBM": Decimal("0.5"),
    }


@pytest.mark.parametrize(("held", "sold"), [("4", {"AAPL": Decimal(4)}), ("0", {})])
def test_no_more_is_sold_than_the_account_has(held: str, sold: dict[str, Decimal]) -> None:
    decision = flat(snapshot({"AAPL": "10"}, positions={"AAPL": position("AAPL", held)}))

    assert quantities(decision.exits) == sold
    assert "LEDGER_MISMATCH" in decision.why["AAPL"]
    assert codes(decision) == ({} if sold else {"AAPL": "LEDGER_MISMATCH"})


def test_shares_sold_too_often_are_reported_and_never_bought_back() -> None:
    decision = flat(snapshot({}, ledger=ledger(AAPL="-3")))

    assert (decision.exits, decision.denied) == ((), ())
    assert "LEDGER_MISMATCH" in decision.why["AAPL"]


def test_the_longest_symbol_fits_into_the_id_and_the_slot_can_be_read_from_it() -> None:
    place = OrderPlace(DESK, date(2024, 3, 4), "f1542", "ABCDEFGH.I", Leg.FLATTEN, 0)

    assert len(client_order_id(place)) == 48
    assert parse_client_order_id(client_order_id(place)) == place


@given(seen=snapshots())
def test_for_any_broker_data_a_flatten_sells_only_the_desks_shares(seen: Snapshot) -> None:
    decision = flat(seen)

    holdings = seen.ledger.holdings
    for intent in decision.exits:
        place = parse_client_order_id(intent.client_order_id)
        assert place is not None
        assert (place.slot, place.leg, place.symbol) == ("f1542", Leg.FLATTEN, intent.symbol)
        assert intent.side is Side.SELL
        assert 0 < intent.qty <= holdings[intent.symbol].qty
        assert intent.qty <= seen.positions[intent.symbol].qty
    answered = {each.symbol for each in (*decision.exits, *decision.denied)}
    assert {symbol for symbol, each in holdings.items() if finite(each.qty) > 0} <= answered
    assert decision.entries == ()
    assert answered <= decision.why.keys()
    if seen.trading_state is not TradingState.HALTED:
        standing = [each for each in seen.own_open_orders if not is_terminal(each)]
        kept = [each for each in standing if each.client_order_id not in decision.cancels]
        assert {each.symbol for each in kept} <= {each.symbol for each in decision.denied}
    stakes = portfolio_state(SETTINGS, seen).positions
    for symbol, answers in answered_qty(decision).items():
        held = stakes[symbol].held or stakes[symbol].book_qty
        assert answers == held  # sold or reported, to the last fraction


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.REDUCING])
def test_a_desk_that_may_only_sell_still_clears_its_stop_away_for_the_sale(
    state: TradingState,
) -> None:
    seen = snapshot(
        {"AAPL": "10"},
        own_open_orders=(stop("AAPL", "10"),),
        positions={"AAPL": position("AAPL", "10", available="0")},
        trading_state=state,
    )

    decision = flat(seen)

    assert quantities(decision.exits) == {"AAPL": Decimal(10)}
    assert decision.cancels == (own_id("AAPL", Leg.STOP),)


def test_a_halted_flatten_leaves_the_desks_open_exit_under_way() -> None:
    leaves = open_order("AAPL", Side.SELL, "10", "99", own_id("AAPL", Leg.EXIT))
    seen = snapshot({"AAPL": "10"}, own_open_orders=(leaves,), trading_state=TradingState.HALTED)

    assert flat(seen).cancels == ()


def test_a_symbol_that_the_broker_does_not_trade_is_denied_by_name_and_keeps_its_stop() -> None:
    seen = snapshot(
        {"AAPL": "10"},
        own_open_orders=(stop("AAPL", "10"),),
        assets={"AAPL": asset("AAPL", tradable=False)},
    )

    decision = flat(seen)

    assert codes(decision) == {"AAPL": "NOT_TRADABLE"}
    assert (decision.exits, decision.cancels) == ((), ())


def test_an_own_buy_or_an_order_that_has_ended_frees_no_shares() -> None:
    mine = (
        open_order("AAPL", Side.BUY, "3", "101", own_id("AAPL", Leg.ENTRY)),
        stop("AAPL", "2", status="canceled"),
    )
    seen = snapshot(
        {"AAPL": "10"},
        own_open_orders=mine,
        positions={"AAPL": position("AAPL", "10", available="4")},  # the user's order keeps 6
    )

    assert quantities(flat(seen).exits) == {"AAPL": Decimal(4)}
