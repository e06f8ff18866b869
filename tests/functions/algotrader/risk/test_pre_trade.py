"""Each limit denies exactly the orders that exceed it, with its code and its numbers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.model import CorporateAction, LatestPrice, Leg, Order, Side, TradingState
from algotrader.model.units import FRACTION_STEP, ONE_SHARE
from algotrader.risk import eligibility, holdings, order_size, pre_trade
from algotrader.risk import prices as price_checks
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason
from tests.support.desk_world import NOW, RUN, asset, open_order, own_id, settings, snapshot
from tests.support.risk_world import (
    context,
    costing,
    desk_holds,
    proposed,
    with_budget,
    with_capital,
)

D = Decimal


def at(**changes: Any) -> RiskContext:
    return context(snapshot(**changes))


def under(**changes: Any) -> RiskContext:
    return context(under=settings(**changes))


def code_of(denial: Denial | None) -> str | None:
    return None if denial is None else denial.code.value


@pytest.mark.parametrize(
    ("state", "side", "code"),
    [
        (TradingState.ACTIVE, Side.BUY, None),
        (TradingState.ACTIVE, Side.SELL, None),
        (TradingState.REDUCING, Side.BUY, "TRADING_REDUCING"),
        (TradingState.REDUCING, Side.SELL, None),
        (TradingState.HALTED, Side.BUY, "TRADING_HALTED"),
        (TradingState.HALTED, Side.SELL, "TRADING_HALTED"),
    ],
)
def test_halted_denies_every_order_and_reducing_every_buy(
    state: TradingState, side: Side, code: str | None
) -> None:
    halted = at(trading_state=state, trading_state_reason="drill")
    assert code_of(eligibility.trading_allowed(proposed(side), halted)) == code


def test_a_halt_reports_its_reason() -> None:
    drill = at(trading_state=TradingState.HALTED, trading_state_reason="drill")
    halted = eligibility.trading_allowed(proposed(), drill)
    unexplained = eligibility.trading_allowed(proposed(), at(trading_state=TradingState.HALTED))
    assert halted == Denial(Reason.TRADING_HALTED, "trading state is HALTED: drill")
    assert unexplained is not None
    assert unexplained.detail.endswith("no reason given")


def test_a_denial_is_shown_with_its_code() -> None:
    assert str(Denial(Reason.NO_PRICE, "latest price: none")) == "NO_PRICE: latest price: none"


def test_an_order_needs_a_price_above_zero() -> None:
    denial = Denial(Reason.NO_PRICE, "latest price: none")
    assert price_checks.no_price(LatestPrice(D("0.01"), NOW)) is None
    assert price_checks.no_price(None) == denial
    assert price_checks.no_price(LatestPrice(D(0), NOW)) == replace(
        denial, detail="latest price: 0"
    )
    assert price_checks.price_known(proposed(price=None), context()) == denial
    assert price_checks.price_known(proposed(), context()) is None


@pytest.mark.parametrize(
    ("age_seconds", "fresh"), [(0, True), (900, True), (901, False), (-60, True), (-61, False)]
)
def test_a_price_is_stale_when_too_old_or_from_the_future(age_seconds: int, *, fresh: bool) -> None:
    price = LatestPrice(D("101.5"), NOW - timedelta(seconds=age_seconds))
    bound = under(max_price_age_seconds=900)
    assert (price_checks.price_fresh(proposed(price=price), bound) is None) is fresh


def test_a_stale_price_is_reported_with_its_age_and_the_limit() -> None:
    price = LatestPrice(D("101.5"), NOW - timedelta(days=60))
    assert price_checks.price_stale(price, at=NOW, max_age_seconds=900) == Denial(
        Reason.PRICE_STALE,
        "price 101.50 of 2024-01-04T14:35:00+00:00 is 5184000 s old, limit 900 s",
    )


@pytest.mark.parametrize(
    ("price", "detail"),
    [
        ("80", None),
        ("120", None),
        ("79.99", "price 79.99 is -20.01 % off the last close 100.00, limit 20 %"),
        ("150", "price 150.00 is +50.00 % off the last close 100.00, limit 20 %"),
    ],
)
def test_a_price_may_differ_from_the_last_close_by_the_allowed_fraction(
    price: str, detail: str | None
) -> None:
    bound = context(snapshot(last_closes={"IBM": D(100)}), settings(max_price_deviation=D("0.2")))
    found = price_checks.price_near_close(proposed(price=LatestPrice(D(price), NOW)), bound)
    assert found == (None if detail is None else Denial(Reason.PRICE_DEVIATION, detail))


@pytest.mark.parametrize("close", ["1", "0.5"])
def test_a_last_close_of_a_dollar_or_less_allows_a_price_near_it(close: str) -> None:
    found = price_checks.price_deviation(price=D(close), last_close=D(close), allowed=D("0.2"))
    assert found is None


@pytest.mark.parametrize("close", [None, "0", "-1", "NaN", "Infinity"])
def test_a_price_without_a_last_close_is_denied(close: str | None) -> None:
    last_close = None if close is None else D(close)
    found = price_checks.price_deviation(price=D(100), last_close=last_close, allowed=D(10))
    shown = f"price 100.00, last close: {'none' if close is None else close}"
    assert found == Denial(Reason.PRICE_DEVIATION, shown)


@pytest.mark.parametrize(("stop", "below"), [("99.99", True), ("100", False), ("100.01", False)])
def test_a_stop_is_below_the_price(stop: str, *, below: bool) -> None:
    found = price_checks.stop_below_price(proposed(stop=D(stop)), context())
    assert code_of(found) == (None if below else "STOP_ABOVE_PRICE")
    assert price_checks.stop_below_price(proposed(), context()) is None


def closing_in(seconds: int, minimum: int, *, sends_orders: bool = True) -> RiskContext:
    session = replace(snapshot().session, close=NOW + timedelta(seconds=seconds))
    run = replace(RUN, sends_orders=sends_orders)
    return context(snapshot(session=session), settings(min_minutes_to_close=minimum), run)


@pytest.mark.parametrize(
    ("seconds_left", "minimum", "code"),
    [
        (180, 3, None),
        (179, 3, "MINUTES_TO_CLOSE"),
        (0, 0, None),
        (-1, 0, "MINUTES_TO_CLOSE"),
    ],
)
def test_entries_need_some_minutes_until_the_close(
    seconds_left: int, minimum: int, code: str | None
) -> None:
    found = eligibility.far_from_close(proposed(), closing_in(seconds_left, minimum))
    assert code_of(found) == code


@pytest.mark.parametrize(("seconds_left", "free"), [(0, True), (-60, True), (1, False)])
def test_a_dry_run_after_the_close_looks_back_at_the_session(
    seconds_left: int, *, free: bool
) -> None:
    dry = closing_in(seconds_left, 3, sends_orders=False)
    assert (eligibility.far_from_close(proposed(), dry) is None) is free


def test_a_denial_near_the_close_reports_its_time_and_the_minutes() -> None:
    assert eligibility.far_from_close(proposed(), closing_in(90, 3)) == Denial(
        Reason.MINUTES_TO_CLOSE,
        "1.5 minutes to the close at 2024-03-04T14:36:30+00:00, at least 3 needed",
    )


@pytest.mark.parametrize(
    ("symbol", "kind", "code"),
    [
        ("IBM", "forward_split", "CORPORATE_ACTION"),
        ("IBM", "name_change", "CORPORATE_ACTION"),
        ("IBM", "something_new", "CORPORATE_ACTION"),
        ("IBM", "cash_dividend", None),
        ("AAPL", "forward_split", None),
        ("MSFT", "forward_split", None),
    ],
)
def test_a_corporate_action_of_the_symbol_other_than_a_cash_dividend_stops_it(
    symbol: str, kind: str, code: str | None
) -> None:
    action = CorporateAction(symbol=symbol, kind=kind, ex_date=date(2024, 3, 4), ratio=None)
    found = eligibility.no_corporate_action(proposed(), at(corporate_actions=(action,)))
    assert code_of(found) == code
    assert found is None or found.detail == action.description


def test_an_asset_that_is_not_tradable_is_neither_bought_nor_sold() -> None:
    flagged = at(assets={"IBM": asset("IBM", tradable=False)})
    assert code_of(eligibility.tradable(proposed(Side.BUY), flagged)) == "NOT_TRADABLE"
    assert code_of(eligibility.tradable(proposed(Side.SELL), flagged)) == "NOT_TRADABLE"
    assert eligibility.tradable(proposed(Side.BUY), context()) is None


def test_an_asset_that_the_broker_does_not_list_is_never_bought_but_may_be_sold() -> None:
    assert code_of(eligibility.tradable(proposed(Side.BUY), at(assets={}))) == "NOT_TRADABLE"
    assert eligibility.tradable(proposed(Side.SELL), at(assets={})) is None


@pytest.mark.parametrize("leg", [Leg.ENTRY, Leg.EXIT, Leg.FLATTEN])
def test_an_own_order_that_is_still_open_must_settle_first(leg: Leg) -> None:
    order = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", leg))
    found = holdings.no_own_order_open(proposed(), at(own_open_orders=(order,)))
    assert found == Denial(
        Reason.OPEN_ORDER_UNSETTLED,
        f"the run cancels first: buy 5 (at1-abc123-2024-03-01-day-IBM-{leg.value}-0)",
    )


def test_an_own_order_that_ended_or_that_protects_need_not_settle() -> None:
    stop = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.STOP))
    target = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.TARGET))
    ended = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY), status="filled")
    other = open_order("AAPL", Side.BUY, "5", "99", own_id("AAPL", Leg.ENTRY))
    bell = at(own_open_orders=(stop, target, ended, other))
    assert holdings.no_own_order_open(proposed(), bell) is None


@pytest.mark.parametrize("side", list(Side))
def test_only_an_open_order_on_the_other_side_is_opposite(side: Side) -> None:
    buy = open_order("IBM", Side.BUY, None, None, "user-1")
    sell = open_order("IBM", Side.SELL, "2.5", "120", "user-2")
    ended = open_order("IBM", Side.SELL, "2.5", "120", "user-3", status="expired")
    shown = "sell 2.5 (user-2)" if side is Side.BUY else "buy ? (user-1)"
    found = holdings.opposite_order_open([buy, sell, ended], side)
    assert found == Denial(Reason.OPPOSITE_ORDER_OPEN, shown)
    assert holdings.opposite_order_open([], side) is None


def foreign(*orders: Order) -> RiskContext:
    return at(foreign_open_orders=orders)


def test_an_open_buy_stops_an_entry_only_where_a_stop_would_sell_to_it() -> None:
    buy = foreign(open_order("IBM", Side.BUY, "5", "80", "user-1"))
    other = foreign(open_order("AAPL", Side.BUY, "5", "80", "user-1"))
    protected = proposed(stop=D(90))
    assert holdings.no_opposite_order_open(proposed(), buy) is None
    assert holdings.no_opposite_order_open(protected, other) is None
    assert holdings.no_opposite_order_open(protected, buy) == Denial(
        Reason.OPPOSITE_ORDER_OPEN, "buy 5 (user-1)"
    )


def test_only_an_open_order_that_replaced_another_one_is_a_replacement() -> None:
    changed = open_order("IBM", Side.BUY, "5", "80", "user-1", replaces="x")
    ended = open_order("IBM", Side.BUY, "5", "80", "user-2", replaces="y", status="filled")
    plain = open_order("IBM", Side.BUY, "5", "80", "user-3")
    found = holdings.no_replacement_open(proposed(), foreign(changed, ended, plain))
    assert found == Denial(Reason.ORDER_REPLACED, "replaced another order: buy 5 (user-1)")
    assert holdings.no_replacement_open(proposed(), foreign(ended, plain)) is None


def test_a_ledger_above_the_position_is_a_mismatch_with_both_numbers() -> None:
    lacking = desk_holds("40", "-2.50", held="0")
    denial = Denial(Reason.LEDGER_MISMATCH, "the desk's books say 40, the account holds -2.5")
    assert holdings.ledger_mismatch(lacking) == denial
    assert holdings.ledger_matches(proposed(position=lacking), context()) == denial


@pytest.mark.parametrize(("qty", "denied"), [("1", False), ("0", True)])
def test_an_exit_of_the_remaining_shares_is_sent_although_the_books_show_more(
    qty: str, *, denied: bool
) -> None:
    exits = proposed(Side.SELL, qty, position=desk_holds("40", "1", held="1"))
    assert (holdings.ledger_matches(exits, context()) is not None) is denied


def test_a_mismatch_names_the_other_desks_and_what_may_explain_it() -> None:
    lacking = replace(
        desk_holds("10", "15"),
        others={"def456": D("10.0")},
        cause="a sale by hand of 5 on 2024-03-04",
    )
    assert holdings.ledger_mismatch(lacking) == Denial(
        Reason.LEDGER_MISMATCH,
        "the desk's books say 10, the account holds 15, desk def456 owns 10; probably a sale by"
        " hand of 5 on 2024-03-04",
    )
    enough = replace(desk_holds("10", "20"), others={"def456": D(10)})
    assert holdings.ledger_mismatch(enough) is None


def test_an_opposite_order_of_another_desk_names_that_desk() -> None:
    theirs = open_order("IBM", Side.SELL, "5", "9", "at1-def456-2024-03-04-day-IBM-exit-0")
    assert holdings.no_opposite_order_open(proposed(), foreign(theirs)) == Denial(
        Reason.OPPOSITE_ORDER_OPEN, "sell 5 (desk def456, at1-def456-2024-03-04-day-IBM-exit-0)"
    )


def test_shares_beyond_the_ledger_are_the_users_own_and_no_mismatch() -> None:
    assert holdings.ledger_mismatch(desk_holds("40", "100")) is None


def test_nothing_to_sell_reports_the_holding_and_the_shares_that_open_orders_leave() -> None:
    kept = desk_holds("40", sellable="0.5")
    found = holdings.something_to_sell(proposed(Side.SELL, "0", position=kept), context())
    assert found == Denial(
        Reason.NOTHING_TO_SELL, "holds 40, of which open orders leave 0.5 free; 0 can be sold"
    )
    free = proposed(Side.SELL, "1", position=desk_holds("40", sellable="40"))
    assert holdings.something_to_sell(free, context()) is None
    below = proposed(Side.SELL, "-1", position=desk_holds("40"))
    assert code_of(holdings.something_to_sell(below, context())) == "NOTHING_TO_SELL"


def test_a_denied_symbol_reports_the_length_of_the_list_and_not_the_list() -> None:
    assert eligibility.symbol_not_denied(proposed(), context()) is None
    assert eligibility.symbol_not_denied(proposed(), under(deny_symbols=("AAPL",))) is None
    found = eligibility.symbol_not_denied(proposed(), under(deny_symbols=("AAPL", "IBM")))
    assert found == Denial(Reason.SYMBOL_DENIED, "one of 2 symbols in DenySymbols")


def test_a_run_buys_only_the_symbols_that_it_may_buy() -> None:
    def named(*symbols: str) -> Denial | None:
        run = replace(RUN, entry_symbols=symbols)
        return eligibility.named_in_input(proposed(), context(of=run))

    assert named("AAPL", "IBM") is None
    assert named("AAPL", "MSFT") == Denial(Reason.NOT_IN_INPUT, "this run may buy: AAPL, MSFT")
    assert named() == Denial(Reason.NOT_IN_INPUT, "this run may buy: none")


def smallest(qty: str, price: str, step: Decimal, least: str, target: str) -> Denial | None:
    """Return the denial, if any, of a buy with the given target in dollars."""
    order = proposed(qty=qty, worst_price=D(price), step=step, weight=D(1))
    bound = with_capital(target, under(min_order_notional=D(least)))
    return order_size.minimum_order(order, bound)


@pytest.mark.parametrize(
    ("qty", "step", "enough"),
    [
        ("1", ONE_SHARE, True),
        ("0", ONE_SHARE, False),
        ("0.1", FRACTION_STEP, True),
        ("0.099999999", FRACTION_STEP, False),
    ],
)
def test_a_buy_is_of_one_share_or_of_one_dollar_in_fractions(
    qty: str, step: Decimal, *, enough: bool
) -> None:
    assert (smallest(qty, "10", step, "0.5", "0.99") is None) is enough


def test_a_buy_that_is_too_small_reports_its_target_quantity_and_price() -> None:
    assert smallest("0", "562.33", ONE_SHARE, "1", "490") == Denial(
        Reason.BELOW_MINIMUM_ORDER, "490.00 buys 0 at 562.33, less than one share"
    )
    assert smallest("0.001", "100", FRACTION_STEP, "1", "0.1") == Denial(
        Reason.BELOW_MINIMUM_ORDER, "0.10 buys 0.001 at 100.00, less than 1 dollar's worth"
    )


def test_a_buy_may_cost_the_minimum_order_and_not_less() -> None:
    assert smallest("5", "10", ONE_SHARE, "50", "59") is None
    assert smallest("5", "10", ONE_SHARE, "50.01", "59") == Denial(
        Reason.BELOW_MINIMUM_ORDER, "59.00 buys 5 at 10.00, less than MinOrderNotional 50.01"
    )


def test_a_buy_by_value_is_as_large_as_its_dollars() -> None:
    bound = under(min_order_notional=D(50))
    by_value = proposed(qty="0.4", notional=D("50.00"), step=FRACTION_STEP)
    assert order_size.minimum_order(by_value, bound) is None
    less = replace(by_value, notional=D("49.99"))
    assert code_of(order_size.minimum_order(less, bound)) == "BELOW_MINIMUM_ORDER"


def test_a_position_may_reach_its_share_of_capital_and_not_exceed_it() -> None:
    bound = with_capital("1000", under(max_position_weight=D("0.35")))
    assert order_size.max_position_weight(costing("350", weight=D("0.35")), bound) is None
    found = order_size.max_position_weight(costing("350.01", weight=D("0.4")), bound)
    assert found == Denial(
        Reason.MAX_POSITION_WEIGHT,
        "target 0.4 makes the position 350.01 of 1000.00, limit 0.35 = 350.00",
    )
    held = proposed(qty="3", position=desk_holds("1"), weight=D("0.4"))
    assert code_of(order_size.max_position_weight(held, bound)) == "MAX_POSITION_WEIGHT"


def test_a_buy_may_reach_the_order_notional_and_not_exceed_it() -> None:
    bound = under(max_order_notional=D(50000))
    assert order_size.max_order_notional(costing("50000"), bound) is None
    assert order_size.max_order_notional(costing("50000.01"), bound) == Denial(
        Reason.MAX_ORDER_NOTIONAL, "cost 50000.01, limit 50000.00"
    )


def test_a_run_sends_up_to_its_number_of_orders() -> None:
    def after(orders: int) -> Denial | None:
        bound = replace(under(max_orders_per_run=20), traded=(proposed(),) * orders)
        return pre_trade.max_orders_per_run(proposed(), bound)

    assert after(19) is None
    assert code_of(after(21)) == "MAX_ORDERS_PER_RUN"
    assert after(20) == Denial(Reason.MAX_ORDERS_PER_RUN, "20 approved already, limit 20")


@pytest.mark.parametrize(
    ("cash", "capital_left", "denial"),
    [
        ("100", None, None),
        ("100", "100", None),
        ("99.99", None, Denial(Reason.INSUFFICIENT_CASH, "cost 100.00, spendable 99.99")),
        (
            "100",
            "99.99",
            Denial(
                Reason.CAPITAL_EXCEEDED,
                "cost 100.00, left 99.99 of Capital after the desk's positions",
            ),
        ),
    ],
)
def test_a_buy_must_fit_cash_and_capital(
    cash: str, capital_left: str | None, denial: Denial | None
) -> None:
    left = None if capital_left is None else D(capital_left)
    bound = with_budget(context(), cash=D(cash), capital_left=left)
    checks = (pre_trade.enough_cash, pre_trade.within_capital)
    assert pre_trade.first_denial(costing("100"), bound, checks) == denial


def test_a_buy_may_reach_the_exposure_left_and_not_exceed_it() -> None:
    bound = with_capital("1000", under(max_gross_exposure=D("0.5")))
    bound = with_budget(bound, exposure_left=D(100))
    assert pre_trade.max_gross_exposure(costing("100"), bound) is None
    assert pre_trade.max_gross_exposure(costing("100.01"), bound) == Denial(
        Reason.MAX_GROSS_EXPOSURE,
        "cost 100.01, left 100.00 after the desk's positions and open buys, limit 0.5 of 1000.00",
    )


def test_a_run_may_reach_its_turnover_and_not_exceed_it() -> None:
    # An exit counts at its value, and an entry at its worst price.
    exits = proposed(Side.SELL, "3", worst_price=D(99))
    traded = (exits, costing("100", reference=D(98)))
    bound = replace(with_capital("1000", under(max_turnover=D("0.5"))), traded=traded)
    assert pre_trade.max_turnover(costing("100"), bound) is None
    assert pre_trade.max_turnover(costing("100.01"), bound) == Denial(
        Reason.MAX_TURNOVER,
        "cost 100.01 on top of 400.00 traded in this run, limit 0.5 of 1000.00 = 500.00",
    )


def test_no_order_passes_the_same_check_twice() -> None:
    for own in (pre_trade.SELLS, (*pre_trade.BUYS, *pre_trade.BUYS_TOGETHER)):
        passed = [*pre_trade.EVERY_ORDER, *own]
        assert len(passed) == len(set(passed))


def test_every_check_of_a_flatten_is_also_a_check_of_an_exit() -> None:
    exits = {*chain(pre_trade.EVERY_ORDER, pre_trade.SELLS)}
    assert exits - {*pre_trade.FLATTEN} == {price_checks.price_known, eligibility.symbol_fit}
    assert {*pre_trade.FLATTEN} <= exits
