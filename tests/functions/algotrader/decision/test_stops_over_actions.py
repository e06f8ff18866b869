"""The desk cancels a stop over a corporate action that moves its price, and no other order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.decision.stops_over_actions import (
    cancel_stops,
    may_cancel_stops,
    stops_at_risk,
    stops_canceled,
)
from algotrader.execution import cut_off_if_due, first_plan, orders_to_cancel
from algotrader.model import (
    Clock,
    CorporateAction,
    Leg,
    Order,
    Session,
    Side,
    TradingMode,
    TradingState,
)
from tests.support.desk_world import (
    SETTINGS,
    decided,
    ledger,
    open_order,
    own_id,
    prices,
    run,
    settings,
    snapshot,
)
from tests.support.execution_fixtures import known

EVE, EX_DATE = date(2024, 3, 4), date(2024, 3, 5)


def session(day: date) -> Session:
    """Return a session from 14:30 to 21:00 UTC."""
    opened = datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)
    return Session(day, opened, opened + timedelta(hours=6, minutes=30))


SESSIONS = tuple(session(day) for day in (date(2024, 3, 1), EVE, EX_DATE))
CLOSE = SESSIONS[1].close


def action(kind: str, **changes: Any) -> CorporateAction:
    return CorporateAction("IBM", kind, EX_DATE, None, **changes)


def dividend(cash: str, *, is_special: bool = False) -> CorporateAction:
    return action("cash_dividend", cash=Decimal(cash), is_special=is_special)


def stop(symbol: str = "IBM", price: str = "90", **changes: Any) -> Order:
    placed = {"order_type": "stop", "stop_price": Decimal(price), "time_in_force": "gtc"}
    return open_order(symbol, Side.SELL, "10", None, own_id(symbol, Leg.STOP), **placed, **changes)


SPLIT = action("forward_split")
REPORT = run(
    run_id="2024-03-04-report",
    slot="report",
    journal="runs/2024-03-04/2024-03-04-report/",
    sends_orders=False,
)
AT_RISK = snapshot(
    {"IBM": "10"},
    clock=Clock(CLOSE + timedelta(minutes=15), is_open=False),
    own_open_orders=(
        stop(),
        stop("AAPL"),
        open_order("IBM", Side.SELL, "1", "150", own_id("IBM", Leg.TARGET)),
        open_order("IBM", Side.BUY, "1", "50", own_id("IBM", Leg.ENTRY)),
    ),
    foreign_open_orders=(open_order("IBM", Side.SELL, "5", None, "mine", stop_price=Decimal(90)),),
    stops_at_risk={"IBM": SPLIT},
)


@pytest.mark.parametrize(
    ("ahead", "is_at_risk"),
    [
        (action("forward_split"), True),
        (action("reverse_split"), True),
        (action("unit_split"), True),
        (action("stock_dividend"), True),
        (action("spin_off", others=("KD",)), True),
        (action("stock_merger"), True),
        (action("cash_merger"), True),
        (action("stock_and_cash_merger"), True),
        (action("things_of_tomorrow"), True),
        (action("name_change", others=("BIG",)), False),
        (dividend("0.50"), False),
        (dividend("2.99"), False),
        (dividend("3.00"), True),  # 3 % of 100
        (dividend("0.50", is_special=True), True),
        (dividend("0"), True),
        (dividend("NaN"), True),
    ],
)
def test_an_action_that_moves_the_price_puts_a_stop_at_risk(
    ahead: CorporateAction, *, is_at_risk: bool
) -> None:
    found = stops_at_risk([stop()], [ahead], prices(IBM="100"))
    assert found == ({"IBM": ahead} if is_at_risk else {})


def test_an_ordinary_dividend_puts_a_stop_at_risk_if_it_alone_reaches_the_stop() -> None:
    paid = dividend("0.50")
    assert stops_at_risk([stop(price="99.50")], [paid], prices(IBM="100")) == {"IBM": paid}
    assert stops_at_risk([stop(price="99.49")], [paid], prices(IBM="100")) == {}


def test_without_a_latest_price_the_stops_own_price_counts() -> None:
    paid = dividend("2.70")
    assert stops_at_risk([stop(price="90")], [paid], {}) == {"IBM": paid}
    assert stops_at_risk([stop(price="91")], [paid], {}) == {}


def test_only_an_open_stop_of_the_desk_in_that_symbol_is_at_risk() -> None:
    orders = [stop("AAPL"), stop(status="canceled"), AT_RISK.own_open_orders[2]]
    assert stops_at_risk(orders, [SPLIT], prices(IBM="100")) == {}


def test_the_report_cancels_exactly_the_stops_at_risk() -> None:
    made = cancel_stops(REPORT, SETTINGS, AT_RISK)
    assert made.cancels == (own_id("IBM", Leg.STOP),)
    assert (made.exits, made.entries, made.stops, made.denied) == ((), (), (), ())
    assert made.why == {"IBM": "cancel the stop over the forward split on 2024-03-05"}
    plan = first_plan(REPORT, made)
    assert (plan.cancels, plan.orders) == (made.cancels, ())


def test_a_report_cancels_a_stop_also_while_the_desk_is_halted() -> None:
    made = cancel_stops(REPORT, SETTINGS, AT_RISK)
    open_stop = next(
        each for each in AT_RISK.own_open_orders if each.client_order_id in made.cancels
    )
    halted = known(open_stop, now=REPORT.started_at, state=TradingState.HALTED)
    plan = cut_off_if_due(REPORT, made, first_plan(REPORT, made), halted)
    assert orders_to_cancel(REPORT, made, plan, halted) == (open_stop,)


@pytest.mark.parametrize(
    ("changed", "under", "seen"),
    [
        ({"journal": "runs/2024-03-04/2024-03-04-report/by-hand/"}, {}, {}),
        ({"slot": "day", "run_id": "2024-03-04-day", "journal": "x/2024-03-04-day/"}, {}, {}),
        ({}, {"mode": TradingMode.DRY_RUN}, {}),
        ({}, {}, {"clock": Clock(CLOSE - timedelta(seconds=1), is_open=True)}),
        ({}, {}, {"stops_at_risk": {}}),
    ],
)
def test_only_the_scheduled_report_of_a_desk_that_may_send_cancels_after_the_close(
    changed: dict[str, Any], under: dict[str, Any], seen: dict[str, Any]
) -> None:
    assert may_cancel_stops(REPORT, SETTINGS, AT_RISK)
    for state in TradingState:
        assert may_cancel_stops(REPORT, SETTINGS, replace(AT_RISK, trading_state=state))
    assert not may_cancel_stops(
        replace(REPORT, **changed), settings(**under), replace(AT_RISK, **seen)
    )


def canceled(at: datetime, **changes: Any) -> Order:
    return stop(status="canceled", canceled_at=at, **changes)


def found_canceled(*orders: Order, held: str = "20", ahead: CorporateAction = SPLIT) -> set[str]:
    of = ledger(IBM=held)
    return {*stops_canceled(of, orders, [ahead], SESSIONS, prices(IBM="100"))}


def test_a_stop_canceled_between_the_closes_counts_as_missing_until_there_is_a_new_one() -> None:
    gone = canceled(CLOSE)
    assert found_canceled(gone) == {"IBM"}
    assert found_canceled(canceled(SESSIONS[2].open - timedelta(seconds=1))) == {"IBM"}
    assert found_canceled(gone, replace(stop(), client_order_id="new")) == {"IBM"}
    assert found_canceled(gone, stop(submitted_at=SESSIONS[2].open)) == set()


def test_a_stop_canceled_at_another_time_or_for_another_reason_does_not_count_as_missing() -> None:
    assert found_canceled(canceled(CLOSE - timedelta(seconds=1))) == set()
    assert found_canceled(canceled(SESSIONS[2].open)) == set()
    assert found_canceled(canceled(CLOSE), held="0.5") == set()
    assert found_canceled(canceled(CLOSE), ahead=dividend("0.5")) == set()
    assert found_canceled(stop(status="filled", filled_qty=Decimal(10))) == set()
    sold = canceled(CLOSE, filled_qty=Decimal(10))
    assert found_canceled(sold) == set()
    assert found_canceled() == set()


def test_the_ex_dates_first_run_places_a_new_stop_for_the_shares_after_the_split() -> None:
    after = snapshot({"IBM": "20"}, corporate_actions=(replace(SPLIT, ex_date=EVE),))
    made = decided({"IBM": Decimal("0.02")}, after, stops={"IBM": Decimal(95)})
    (placed,) = made.stops
    assert (placed.symbol, placed.stop_price, placed.held) == ("IBM", 95, 20)
    assert (made.entries, made.exits, made.unprotected) == ((), (), {})
    (order,) = first_plan(run(), made).orders
    assert (order.qty, order.stop_price, order.time_in_force) == (20, 95, "gtc")


def test_a_halted_desk_says_on_the_ex_date_that_there_is_no_stop() -> None:
    after = snapshot({"IBM": "20"}, trading_state=TradingState.HALTED)
    made = decided({"IBM": Decimal("0.02")}, after, stops={"IBM": Decimal(95)})
    assert (made.stops, made.unprotected) == ((), {"IBM": "trading is halted"})
