"""Limits on a desk or a run restrict entries, but every exit passes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.model import CorporateAction, Leg, Side
from tests.support.desk_world import (
    NOW,
    codes,
    decided,
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


# Gross exposure


def test_exposure_cuts_the_entry_that_would_exceed_it_and_says_so() -> None:
    decision = decided(
        {"AAPL": D("0.3"), "GOOG": D("0.3"), "IBM": D("0.3")},
        under=settings(max_gross_exposure=D("0.5")),
    )
    assert quantities(decision.entries) == {"AAPL": D(293), "GOOG": D(196)}
    assert decision.why["GOOG"].endswith("; cut from 293 to what MaxGrossExposure leaves")
    assert codes(decision) == {"IBM": "MAX_GROSS_EXPOSURE"}
    assert decision.denied[0].detail == (
        "cost 29358.60, left 2.20 after the desk's positions and open buys, limit 0.5 of 98000.00"
    )
    assert decision.spendable == 49000


def test_positions_count_towards_exposure_and_their_exits_free_it() -> None:
    held = {"AAPL": "400", "XOM": "100"}  # 50000 of 148000
    kept = decided(
        {"AAPL": D("0.27"), "IBM": D("0.2")},
        snapshot(held),
        under=settings(max_gross_exposure=D("0.4")),
    )
    # The limit is 59200. AAPL and XOM use 50000, and the XOM exit returns at least 9980.
    assert quantities(kept.exits) == {"XOM": D(100)}
    assert quantities(kept.entries) == {"IBM": D(191)}


def test_a_position_that_outgrew_the_exposure_limit_is_not_sold() -> None:
    decision = decided(
        {"AAPL": D("0.33"), "IBM": D("0.1")},
        snapshot({"AAPL": "400"}),
        under=settings(max_gross_exposure=D("0.2")),
    )
    assert decision.exits == ()
    assert codes(decision) == {"AAPL": "MAX_GROSS_EXPOSURE", "IBM": "MAX_GROSS_EXPOSURE"}
    assert decision.spendable == 0


def test_an_open_buy_of_the_desk_counts_as_filled() -> None:
    mine = open_order("GOOG", Side.BUY, "100", "100", own_id("GOOG", Leg.ENTRY))
    seen = snapshot(own_open_orders=(mine,))
    half = decided({}, seen, under=settings(max_gross_exposure=D("0.5")))
    whole = decided({}, seen)
    # Half of (88200 + 10000 of pending buys), less those 10000.
    assert half.spendable == D("39100.00")
    assert whole.spendable == D("88200.00")


def test_the_exposure_left_is_reported_in_whole_cents_and_entries_cost_no_more() -> None:
    seen = snapshot(cash="1000.01", prices=prices(IBM="0.0050"), last_closes={"IBM": D("0.005")})
    half = settings(
        max_gross_exposure=D("0.5"),
        max_position_weight=D(1),
        cash_reserve=D(0),
        no_trade_band=D(0),
        limit_offset_bps=0,
    )
    decision = decided({"IBM": D(1)}, seen, under=half)
    assert decision.spendable == D("500.00")  # rounded down: 500.005 buys 100001 shares
    assert quantities(decision.entries) == {"IBM": D(100000)}


# Turnover


def test_an_entry_that_exceeds_the_turnover_is_denied_whole() -> None:
    decision = decided({"AAPL": D("0.3"), "GOOG": D("0.3")}, under=settings(max_turnover=D("0.5")))
    assert quantities(decision.entries) == {"AAPL": D(293)}
    assert codes(decision) == {"GOOG": "MAX_TURNOVER"}
    assert decision.denied[0].detail == (
        "cost 29358.60 on top of 29358.60 traded in this run, limit 0.5 of 98000.00 = 49000.00"
    )


def test_exits_count_towards_the_turnover_but_it_never_denies_one() -> None:
    decision = decided(
        {"IBM": D("0.3")}, snapshot({"AAPL": "300"}), under=settings(max_turnover=D("0.1"))
    )
    assert quantities(decision.exits) == {"AAPL": D(300)}
    assert codes(decision) == {"IBM": "MAX_TURNOVER"}


def test_a_full_rotation_fits_the_default_turnover() -> None:
    held = {"AAPL": "330", "GOOG": "330"}
    decision = decided(
        {"IBM": D("0.34"), "MSFT": D("0.34")},
        snapshot(held),
        under=settings(max_order_notional=D(100000)),
    )
    assert list(quantities(decision.exits)) == ["AAPL", "GOOG"]
    assert list(quantities(decision.entries)) == ["IBM", "MSFT"]


def test_a_desk_that_outgrew_its_capital_sells_now_and_buys_in_the_next_run() -> None:
    decision = decided(
        {"AAPL": D("0.3"), "IBM": D("0.3")},
        snapshot({"AAPL": "200", "GOOG": "20"}),
        under=settings(capital=D(10000)),
    )
    assert quantities(decision.exits) == {"AAPL": D(170), "GOOG": D(20)}
    assert codes(decision) == {"IBM": "MAX_TURNOVER"}


# Denied symbols


def test_a_denied_symbol_is_sold_and_never_bought() -> None:
    decision = decided(
        {"IBM": D("0.3"), "MSFT": D("0.3")},
        snapshot({"AAPL": "10"}),
        under=settings(deny_symbols=("AAPL", "IBM", "XOM")),
    )
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert quantities(decision.entries) == {"MSFT": D(296)}
    assert codes(decision) == {"IBM": "SYMBOL_DENIED"}


# Price against the last close


@pytest.mark.parametrize(("close", "bought"), [("125", True), ("126", False), ("83", False)])
def test_a_price_far_from_the_last_close_stops_the_entry_and_lets_the_exit_go(
    close: str, *, bought: bool
) -> None:
    seen = snapshot({"AAPL": "10"}, last_closes={"AAPL": D(close), "IBM": D(close)})
    decision = decided({"IBM": D("0.3")}, seen)
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert codes(decision) == ({} if bought else {"IBM": "PRICE_DEVIATION"})


def test_a_listed_split_is_a_corporate_action_and_an_unlisted_one_a_price_deviation() -> None:
    seen = snapshot(last_closes={"IBM": D(200)})
    split = CorporateAction("IBM", "forward_split", date(2024, 3, 4), D(2))
    known = replace(seen, corporate_actions=(split,))
    assert codes(decided({"IBM": D("0.3")}, known)) == {"IBM": "CORPORATE_ACTION"}
    assert codes(decided({"IBM": D("0.3")}, seen)) == {"IBM": "PRICE_DEVIATION"}


def test_an_ordinary_dividend_gap_stops_nothing() -> None:
    seen = snapshot(
        last_closes={"IBM": D(103)},
        corporate_actions=(CorporateAction("IBM", "cash_dividend", date(2024, 3, 4), None),),
    )
    assert codes(decided({"IBM": D("0.3")}, seen)) == {}


# The minimum order


def test_an_entry_below_the_minimum_order_is_denied_and_an_exit_is_not() -> None:
    decision = decided(
        {"IBM": D("0.02")}, snapshot({"AAPL": "1"}), under=settings(min_order_notional=D(2000))
    )
    assert quantities(decision.exits) == {"AAPL": D(1)}
    assert codes(decision) == {"IBM": "BELOW_MINIMUM_ORDER"}
    assert decision.denied[0].detail == (
        "1962.00 buys 19 at 100.20, less than MinOrderNotional 2000.00"
    )


def test_a_lack_of_cash_cuts_no_entry_below_the_minimum_order() -> None:
    seen = snapshot({"AAPL": "900"}, "10000", positions={"AAPL": position("AAPL", "900", "0")})
    weights = {"AAPL": D("0.9"), "IBM": D("0.05"), "MSFT": D("0.05")}
    few = settings(max_position_weight=D(1), min_order_notional=D(4000), no_trade_band=D("0.03"))
    decision = decided(weights, seen, under=few)
    assert quantities(decision.entries) == {"IBM": D(49), "MSFT": D(48)}
    more = replace(few, min_order_notional=D(4850))
    assert codes(decided(weights, seen, under=more)) == {"MSFT": "INSUFFICIENT_CASH"}


# Minutes to the close


@pytest.mark.parametrize(
    ("close", "bought"), [(timedelta(minutes=3), True), (timedelta(seconds=179), False)]
)
def test_the_last_minutes_of_any_session_deny_entries_and_allow_exits(
    close: timedelta, *, bought: bool
) -> None:
    seen = snapshot({"AAPL": "10"})
    early = replace(seen, session=replace(seen.session, close=NOW + close))
    for each in (run(), run(sends_orders=False)):
        decision = decided({"IBM": D("0.3")}, early, of=each)
        assert quantities(decision.exits) == {"AAPL": D(10)}
        assert codes(decision) == ({} if bought else {"IBM": "MINUTES_TO_CLOSE"})


def test_a_dry_run_after_the_close_is_not_denied_for_the_last_minutes() -> None:
    seen = snapshot(prices=prices(NOW, IBM="100"))
    over = replace(seen, session=replace(seen.session, close=NOW))
    dry = decided({"IBM": D("0.3")}, over, of=run(sends_orders=False))
    assert quantities(dry.entries) == {"IBM": D(293)}
    assert codes(decided({"IBM": D("0.3")}, over)) == {"IBM": "MINUTES_TO_CLOSE"}


# Several limits


def test_a_denied_entry_names_every_limit_that_a_person_has_to_change() -> None:
    tight = settings(
        max_position_weight=D("0.4"), max_order_notional=D(30_000), max_turnover=D("0.6")
    )
    decision = decided({"AAPL": D("0.5"), "IBM": D("0.3")}, under=tight)
    (denied,) = decision.denied
    assert (denied.symbol, denied.code) == ("AAPL", "MAX_POSITION_WEIGHT")
    assert [each.split(":")[0] for each in denied.detail.split("; also ")[1].split("; ")] == [
        "MAX_ORDER_NOTIONAL",
        "MAX_TURNOVER",
    ]
    assert denied.detail in decision.why["AAPL"]
    assert quantities(decision.entries) == {"IBM": D(293)}


def test_a_limit_that_the_entry_does_not_exceed_is_not_named() -> None:
    decision = decided({"AAPL": D("0.5")}, under=settings(max_position_weight=D("0.4")))
    assert "also" not in decision.denied[0].detail


def test_an_entry_that_no_limit_denies_names_none() -> None:
    tight = settings(max_position_weight=D("0.4"), deny_symbols=("AAPL",))
    decision = decided({"AAPL": D("0.5")}, under=tight)
    assert codes(decision) == {"AAPL": "SYMBOL_DENIED"}
    assert "MAX_POSITION_WEIGHT" not in decision.denied[0].detail
