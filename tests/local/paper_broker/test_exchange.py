"""The exchange fills, cancels and refuses an account's orders as time passes, without HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.paper_broker.values import ActivityKind, ApiError, Behaviour
from tests.local.paper_broker.world import D, World, at


def refused(act: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        act()
    return caught.value


# -- fills ----------------------------------------------------------------------------------------


def test_a_market_order_is_pending_when_posted_and_filled_at_the_next_request() -> None:
    world = World()
    order = world.place("buy", "10")
    assert order.status == "pending_new"
    world.look()
    assert (order.status, order.filled_qty, order.filled_value) == ("filled", 10, 1000)
    assert (world.qty(), world.cash) == (10, 99_000)


@pytest.mark.parametrize(("side", "price"), [("buy", "100.05"), ("sell", "99.95")])
def test_slippage_worsens_the_price_of_either_side(side: str, price: str) -> None:
    world = World(holdings={"FLAT": "10"}, slippage_bps=D(5))
    order = world.place(side, "1")
    world.look()
    assert order.filled_value == D(price)


@pytest.mark.parametrize(("side", "limit"), [("buy", "100.01"), ("sell", "99.99")])
def test_a_marketable_limit_never_fills_worse_than_its_limit(side: str, limit: str) -> None:
    world = World(holdings={"FLAT": "10"}, slippage_bps=D(50))
    order = world.limit(side, "1", limit)
    world.look()
    assert order.filled_value == D(limit)


def test_a_resting_limit_fills_at_its_limit_once_the_session_that_touched_it_is_over() -> None:
    world = World()
    order = world.limit("buy", "10", "96")
    world.go(0, "15:59")
    assert order.status == "new"
    world.go(0, "16:00")
    assert (order.status, order.filled_value) == ("filled", 960)
    assert order.filled_at == at(0, "16:00")


def test_a_day_order_that_was_not_touched_expires_at_the_close() -> None:
    world = World()
    order = world.limit("buy", "10", "94.99")
    world.go(0, "16:00")
    assert (order.status, order.expired_at) == ("expired", at(0, "16:00"))


def test_a_day_order_expires_at_the_early_close_of_a_short_session() -> None:
    world = World(session=1)
    order = world.limit("buy", "10", "90")
    world.go(1, "13:00")
    assert order.status == "expired"


def test_a_gtc_order_rests_over_the_night() -> None:
    world = World()
    order = world.limit("buy", "10", "90", time_in_force="gtc")
    world.go(5)
    assert order.status == "new"


def test_an_order_before_the_bell_waits_in_accepted_and_fills_at_the_open() -> None:
    world = World()
    world.go(0, "18:00")
    order = world.place("buy", "10")
    world.look()
    assert order.status == "accepted"
    world.go(1)
    assert (order.status, order.filled_at) == ("filled", at(1, "09:30"))


def test_an_order_without_a_request_fills_before_the_session_ends() -> None:
    world = World()
    order = world.place("buy", "10")
    world.go(1)
    assert (order.status, order.filled_value) == ("filled", 1000)


def test_a_stop_sell_fills_at_its_stop_once_the_range_reached_it() -> None:
    world = World(holdings={"FLAT": "10"})
    order = world.stop("sell", "10", "96")
    world.go(0, "16:00")
    assert (order.status, order.filled_value) == ("filled", 960)


def test_a_stop_buy_above_the_range_does_not_trigger() -> None:
    world = World()
    order = world.stop("buy", "10", "105.01")
    world.go(0, "15:00")
    assert (order.status, order.triggered) == ("new", False)


def test_a_stop_limit_does_not_fill_worse_than_its_limit() -> None:
    world = World(holdings={"FLAT": "10"}, slippage_bps=D(100))
    terms = {"type": "stop_limit", "stop_price": "96", "limit_price": "95.90"}
    order = world.place("sell", "10", **terms)
    world.go(0, "16:00")
    assert order.filled_value == D("959.0")


@pytest.mark.parametrize("time_in_force", ["ioc", "fok"])
def test_an_immediate_order_that_cannot_fill_is_canceled_at_the_next_request(
    time_in_force: str,
) -> None:
    world = World()
    order = world.limit("buy", "10", "96", time_in_force=time_in_force)
    world.look()
    assert order.status == "canceled"


# -- behavior that tests set -----------------------------------------------------------------------


def test_each_request_fills_one_part_and_the_parts_add_up() -> None:
    world = World(fill_parts=3)
    order = world.place("buy", "10")
    seen = []
    for _ in range(3):
        world.look()
        seen.append((order.status, order.filled_qty))
    assert seen == [("partially_filled", 3), ("partially_filled", 6), ("filled", 10)]


def test_a_fill_fraction_leaves_the_rest_open_until_the_close() -> None:
    world = World(fill_fraction=D("0.5"))
    order = world.place("buy", "11")
    world.go(0, "15:00")
    assert (order.status, order.filled_qty) == ("partially_filled", 5)
    world.go(0, "16:00")
    assert (order.status, order.filled_qty) == ("expired", 5)


def test_a_fill_delay_is_simulated_time() -> None:
    world = World(fill_delay_seconds=60.0)
    order = world.place("buy", "10")
    world.look()
    assert order.status == "new"
    world.go(0, "09:36")
    assert order.status == "filled"


def test_never_fill_keeps_the_named_symbol_open_and_fills_others() -> None:
    world = World(never_fill=("FLAT",))
    stuck, free = world.place("buy", "1"), world.place("buy", "1", "PAYS")
    world.go(0, "15:00")
    assert (stuck.status, free.status) == ("new", "filled")


def test_an_order_in_a_rejected_symbol_is_accepted_first_and_then_reserves_nothing() -> None:
    world = World(reject=("*",))
    order = world.place("buy", "10")
    world.look()
    assert (order.status, order.failed_at) == ("rejected", order.submitted_at)
    assert world.exchange.funds.reserved == 0


# -- cancels --------------------------------------------------------------------------------------


def test_a_cancel_is_pending_until_the_next_request() -> None:
    world = World()
    order = world.limit("buy", "10", "90")
    world.exchange.cancel(order.id)
    assert order.status == "pending_cancel"
    world.look()
    assert (order.status, order.canceled_at is not None) == ("canceled", True)


def test_a_canceled_order_does_not_fill_at_the_close() -> None:
    world = World()
    order = world.limit("buy", "10", "96")  # in the session's range
    world.exchange.cancel(order.id)
    world.go(0, "17:00")
    assert (order.status, order.filled_qty) == ("canceled", 0)


def test_fills_during_a_slow_cancel_are_kept() -> None:
    world = World(cancel_delay_seconds=30.0, fill_delay_seconds=10.0, fill_fraction=D("0.5"))
    order = world.place("buy", "10")
    world.exchange.cancel(order.id)
    world.exchange.advance(at(0, "09:35:15"))
    assert (order.status, order.filled_qty) == ("pending_cancel", 5)
    world.go(0, "09:36")
    assert (order.status, order.filled_qty) == ("canceled", 5)


def test_a_filled_order_cannot_be_canceled() -> None:
    world = World()
    order = world.place("buy", "10")
    world.look()
    refusal = refused(lambda: world.exchange.cancel(order.id))
    assert (refusal.status, refusal.message) == (422, 'order is already in "filled" state')


def test_a_pending_cancel_is_over_at_the_close_however_slow() -> None:
    world = World(cancel_delay_seconds=1e6)
    order = world.limit("buy", "10", "90", time_in_force="gtc")
    world.exchange.cancel(order.id)
    world.go(0, "16:00")
    assert order.status == "canceled"


# -- refusals -------------------------------------------------------------------------------------


def test_a_client_order_id_stays_taken_after_a_cancel() -> None:
    world = World()
    order = world.limit("buy", "1", "90", client_order_id="mine")
    world.exchange.cancel(order.id)
    world.go(3)
    refusal = refused(lambda: world.place("buy", "1", client_order_id="mine"))
    assert (refusal.status, refusal.code) == (422, 40010001)
    assert refusal.message == "client_order_id must be unique"


def test_a_refused_order_does_not_take_its_client_order_id() -> None:
    world = World()
    refused(lambda: world.place("sell", "1", client_order_id="mine"))
    assert world.place("buy", "1", client_order_id="mine").client_order_id == "mine"


def test_open_sells_hold_their_shares() -> None:
    world = World(holdings={"FLAT": "10"})
    resting = world.limit("sell", "7", "150")
    refusal = refused(lambda: world.limit("sell", "4", "150"))
    assert (refusal.status, refusal.code) == (403, 40310000)
    assert refusal.message == "insufficient qty available for order (requested: 4, available: 3)"
    assert refusal.details == {
        "symbol": "FLAT",
        "existing_qty": "10",
        "held_for_orders": "7",
        "available": "3",
        "related_orders": [resting.id],
    }


def test_a_sell_without_shares_is_not_a_short_sale() -> None:
    refusal = refused(lambda: World().place("sell", "1"))
    assert (refusal.status, refusal.message) == (403, "account is not allowed to short")


def test_a_short_sale_is_taken_where_it_is_allowed_and_owes_dividends() -> None:
    world = World(shorting=True)
    world.place("sell", "10", "PAYS")
    world.look()
    assert (world.qty("PAYS"), world.cash) == (-10, 100_500)
    world.go(5)
    assert world.cash == 100_490
    assert world.exchange.funds.equity == 100_000


def test_open_buys_reserve_buying_power_at_their_limit() -> None:
    world = World(cash="1000", multiplier=1)
    world.limit("buy", "8", "90")
    assert world.exchange.funds.buying_power == 280
    refusal = refused(lambda: world.limit("buy", "4", "90"))
    assert (refusal.status, refusal.code) == (403, 40310000)
    assert refusal.message == "insufficient buying power"
    assert refusal.details == {"buying_power": "280.00", "cost_basis": "360.00"}


def test_a_margin_account_may_buy_twice_its_equity_and_no_more() -> None:
    world = World(cash="1000")
    assert world.exchange.funds.buying_power == 2000
    assert world.exchange.funds.cash_power == 1000
    world.limit("buy", "19", "105")
    refused(lambda: world.limit("buy", "1", "105"))


def test_a_market_buy_is_valued_three_percent_above_the_price() -> None:
    world = World(cash="1000", multiplier=1)
    refused(lambda: world.place("buy", "10"))
    assert world.place("buy", "9").is_open


def test_sells_free_buying_power_only_once_executed() -> None:
    world = World(cash="0", holdings={"FLAT": "10"}, multiplier=1, never_fill=("*",))
    world.place("sell", "10")
    world.look()
    refused(lambda: world.place("buy", "1", "PAYS"))
    world.exchange.behaviour = Behaviour(slippage_bps=D(0))
    world.look()
    assert world.exchange.funds.buying_power == 1000


@pytest.mark.parametrize(
    ("resting", "new", "reason"),
    [
        (("sell", "stop", "90"), ("buy", "market", ""), "market/stop"),
        (("sell", "stop", "90"), ("buy", "limit", "80"), "market/stop"),
        (("sell", "stop", "90"), ("buy", "stop", "120"), "market/stop"),
        (("buy", "limit", "90"), ("sell", "stop", "80"), "market/stop"),
        (("sell", "limit", "120"), ("buy", "market", ""), "market/stop"),
        (("sell", "limit", "120"), ("buy", "limit", "120"), "limit"),
    ],
)
def test_an_order_that_could_trade_against_an_open_one_is_refused(
    resting: tuple[str, str, str], new: tuple[str, str, str], reason: str
) -> None:
    world = World(holdings={"FLAT": "10"})

    def place(side: str, kind: str, price: str) -> object:
        prices = {} if kind == "market" else {f"{kind}_price": price}
        return world.place(side, "1", type=kind, **prices)

    first = place(*resting)
    refusal = refused(lambda: place(*new))
    assert (refusal.status, refusal.code) == (403, 40310000)
    assert refusal.message == "potential wash trade detected. use complex orders"
    assert refusal.details == {
        "existing_order_id": getattr(first, "id", None),
        "reject_reason": f"opposite side {reason} order exists",
    }


def test_limits_that_do_not_cross_may_stand_on_both_sides() -> None:
    world = World(holdings={"FLAT": "10"})
    world.limit("sell", "1", "120")
    assert world.limit("buy", "1", "119.99").is_open


def test_a_blocked_account_takes_no_order() -> None:
    refusal = refused(lambda: World(trading_blocked=True).place("buy", "1"))
    assert (refusal.status, refusal.code) == (403, 40310000)


def test_an_account_that_may_only_sell_sells() -> None:
    world = World(restricted_to_liquidation=True, holdings={"FLAT": "1"})
    refusal = refused(lambda: world.place("buy", "1"))
    assert (refusal.status, refusal.code) == (403, 40310000)
    assert refusal.message == "account is restricted to liquidation only"
    assert world.place("sell", "1").is_open


def test_a_symbol_is_unknown_until_it_lists() -> None:
    world = World()
    refusal = refused(lambda: world.place("buy", "1", "LATE"))
    assert (refusal.status, refusal.message) == (422, 'asset "LATE" not found')
    world.go(2)
    assert world.place("buy", "1", "LATE").is_open


# -- fractions ------------------------------------------------------------------------------------


def test_a_notional_order_buys_what_its_dollars_pay_for() -> None:
    world = World()
    order = world.place("buy", None, notional="250.50")
    world.look()
    assert (order.status, order.filled_qty, order.filled_value) == (
        "filled",
        D("2.505"),
        D("250.5"),
    )


def test_a_fraction_must_be_a_day_order() -> None:
    refusal = refused(lambda: World().limit("buy", "0.5", "90", time_in_force="gtc"))
    assert (refusal.status, refusal.message) == (422, "fractional orders must be DAY orders")


def test_a_symbol_may_trade_only_in_whole_shares() -> None:
    refusal = refused(lambda: World(unfractionable=("FLAT",)).place("buy", "0.5"))
    assert (refusal.status, refusal.message) == (403, 'asset "FLAT" is not fractionable')


# -- time -----------------------------------------------------------------------------------------


def test_a_split_doubles_shares_and_open_orders_and_leaves_equity_alone() -> None:
    world = World(holdings={"SPLT": "10"})
    order = world.limit("sell", "4", "150.01", symbol="SPLT", time_in_force="gtc")
    before = world.exchange.funds.equity
    world.go(3)
    assert (world.qty("SPLT"), order.qty, order.limit_price) == (20, 8, D("75.01"))
    assert world.exchange.funds.equity == before
    assert world.exchange.funds.available("SPLT") == 12
    assert world.exchange.account.holdings["SPLT"].average == 50


@pytest.mark.parametrize(
    "terms",
    [
        {"type": "stop", "stop_price": "90", "time_in_force": "gtc"},
        {"type": "stop_limit", "stop_price": "90", "limit_price": "40", "time_in_force": "gtc"},
    ],
)
def test_a_split_leaves_a_stops_price_so_it_sells_everything_at_the_open(
    terms: dict[str, str],
) -> None:
    world = World(holdings={"SPLT": "10"})
    order = world.place("sell", "10", "SPLT", **terms)
    world.go(2, "16:15")
    assert (order.status, order.qty) == ("new", 10)
    world.go(3, "09:30")
    assert (order.status, order.qty, order.stop_price) == ("filled", 20, 90)
    assert (world.qty("SPLT"), world.cash) == (0, 100_000 + 20 * 50)


def test_a_split_leaves_the_price_of_a_day_limit_order() -> None:
    world = World(holdings={"SPLT": "10"})
    world.go(2, "16:15")
    order = world.limit("sell", "4", "150.01", symbol="SPLT")
    world.go(3)
    assert (order.qty, order.limit_price) == (8, D("150.01"))


def test_a_dividend_is_paid_at_the_open_after_its_day_for_the_shares_before_the_ex_date() -> None:
    world = World(holdings={"PAYS": "10"})
    world.go(3)
    assert world.cash == 100_000
    assert world.exchange.funds.equity == world.exchange.first_equity - 10
    world.bought("10", "PAYS")
    world.go(4, "16:30")
    assert world.cash == 100_000 - 490
    world.go(5)
    assert world.cash == 100_010 - 490
    world.go(6)
    assert world.cash == 100_010 - 490


def test_shares_sold_after_the_ex_date_are_still_paid() -> None:
    world = World(holdings={"PAYS": "10"})
    world.go(3)
    world.place("sell", "10", "PAYS")
    world.go(5)
    assert (world.qty("PAYS"), world.cash) == (0, 100_000 + 490 + 10)


def test_last_equity_is_the_close_before_today_also_after_todays_close() -> None:
    world = World()
    world.limit("buy", "10", "95")
    world.go(0, "16:30")
    assert world.exchange.last_equity == 100_000
    world.go(1, "08:00")
    assert world.exchange.last_equity == 100_050


def test_todays_deposits_are_reported_separately_from_profit() -> None:
    world = World()
    world.go(1)
    world.exchange.deposit(D(500))
    world.exchange.deposit(D(-200))
    assert world.exchange.adjustments == 300
    assert world.exchange.funds.equity - world.exchange.last_equity == 300
    world.go(2)
    assert (world.exchange.adjustments, world.exchange.last_equity) == (0, 100_300)


def test_time_does_not_run_backward() -> None:
    world = World()
    world.go(1)
    with pytest.raises(ValueError, match="time runs forward"):
        world.go(0)


def test_the_same_calls_give_the_same_ids() -> None:
    ids = []
    for _ in range(2):
        world = World()
        world.bought("1")
        ids.append([(a.id, a.order_id) for a in world.exchange.account.activities])
    assert ids[0] == ids[1]


def test_submissions_at_one_instant_have_ascending_stamps() -> None:
    world = World()
    stamps = [world.place("buy", "1").submitted_at for _ in range(5)]
    assert stamps == sorted(set(stamps))


def test_every_change_of_cash_is_in_the_statement() -> None:
    world = World(holdings={"PAYS": "5"})
    world.bought("10")
    world.exchange.deposit(D(100))
    world.go(5)
    kinds = {activity.kind for activity in world.exchange.account.activities}
    assert kinds == {ActivityKind.FILL, ActivityKind.DEPOSIT, ActivityKind.DIVIDEND}
    assert world.cash == 100_000 + sum(a.net for a in world.exchange.account.activities)
