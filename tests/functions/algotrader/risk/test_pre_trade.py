"""Each limit refuses what it bounds, by its code and with its numbers, and nothing else."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from algotrader.model import CorporateAction, LatestPrice, Leg, Side, TradingState
from algotrader.model.units import FRACTION_STEP, ONE_SHARE
from algotrader.portfolio.position import DeskPosition
from algotrader.risk import pre_trade as limits
from algotrader.risk.loss_limits import Brake
from algotrader.risk.pre_trade import Denial, Reason
from tests.support.desk_world import NOW, asset, open_order, own_id

D = Decimal
REPOSITORY = Path(__file__).parents[4]


def code_of(refusal: Denial | None) -> str | None:
    return None if refusal is None else refusal.code.value


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
def test_halted_stops_every_order_and_reducing_those_that_buy(
    state: TradingState, side: Side, code: str | None
) -> None:
    assert code_of(limits.trading_state(state, "drill", side)) == code


def test_a_halt_tells_its_reason() -> None:
    halted = limits.trading_state(TradingState.HALTED, "drill", Side.BUY)
    unexplained = limits.trading_state(TradingState.HALTED, "", Side.BUY)
    assert halted == Denial(Reason.TRADING_HALTED, "trading state is HALTED: drill")
    assert unexplained is not None
    assert unexplained.detail.endswith("no reason given")


def test_an_order_needs_a_price_above_zero() -> None:
    assert limits.price_known(LatestPrice(D("0.01"), NOW)) is None
    assert limits.price_known(None) == Denial(Reason.NO_PRICE, "latest price: none")
    assert limits.price_known(LatestPrice(D(0), NOW)) == Denial(Reason.NO_PRICE, "latest price: 0")


@pytest.mark.parametrize(
    ("age_seconds", "fresh"), [(0, True), (900, True), (901, False), (-60, True), (-61, False)]
)
def test_a_price_is_stale_when_too_old_or_from_the_future(age_seconds: int, *, fresh: bool) -> None:
    price = LatestPrice(D("101.5"), NOW - timedelta(seconds=age_seconds))
    assert (limits.price_fresh(price, NOW, 900) is None) is fresh


def test_a_stale_price_tells_its_age_and_what_is_allowed() -> None:
    price = LatestPrice(D("101.5"), NOW - timedelta(days=60))
    assert limits.price_fresh(price, NOW, 900) == Denial(
        Reason.PRICE_STALE,
        "price 101.50 of 2024-01-04T14:35:00+00:00 is 5184000 s old, allowed 900 s",
    )


@pytest.mark.parametrize(
    ("price", "detail"),
    [
        ("80", None),
        ("120", None),
        ("79.99", "price 79.99 is -20.01 % off the last close 100.00, allowed 20 %"),
        ("150", "price 150.00 is +50.00 % off the last close 100.00, allowed 20 %"),
    ],
)
def test_a_price_may_be_off_the_last_close_by_its_fraction_up_and_down(
    price: str, detail: str | None
) -> None:
    found = limits.price_near_close(D(price), D(100), D("0.2"))
    assert found == (None if detail is None else Denial(Reason.PRICE_DEVIATION, detail))


@pytest.mark.parametrize("close", ["1", "0.5"])
def test_a_last_close_of_a_dollar_or_less_vouches_for_a_price(close: str) -> None:
    assert limits.price_near_close(D(close), D(close), D("0.2")) is None


@pytest.mark.parametrize("close", [None, "0", "-1", "NaN", "Infinity"])
def test_a_price_without_a_last_close_is_vouched_for_by_nothing(close: str | None) -> None:
    found = limits.price_near_close(D(100), None if close is None else D(close), D(10))
    told = f"price 100.00, last close: {'none' if close is None else close}"
    assert found == Denial(Reason.PRICE_DEVIATION, told)


@pytest.mark.parametrize(("stop", "below"), [("99.99", True), ("100", False), ("100.01", False)])
def test_a_stop_is_below_the_price(stop: str, *, below: bool) -> None:
    found = limits.stop_below_price(D(stop), D(100))
    assert code_of(found) == (None if below else "STOP_ABOVE_PRICE")


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
    found = limits.far_from_close(NOW, NOW + timedelta(seconds=seconds_left), minimum)
    assert code_of(found) == code


def test_a_close_too_near_tells_its_instant_and_the_minutes() -> None:
    assert limits.far_from_close(NOW, NOW + timedelta(seconds=90), 3) == Denial(
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
    found = limits.no_corporate_action((action,), "IBM")
    assert code_of(found) == code
    assert found is None or found.detail == f"{kind} on 2024-03-04"


def test_an_asset_that_is_not_tradable_is_left_alone_on_both_sides() -> None:
    told = asset("IBM", tradable=False)
    assert code_of(limits.tradable(told, Side.BUY)) == "NOT_TRADABLE"
    assert code_of(limits.tradable(told, Side.SELL)) == "NOT_TRADABLE"
    assert limits.tradable(asset("IBM"), Side.BUY) is None


def test_an_asset_that_the_broker_does_not_list_is_never_bought_but_may_be_sold() -> None:
    assert code_of(limits.tradable(None, Side.BUY)) == "NOT_TRADABLE"
    assert limits.tradable(None, Side.SELL) is None


@pytest.mark.parametrize("leg", [Leg.ENTRY, Leg.EXIT, Leg.FLATTEN])
def test_an_own_order_that_is_still_open_must_settle_first(leg: Leg) -> None:
    order = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", leg))
    found = limits.no_own_order_open([order])
    assert found == Denial(
        Reason.OPEN_ORDER_UNSETTLED,
        f"to be canceled first: buy 5 (at1-abc123-2024-03-01-day-IBM-{leg.value}-0)",
    )


def test_an_own_order_that_ended_or_that_protects_need_not_settle() -> None:
    stop = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.STOP))
    target = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.TARGET))
    ended = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY), status="filled")
    assert limits.no_own_order_open([stop, target, ended]) is None


@pytest.mark.parametrize("side", list(Side))
def test_only_an_open_order_on_the_other_side_is_opposite(side: Side) -> None:
    buy = open_order("IBM", Side.BUY, None, None, "user-1")
    sell = open_order("IBM", Side.SELL, "2.5", "120", "user-2")
    ended = open_order("IBM", Side.SELL, "2.5", "120", "user-3", status="expired")
    told = "sell 2.5 (user-2)" if side is Side.BUY else "buy ? (user-1)"
    found = limits.no_opposite_order_open([buy, sell, ended], side)
    assert found == Denial(Reason.OPPOSITE_ORDER_OPEN, told)
    assert limits.no_opposite_order_open([], side) is None


def test_only_an_open_order_that_took_anothers_place_is_a_replacement() -> None:
    changed = open_order("IBM", Side.BUY, "5", "80", "user-1", replaces="x")
    ended = open_order("IBM", Side.BUY, "5", "80", "user-2", replaces="y", status="filled")
    plain = open_order("IBM", Side.BUY, "5", "80", "user-3")
    found = limits.no_replacement_open([changed, ended, plain])
    assert found == Denial(Reason.ORDER_REPLACED, "open in place of another: buy 5 (user-1)")
    assert limits.no_replacement_open([ended, plain]) is None


def stake(ledger: str, broker: str, held: str = "0", tradable: str = "0") -> DeskPosition:
    return DeskPosition("IBM", D(ledger), D(broker), D(held), D(tradable))


def test_a_ledger_above_the_position_is_a_mismatch_with_both_numbers() -> None:
    assert limits.ledger_matches(stake("40", "-2.50")) == Denial(
        Reason.LEDGER_MISMATCH, "the desk's books say 40, the account holds -2.5"
    )


def test_a_mismatch_names_the_other_desks_and_what_may_explain_it() -> None:
    told = replace(
        stake("10", "15"), others={"def456": D("10.0")}, cause="a sale by hand of 5 on 2024-03-04"
    )
    assert limits.ledger_matches(told) == Denial(
        Reason.LEDGER_MISMATCH,
        "the desk's books say 10, the account holds 15, desk def456 owns 10; probably a sale by"
        " hand of 5 on 2024-03-04",
    )
    enough = replace(stake("10", "20"), others={"def456": D(10)})
    assert limits.ledger_matches(enough) is None


def test_an_opposite_order_of_another_desk_is_named_so() -> None:
    theirs = open_order("IBM", Side.SELL, "5", "9", "at1-def456-2024-03-04-day-IBM-exit-0")
    assert limits.no_opposite_order_open([theirs], Side.BUY) == Denial(
        Reason.OPPOSITE_ORDER_OPEN, "sell 5 (desk def456, at1-def456-2024-03-04-day-IBM-exit-0)"
    )


def test_shares_beyond_the_ledger_are_the_users_own_and_no_mismatch() -> None:
    assert limits.ledger_matches(stake("40", "100", "40")) is None


def test_nothing_to_sell_tells_what_is_held_and_what_open_orders_leave() -> None:
    assert limits.something_to_sell(D(0), stake("40", "40", "40", "0.5")) == Denial(
        Reason.NOTHING_TO_SELL, "holds 40, of which open orders leave 0.5; can be sold 0"
    )
    assert limits.something_to_sell(D(1), stake("40", "40", "40", "40")) is None
    assert code_of(limits.something_to_sell(D(-1), stake("40", "40"))) == "NOTHING_TO_SELL"


def test_a_denied_symbol_tells_how_long_the_list_is_and_not_the_list() -> None:
    assert limits.not_denied("IBM", ()) is None
    assert limits.not_denied("IBM", ("AAPL",)) is None
    assert limits.not_denied("IBM", ("AAPL", "IBM")) == Denial(
        Reason.SYMBOL_DENIED, "one of 2 in DenySymbols"
    )


def test_a_run_buys_only_what_it_may() -> None:
    assert limits.named_in_input("IBM", ("AAPL", "IBM")) is None
    assert limits.named_in_input("IBM", ("AAPL", "MSFT")) == Denial(
        Reason.NOT_IN_INPUT, "this run may buy: AAPL, MSFT"
    )
    assert code_of(limits.named_in_input("IBM", ())) == "NOT_IN_INPUT"


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
    assert (limits.minimum_order(D(qty), D(10), D("0.99"), step, D("0.5")) is None) is enough


def test_too_small_a_buy_tells_its_target_quantity_and_price() -> None:
    assert limits.minimum_order(D(0), D("562.33"), D(490), ONE_SHARE, D(1)) == Denial(
        Reason.BELOW_MINIMUM_ORDER, "490.00 buys 0 at 562.33, less than one share"
    )
    assert limits.minimum_order(D("0.001"), D(100), D("0.1"), FRACTION_STEP, D(1)) == Denial(
        Reason.BELOW_MINIMUM_ORDER, "0.10 buys 0.001 at 100.00, less than 1 dollar's worth"
    )


def test_a_buy_may_cost_the_least_order_and_not_less() -> None:
    assert limits.minimum_order(D(5), D(10), D(59), ONE_SHARE, D(50)) is None
    assert limits.minimum_order(D(5), D(10), D(59), ONE_SHARE, D("50.01")) == Denial(
        Reason.BELOW_MINIMUM_ORDER, "59.00 buys 5 at 10.00, less than the least order of 50.01"
    )


def test_a_position_may_reach_its_share_of_capital_and_not_pass_it() -> None:
    assert limits.max_position_weight(D(350), D(1000), D("0.35"), D("0.35")) is None
    assert limits.max_position_weight(D("350.01"), D(1000), D("0.35"), D("0.4")) == Denial(
        Reason.MAX_POSITION_WEIGHT,
        "target 0.4 makes the position 350.01 of 1000.00, allowed 0.35 = 350.00",
    )


def test_a_buy_may_reach_the_order_notional_and_not_pass_it() -> None:
    assert limits.max_order_notional(D(50000), D(50000)) is None
    assert limits.max_order_notional(D("50000.01"), D(50000)) == Denial(
        Reason.MAX_ORDER_NOTIONAL, "cost 50000.01, allowed 50000.00"
    )


def test_a_run_sends_up_to_its_number_of_orders() -> None:
    assert limits.max_orders_per_run(19, 20) is None
    assert code_of(limits.max_orders_per_run(21, 20)) == "MAX_ORDERS_PER_RUN"
    assert limits.max_orders_per_run(20, 20) == Denial(
        Reason.MAX_ORDERS_PER_RUN, "20 approved already, allowed 20"
    )


@pytest.mark.parametrize(
    ("cash", "capital_left", "refusal"),
    [
        ("100", None, None),
        ("100", "100", None),
        ("99.99", None, Denial(Reason.INSUFFICIENT_CASH, "cost 100.00, spendable 99.99")),
        (
            "100",
            "99.99",
            Denial(
                Reason.CAPITAL_EXCEEDED,
                "cost 100.00, left of Capital beside the desk's positions 99.99",
            ),
        ),
    ],
)
def test_a_buy_must_fit_cash_and_capital(
    cash: str, capital_left: str | None, refusal: Denial | None
) -> None:
    left = None if capital_left is None else D(capital_left)
    assert limits.enough_cash(D(100), D(cash), left) == refusal


def test_a_buy_may_reach_the_exposure_that_is_left_and_not_pass_it() -> None:
    assert limits.max_gross_exposure(D(100), D(100), D(1000), D("0.5")) is None
    assert limits.max_gross_exposure(D("100.01"), D(100), D(1000), D("0.5")) == Denial(
        Reason.MAX_GROSS_EXPOSURE,
        "cost 100.01, left beside the desk's positions and open buys 100.00,"
        " allowed 0.5 of 1000.00",
    )


def test_a_run_may_reach_its_turnover_and_not_pass_it() -> None:
    assert limits.max_turnover(D(100), D(400), D(1000), D("0.5")) is None
    assert limits.max_turnover(D("100.01"), D(400), D(1000), D("0.5")) == Denial(
        Reason.MAX_TURNOVER,
        "cost 100.01 beside 400.00 traded in this run, allowed 0.5 of 1000.00 = 500.00",
    )


def codes_of_submission() -> set[str]:
    """Find the codes that the core of Submit Orders refuses with: literals it passes on."""
    files = (REPOSITORY / "functions/algotrader/execution").glob("*.py")
    trees = [ast.parse(each.read_text()) for each in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    passed = [
        argument
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in {"Cutoff", "OrderDenied", "deny"}
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    ]
    return {
        each.value
        for each in passed
        if isinstance(each, ast.Constant) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", str(each.value))
    }


def test_every_code_has_a_row_in_the_limits_page_and_every_row_a_code() -> None:
    page = (REPOSITORY / "docs/limits.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE)
    known = {reason.value for reason in (*Reason, *Brake)} | codes_of_submission()
    assert "DEADLINE_PASSED" in codes_of_submission()
    assert sorted(rows) == sorted(known)


def test_the_limits_page_lists_the_codes_in_the_order_in_which_the_desk_looks() -> None:
    page = (REPOSITORY / "docs/limits.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE)
    ours = [reason.value for reason in Reason]
    assert [row for row in rows if row in ours] == ours
