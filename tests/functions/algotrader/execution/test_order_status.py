"""A run waits until an order in any of Alpaca's statuses ends, then counts what it filled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.ledger import checkpoint_instant, fold
from algotrader.execution import first_plan, orders_to_cancel, orders_to_post
from algotrader.model import Holding, Ledger, Order, Side
from algotrader.session.timing import SETTLE
from tests.docs.test_orders_page import alpacas_statuses
from tests.support.execution_fixtures import (
    BELL,
    BUY_IBM,
    DEADLINE,
    EXIT,
    RUN,
    call,
    decision,
    known,
    order,
)

# Alpaca might add a status like the first one, and the others only look like terminal ones.
UNKNOWN = ["under_the_moon", "cancelled", "FILLED", ""]
STATUSES = sorted(alpacas_statuses()) + UNKNOWN
ENDED = ["canceled", "expired", "filled", "rejected", "replaced"]
OPEN = [each for each in STATUSES if each not in ENDED]
ONE_ENTRY = decision(exits=(), entries=(BUY_IBM,))


def in_status(status: str, filled: int = 4) -> Order:
    """Return the ten-share exit, partly filled."""
    return order(EXIT, status, filled)


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("filled", [0, 4, 10])
def test_only_entries_with_cash_join_an_exit_that_is_not_at_its_end(
    status: str, filled: int
) -> None:
    # IBM costs 500, and MSFT 2000. Each share that the exit sells brings 98 of its 100.
    made = decision(spendable=1500)
    step = call(first_plan(RUN, made), known(in_status(status, filled)), made)
    assert not step.complete
    assert step.wait_seconds > 0
    assert step.plan.orders == (EXIT, BUY_IBM)
    assert step.submission.unsettled == (EXIT.client_order_id,)


@pytest.mark.parametrize("status", ENDED)
def test_entries_follow_an_exit_at_its_end(status: str) -> None:
    step = call(first_plan(RUN, decision()), known(in_status(status)), decision())
    assert [each.symbol for each in step.plan.orders] == ["AAPL", "IBM", "MSFT"]
    assert step.submission.unsettled == ()


@pytest.mark.parametrize("status", STATUSES)
def test_a_run_is_over_when_its_order_is_at_its_end_and_not_before(status: str) -> None:
    view = known(order(BUY_IBM, status, 2))
    step = call(first_plan(RUN, ONE_ENTRY), view, ONE_ENTRY)
    assert step.complete is (status in ENDED)
    assert [each.filled_qty for each in step.submission.orders] == [Decimal(2)]


@pytest.mark.parametrize("status", STATUSES)
def test_no_status_has_an_order_sent_again(status: str) -> None:
    plan = first_plan(RUN, ONE_ENTRY)
    for polls in range(9):
        assert orders_to_post(replace(plan, polls=polls), known(order(BUY_IBM, status, 0))) == ()


@pytest.mark.parametrize("status", STATUSES)
def test_after_the_deadline_what_is_open_is_asked_to_be_canceled_and_then_named(
    status: str,
) -> None:
    plan, asked = first_plan(RUN, ONE_ENTRY), []
    for now in (DEADLINE, DEADLINE + SETTLE):
        view = known(order(BUY_IBM, status, 2), now=now)
        step = call(plan, view, ONE_ENTRY)
        asked.append(bool(orders_to_cancel(RUN, ONE_ENTRY, step.plan, view)))
        plan = step.plan
    is_open = status not in ENDED
    assert asked == [is_open and status != "pending_cancel"] * 2
    assert step.complete  # the run reports the order as unsettled, and the next run settles it
    assert step.submission.unsettled == ((BUY_IBM.client_order_id,) if is_open else ())


@pytest.mark.parametrize("status", STATUSES)
def test_nothing_is_sent_next_to_an_older_order_before_its_end(status: str) -> None:
    older = replace(order(BUY_IBM, status, 2), client_order_id="at1-abc123-older")
    made = decision(cancels=(older.client_order_id,))
    plan = first_plan(RUN, made)
    assert orders_to_post(plan, known(older)) == ()
    following = call(plan, known(older), made).plan
    assert EXIT not in following.orders or status in ENDED
    assert orders_to_post(following, known(older)) == ((EXIT, BUY_IBM) if status in ENDED else ())


@pytest.mark.parametrize("status", STATUSES)
def test_the_cash_of_what_an_exit_sold_may_be_spent_in_every_status_that_is_an_end(
    status: str,
) -> None:
    made = decision(entries=(BUY_IBM,), spendable=0)
    # Selling four shares at 100 leaves 392 after the 2 % reserve, which buys three shares.
    step = call(first_plan(RUN, made), known(in_status(status), cash=400), made)
    bought = [each.qty for each in step.plan.orders if each.side is Side.BUY]
    assert bought == ([Decimal(3)] if status in ENDED else [])


@pytest.mark.parametrize("status", STATUSES)
def test_the_ledger_counts_what_an_order_filled_in_every_status(status: str) -> None:
    start = Ledger(desk="abc123", through=None, holdings={})
    bought = order(BUY_IBM, status, 2)
    through = BELL + timedelta(hours=1)
    assert fold(start, [bought], [], through).holdings == {"IBM": Holding(Decimal(2), Decimal(200))}


@pytest.mark.parametrize("status", STATUSES)
def test_a_checkpoint_stays_behind_an_order_that_may_still_fill(status: str) -> None:
    start = Ledger(desk="abc123", through=None, holdings={})
    through = checkpoint_instant(start, [order(BUY_IBM, status, 2)], BELL + timedelta(days=60))
    assert through is not None
    assert (through < BELL) is (status not in ENDED)
