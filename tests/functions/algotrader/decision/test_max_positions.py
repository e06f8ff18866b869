"""The desk denies entries beyond MaxPositions symbols, but never exits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.model import Decision, Leg, Side, Snapshot
from algotrader.portfolio.capital import portfolio_state
from tests.support.desk_world import (
    asset,
    codes,
    decided,
    open_order,
    own_id,
    quantities,
    settings,
    snapshot,
)
from tests.support.snapshots import Situation, lively_bells, situations

D = Decimal
WANTED = {"AAPL": D("0.1"), "GOOG": D("0.3"), "IBM": D("0.2")}


def decide(
    most: int, at: Snapshot | None = None, weights: dict[str, Decimal] | None = None
) -> Decision:
    return decided(weights or WANTED, at, under=settings(max_positions=most))


def test_entries_beyond_the_limit_are_denied_by_ascending_weight() -> None:
    decision = decide(2)
    assert [each.symbol for each in decision.entries] == ["GOOG", "IBM"]
    assert codes(decision) == {"AAPL": "MAX_POSITIONS"}
    assert decision.denied[0].detail == "2 symbols held already, limit 2"


def test_the_default_stops_nothing() -> None:
    assert codes(decided(WANTED)) == {}
    assert codes(decide(3)) == {}


def test_a_held_symbol_may_be_bought_whatever_the_number_of_positions() -> None:
    decision = decide(1, snapshot({"AAPL": "10", "IBM": "10"}))
    assert set(quantities(decision.entries)) == {"AAPL", "IBM"}
    assert codes(decision) == {"GOOG": "MAX_POSITIONS"}


def test_a_full_exit_makes_room_and_is_never_denied() -> None:
    decision = decide(1, snapshot({"AAPL": "100", "XOM": "100"}), {"GOOG": D("0.3")})
    assert set(quantities(decision.exits)) == {"AAPL", "XOM"}
    assert set(quantities(decision.entries)) == {"GOOG"}


@pytest.mark.parametrize("weights", [{"AAPL": D("0.02"), "GOOG": D("0.3")}])
def test_a_holding_that_is_only_reduced_still_counts(weights: dict[str, Decimal]) -> None:
    decision = decide(1, snapshot({"AAPL": "100"}), weights)
    assert set(quantities(decision.exits)) == {"AAPL"}
    assert codes(decision) == {"GOOG": "MAX_POSITIONS"}


STUCK = snapshot(
    {"XOM": "1000"}, "200", assets={"XOM": asset("XOM", tradable=False), "GOOG": asset("GOOG")}
)


def test_an_exit_that_is_denied_makes_no_room() -> None:
    decision = decide(1, STUCK, {"GOOG": D("0.3")})
    assert codes(decision) == {"XOM": "NOT_TRADABLE", "GOOG": "MAX_POSITIONS"}


@pytest.mark.parametrize(
    ("status", "side", "counts"),
    [("new", Side.BUY, True), ("canceled", Side.BUY, False), ("new", Side.SELL, False)],
)
def test_an_open_buy_counts_since_it_may_fill_before_its_cancel(
    status: str, side: Side, *, counts: bool
) -> None:
    mine = open_order("AAPL", side, "5", "99", own_id("AAPL", Leg.ENTRY), status=status)
    decision = decide(1, snapshot(own_open_orders=(mine,)), {"GOOG": D("0.3")})
    assert codes(decision) == ({"GOOG": "MAX_POSITIONS"} if counts else {})


def test_the_number_of_orders_is_checked_first_and_cash_afterwards() -> None:
    full = settings(max_positions=1, max_orders_per_run=1)
    assert codes(decided(WANTED, under=full))["AAPL"] == "MAX_ORDERS_PER_RUN"
    assert codes(decide(2, STUCK, {"GOOG": D("0.3")}))["GOOG"] == "INSUFFICIENT_CASH"
    assert codes(decide(1, STUCK, {"GOOG": D("0.3")}))["GOOG"] == "MAX_POSITIONS"


@given(bell=situations() | lively_bells(), most=st.integers(1, 5))
def test_no_run_opens_a_position_beyond_the_limit(bell: Situation, most: int) -> None:
    bell = bell.under(max_positions=most)
    decision, free = bell.decide(), bell.under(max_positions=500).decide()
    positions = portfolio_state(bell.settings, bell.snapshot).positions
    held = {symbol for symbol, each in positions.items() if each.held > 0}
    sold = {each.symbol for each in decision.exits if each.qty == positions[each.symbol].held}
    opened = {each.symbol for each in decision.entries} - held
    assert not opened or len((held - sold) | opened) <= most
    assert decision.exits == free.exits
