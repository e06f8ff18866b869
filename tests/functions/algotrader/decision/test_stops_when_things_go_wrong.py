"""Protective stops, a flatten and the books stay safe when several things go wrong together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.accounting import ledger as books
from algotrader.decision.flatten import flatten
from algotrader.execution import (
    Known,
    PostResult,
    Step,
    advance,
    cut_off_if_due,
    first_plan,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.messages.run_report import RunReport as Told
from algotrader.model import (
    CorporateAction,
    Decision,
    Leg,
    Order,
    OrderIntent,
    Plan,
    Side,
    TradingState,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.functions.algotrader.decision.test_stops import KEPT, holding, stop
from tests.support.desk_world import (
    NOW,
    RUN,
    SETTINGS,
    account,
    decided,
    open_order,
    position,
    quantities,
    run,
    snapshot,
)

D = Decimal
FLATTEN_RUN = run(run_id="2024-03-04-f1542", slot="f1542", entry_symbols=())
NOTHING = PostResult((), (), {})


def known(*orders: Order, state: TradingState = TradingState.ACTIVE, now: datetime = NOW) -> Known:
    return Known(now, state, "", account(), {each.client_order_id: each for each in orders})


def lived(
    decision: Decision,
    *orders: Order,
    hangs: str,
    fills: Callable[[OrderIntent], bool] = lambda _: True,
) -> tuple[Step, dict[str, Order]]:
    """Simulate a run at a broker where cancels in one symbol never end."""
    there = {each.client_order_id: each for each in orders}
    plan: Plan = first_plan(RUN, decision)
    before: Plan | None = None
    now = NOW
    for _ in range(300):
        view = known(*there.values(), now=now)
        plan = cut_off_if_due(RUN, decision, plan, view)
        for each in orders_to_cancel(RUN, decision, plan, view):
            status = "pending_cancel" if each.symbol == hangs else "canceled"
            there[each.client_order_id] = replace(each, status=status)
        accepted = []
        for intent in orders_due(plan, before, orders_to_post(plan, view)):
            done = intent.leg is not Leg.STOP and fills(intent)
            accepted.append(_taken(intent, done=done))
        there |= {each.client_order_id: each for each in accepted}
        step = advance(RUN, SETTINGS, decision, plan, view, PostResult(tuple(accepted), (), {}))
        if step.plan.sequence != plan.sequence:
            before = plan
        plan, now = step.plan, now + timedelta(seconds=step.wait_seconds or 1)
        if step.complete:
            return step, there
    pytest.fail("the run does not end")


def _taken(intent: OrderIntent, *, done: bool) -> Order:
    plain = open_order(intent.symbol, intent.side, str(intent.qty), None, intent.client_order_id)
    filled: dict[str, Any] = {
        "status": "filled",
        "filled_qty": intent.qty,
        "filled_avg_price": D(100),
        "filled_at": NOW,
    }
    return replace(plain, stop_price=intent.stop_price, **(filled if done else {}))


@pytest.mark.parametrize("late", [False, True], ids=["halted", "after the deadline"])
def test_a_stop_that_cannot_be_placed_again_is_not_canceled(*, late: bool) -> None:
    """`HALTED` keeps every resting stop. After the deadline, no new stop could follow either."""
    rests = stop(qty="300")
    decision = decided(KEPT | {"IBM": D("0.1")}, holding("300", rests), stops={"IBM": 90.0})
    view = known(rests, now=RUN.deadline) if late else known(rests, state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, decision, first_plan(RUN, decision), view)
    assert plan.stops_closed is not None
    assert orders_to_cancel(RUN, decision, plan, view) == ()


def test_a_hanging_cancel_does_not_stop_the_sale_of_other_symbols() -> None:
    mine = tuple(stop(each, "10", "90") for each in ("AAPL", "GOOG", "IBM"))
    seen = snapshot(
        dict.fromkeys(("AAPL", "GOOG", "IBM"), "10"),
        own_open_orders=mine,
        positions={each.symbol: position(each.symbol, "10", "0") for each in mine},
    )
    _, there = lived(flatten(FLATTEN_RUN, SETTINGS, seen), *mine, hangs="IBM")
    sold = {each.symbol for each in there.values() if "-flatten-" in each.client_order_id}
    assert sold == {"AAPL", "GOOG"}


def test_a_hanging_exit_does_not_delay_the_stops_of_other_symbols() -> None:
    rests = stop("IBM", "20", "90")
    seen = snapshot(
        {"IBM": "20", "GOOG": "100"},
        "5000",
        own_open_orders=(rests,),
        positions={"IBM": position("IBM", "20", "0"), "GOOG": position("GOOG", "100")},
    )
    decision = decided({"IBM": D("0.3"), "GOOG": D("0.1")}, seen, stops={"IBM": 90.0})
    assert set(quantities(decision.entries)) == {"IBM"}
    step, _ = lived(decision, rests, hangs="GOOG", fills=lambda intent: intent.symbol != "GOOG")
    assert step.submission.unprotected == {}


@pytest.mark.parametrize("rests", [(), (stop(qty="300", at="101"),)], ids=["none", "above"])
def test_shares_that_remain_without_the_requested_stop_are_reported(
    rests: tuple[Order, ...],
) -> None:
    decision = decided({"IBM": D("0.1")}, holding("300", *rests), stops={"IBM": 105.0})
    assert quantities(decision.exits)["IBM"] < 300
    assert "IBM" in Told("arn", run=RUN, decision=decision).no_stop


def test_a_flatten_without_prices_protects_the_unsold_shares_as_before() -> None:
    seen = replace(holding("300", stop(qty="300")), prices={})
    decision = flatten(FLATTEN_RUN, SETTINGS, seen)
    assert decision.cancels
    assert [each.stop_price for each in decision.stops] == [D(90)]


@pytest.mark.parametrize(("leg", "slot"), [(Leg.EXIT, "day"), (Leg.FLATTEN, "f1555")])
def test_a_part_sold_on_one_day_counts_before_a_split_on_the_next(leg: Leg, slot: str) -> None:
    def order(
        leg: Leg, side: Side, filled: int, day: int, slot: str, last: datetime, status: str
    ) -> Order:
        sent = datetime(2024, 3, day, 20, 55, tzinfo=UTC)
        place = OrderPlace("abc123", sent.date(), slot, "IBM", leg, 0)
        plain = open_order("IBM", side, "10", None, client_order_id(place))
        return replace(
            plain,
            status=status,
            filled_qty=D(filled),
            filled_avg_price=D(100),
            submitted_at=sent,
            filled_at=last,
        )

    bought_at = datetime(2024, 3, 1, 20, 56, tzinfo=UTC)
    in_the_night = datetime(2024, 3, 5, 5, tzinfo=UTC)
    orders = (
        order(Leg.ENTRY, Side.BUY, 10, 1, "day", bought_at, "filled"),
        order(leg, Side.SELL, 4, 4, slot, in_the_night, "expired"),
    )
    split = CorporateAction("IBM", "forward_split", date(2024, 3, 5), D(2))
    through = datetime(2024, 3, 5, 15, tzinfo=UTC)
    folded = books.fold(books.empty_ledger("abc123"), orders, (split,), through)
    assert folded.holdings["IBM"].qty == 12
