"""Entries follow the exits, reduced to the cash that is available and to what a cap leaves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.execution import PostResult, first_plan
from algotrader.execution.entries import ACCOUNT_LAG
from algotrader.execution.order_status import PATIENT_POLLS
from algotrader.model import Leg, OrderRejected
from algotrader.model.units import Dollars
from tests.support.execution_fixtures import (
    BELL,
    BUY_IBM,
    BUY_MSFT,
    EXIT,
    RUN,
    call,
    codes,
    decision,
    intent,
    known,
    order,
)


def test_entries_are_cut_to_the_cash_that_is_there_in_order_of_priority() -> None:
    made = decision(spendable=1500)
    patient = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    # 1530.62 x 0.98 leaves 1500 spendable: 500 for IBM and 1000 for 10 of 20 MSFT.
    step = call(patient, known(order(EXIT, "canceled"), cash="1530.62"), made)
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 10)]


def test_entries_never_cost_more_than_the_bell_s_cash_and_the_proceeds_of_exits() -> None:
    made = decision(spendable=100)
    # A deposit of a million after the decision buys nothing.
    step = call(first_plan(RUN, made), known(order(EXIT), cash=1_000_000), made)
    bought = sum((each.qty * Decimal(100) for each in step.plan.orders[1:]), Decimal(0))
    assert bought == 1000  # 100 at the bell plus 98 % of 1000 from the exit buys ten shares


def test_under_a_cap_entries_make_room_for_what_the_exits_did_not_sell() -> None:
    uncapped = decision(spendable=100_000)  # the cap is the limit, not cash
    made = replace(uncapped, room=Dollars(Decimal(1500)))
    view = known(order(EXIT, "canceled", filled=4), cash=1_000_000)
    step = call(first_plan(RUN, made), view, made)
    # The entries want 5 and 20 shares at 100. The cap leaves 1500, and the exit sold 4 of its 10.
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 14)]
    step = call(first_plan(RUN, uncapped), view, uncapped)
    assert [each.qty for each in step.plan.orders[1:]] == [5, 20]


def test_an_entry_that_no_share_can_be_bought_of_is_denied_with_its_numbers() -> None:
    made = decision(exits=(EXIT,), entries=(BUY_IBM,), spendable=50)
    patient = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    step = call(patient, known(order(EXIT, "canceled"), cash=50), made)
    assert (step.complete, codes(step)) == (True, {"IBM": "INSUFFICIENT_CASH"})
    assert "500" in step.submission.denied[0].detail


def test_a_run_does_not_wait_for_a_fraction_of_a_cent() -> None:
    made = decision(spendable=49)
    filled = replace(order(EXIT), filled_avg_price=Decimal("41.37"))
    # (50 + 413.70) x 0.98 is 454.426, so 454.42 is spendable.
    view = known(filled, cash="463.70")
    step = call(first_plan(RUN, made), view, made)
    assert step.plan.orders == (EXIT, replace(BUY_IBM, qty=Decimal(4)))


def test_cash_is_waited_for_from_the_last_fill_on_however_long_that_took() -> None:
    made = decision(spendable=0)
    plan = replace(first_plan(RUN, made), polls=9)
    late = replace(order(EXIT), filled_at=BELL + timedelta(minutes=5))
    step = call(plan, known(late, now=BELL + timedelta(minutes=5), cash=0), made)
    assert (step.complete, step.plan.orders) == (False, (EXIT,))
    step = call(plan, known(late, now=BELL + timedelta(minutes=5) + ACCOUNT_LAG, cash=0), made)
    assert (step.complete, set(codes(step).values())) == (True, {"INSUFFICIENT_CASH"})


def test_cash_of_exits_that_has_not_arrived_is_waited_for_a_few_polls_only() -> None:
    made = decision(spendable=0)
    plan = first_plan(RUN, made)
    for _ in range(PATIENT_POLLS):
        step = call(plan, known(order(EXIT), cash=0), made)
        assert (step.complete, step.plan.orders) == (False, (EXIT,))
        plan = step.plan
    assert call(plan, known(order(EXIT), cash=0), made).complete


def test_cash_is_waited_for_from_the_last_of_several_fills_on() -> None:
    other = intent("GOOG", Leg.EXIT, 10)
    made = decision(exits=(EXIT, other), spendable=0)
    late = replace(order(other), filled_at=BELL + timedelta(seconds=30))
    view = known(order(EXIT), late, now=BELL + timedelta(seconds=31), cash=0)
    step = call(first_plan(RUN, made), view, made)
    assert (step.complete, step.plan.orders) == (False, (EXIT, other))


def test_under_a_cap_entries_do_not_cost_more_than_the_bell_s_cash_either() -> None:
    made = replace(decision(spendable=100), room=Dollars(Decimal(5000)))
    view = known(order(EXIT), cash=1_000_000)
    step = call(first_plan(RUN, made), view, made)
    # As without a cap, 100 at the bell plus 98 % of 1000 from the exit buys ten shares.
    assert [(each.symbol, each.qty) for each in step.plan.orders[1:]] == [("IBM", 5), ("MSFT", 5)]


def test_an_entry_that_is_denied_keeps_no_other_from_being_sent() -> None:
    dear = replace(BUY_IBM, limit_price=Decimal(5000), reference_price=Decimal(5000))
    made = decision(entries=(dear, BUY_MSFT), spendable=2000)
    step = call(first_plan(RUN, made), known(order(EXIT, "canceled"), cash=2100), made)
    assert codes(step) == {"IBM": "INSUFFICIENT_CASH"}
    assert [each.symbol for each in step.plan.orders] == ["AAPL", "MSFT"]


@pytest.mark.parametrize(("room", "bought"), [("1500", 10), ("1499.50", 9)])
def test_under_a_cap_entries_make_room_for_an_exit_that_was_refused(room: str, bought: int) -> None:
    kept = intent("AAPL", Leg.EXIT, 10)
    made = replace(decision(exits=(kept,), spendable=100_000), room=Dollars(Decimal(room)))
    refusal = OrderRejected(kept.client_order_id, "AAPL", "40310000", "no")
    view = known(cash=1_000_000)
    outcome = PostResult((), (refusal,), {})
    step = call(first_plan(RUN, made), view, made, outcome)
    # The entries cost 2500 for 5 and 20 shares at 100. The exit's ten shares stay.
    assert [(each.symbol, each.qty) for each in step.plan.orders] == [("IBM", 5), ("MSFT", bought)]


@pytest.mark.parametrize(("cash", "bought"), [("2551.03", 2), ("2550.52", 1)])
def test_no_more_cash_is_waited_for_than_the_entries_cost(cash: str, bought: int) -> None:
    made = decision(spendable=100_000)
    # After the 2 % reserve, 2500.00 or 2499.50 is available. The entries cost 2500.
    step = call(first_plan(RUN, made), known(order(EXIT), cash=cash), made)
    assert len(step.plan.orders) == 1 + bought
