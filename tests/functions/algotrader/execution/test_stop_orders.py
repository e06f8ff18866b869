"""A run cancels stops, trades and places new stops; an interrupted run reports what is left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.errors import OrderConflictError
from algotrader.execution import (
    Known,
    PostResult,
    Step,
    advance,
    check_terms,
    cut_off_if_due,
    first_plan,
    orders_to_cancel,
    orders_to_post,
    trades_end,
)
from algotrader.execution.cutoff import STOP_RESERVE
from algotrader.execution.order_status import PATIENT_POLLS
from algotrader.model import (
    Decision,
    DesiredStop,
    Leg,
    Order,
    OrderIntent,
    OrderRejected,
    OrderType,
    Plan,
    Side,
    TimeInForce,
    TradingState,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.session.timing import SETTLE
from tests.support.execution_fixtures import (
    BELL,
    BUY_IBM,
    BUY_MSFT,
    DEADLINE,
    EXIT,
    NOTHING,
    RUN,
    SETTINGS,
    decision,
    known,
    order,
)

OLD_ID = client_order_id(
    OrderPlace("abc123", (BELL - timedelta(days=3)).date(), "day", "AAPL", Leg.STOP, 0)
)


def wish(symbol: str, held: int, price: str = "90") -> DesiredStop:
    place = OrderPlace("abc123", RUN.session, "day", symbol, Leg.STOP, 0)
    return DesiredStop(
        client_order_id(place), symbol, Decimal(price), Decimal(100), Decimal(held), ""
    )


def stop_order(
    of: DesiredStop | OrderIntent, qty: int, status: str = "new", filled: int = 0
) -> Order:
    plain = order(EXIT, status, filled)
    return replace(
        plain,
        broker_id=f"broker-{of.client_order_id}",
        client_order_id=of.client_order_id,
        symbol=of.symbol,
        order_type="stop",
        qty=Decimal(qty),
        limit_price=None,
        stop_price=of.stop_price,
        time_in_force="gtc",
    )


def old_stop(status: str = "new", filled: int = 0) -> Order:
    return replace(
        stop_order(wish("AAPL", 10), 10, status, filled), client_order_id=OLD_ID, broker_id="old"
    )


def sells_part(qty: int = 10, held: int = 10) -> Decision:
    """Return a decision that sells some of AAPL, whose stop rests, and protects the rest."""
    return replace(
        decision(exits=(replace(EXIT, qty=Decimal(qty)),), entries=(), cancels=(OLD_ID,)),
        stops=(wish("AAPL", held),),
        filled_before={OLD_ID: Decimal(0)},
    )


def call(made: Decision, plan: Plan, view: Known, outcome: PostResult = NOTHING) -> Step:
    return advance(RUN, SETTINGS, made, cut_off_if_due(RUN, made, plan, view), view, outcome)


def legs(plan: Plan) -> list[tuple[str, Leg, Decimal]]:
    return [(each.symbol, each.leg, each.qty) for each in plan.orders]


def test_a_holding_that_the_run_does_not_trade_is_protected_before_anything_is_sent() -> None:
    made = replace(decision(), stops=(wish("MSFT", 7),))
    made = replace(made, entries=(BUY_IBM,))
    plan = first_plan(RUN, made)
    assert legs(plan) == [("MSFT", Leg.STOP, Decimal(7)), ("AAPL", Leg.EXIT, Decimal(10))]
    shuffled = replace(plan, orders=plan.orders[::-1])
    assert [each.leg for each in orders_to_post(shuffled, known())] == [Leg.STOP, Leg.EXIT]


def test_a_stop_is_a_plain_whole_share_order_that_outlives_the_day() -> None:
    (intent,) = first_plan(
        RUN, replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    ).orders
    assert (intent.side, intent.order_type) == (Side.SELL, OrderType.STOP)
    assert (intent.time_in_force, intent.limit_price) == (TimeInForce.GTC, None)
    assert (intent.stop_price, intent.qty) == (Decimal(90), Decimal(7))


def test_the_exit_waits_until_the_old_stop_is_at_its_end() -> None:
    made = sells_part(4)
    plan = first_plan(RUN, made)
    assert plan.orders == ()
    assert orders_to_cancel(RUN, made, plan, known(old_stop())) == (old_stop(),)
    for view in (known(old_stop()), known(old_stop("pending_cancel")), known()):
        assert (call(made, plan, view).complete, call(made, plan, view).plan.orders) == (False, ())
    after = call(made, plan, known(old_stop("canceled")))
    assert legs(after.plan) == [("AAPL", Leg.EXIT, Decimal(4))]


def test_the_new_stop_comes_after_the_exit_s_end_for_what_is_left() -> None:
    made = sells_part(4)
    gone = old_stop("canceled")
    plan = call(made, first_plan(RUN, made), known(gone)).plan
    exit_ = plan.orders[0]
    working = call(made, plan, known(gone, order(exit_, "partially_filled", 3)))
    assert [each.leg for each in working.plan.orders] == [Leg.EXIT]
    done = call(made, plan, known(gone, order(exit_)))
    assert legs(done.plan)[1:] == [("AAPL", Leg.STOP, Decimal(6))]
    assert not done.complete
    assert done.submission.unprotected == {"AAPL": "the run has not placed it yet"}
    rests = stop_order(done.plan.orders[1], 6)
    end = call(made, done.plan, known(gone, order(exit_), rests))
    assert (end.complete, end.submission.unprotected, end.submission.unsettled) == (True, {}, ())


def test_a_full_exit_leaves_no_stop() -> None:
    made = sells_part(10)
    gone = old_stop("canceled")
    plan = call(made, first_plan(RUN, made), known(gone)).plan
    end = call(made, plan, known(gone, order(plan.orders[0])))
    assert (end.complete, [each.leg for each in end.plan.orders]) == (True, [Leg.EXIT])
    assert end.submission.unprotected == {}


def test_what_the_old_stop_sold_during_the_cancel_is_not_sold_again() -> None:
    """The account may also hold the user's own AAPL shares, and the desk must not sell those."""
    made = sells_part(10)
    cut = call(made, first_plan(RUN, made), known(old_stop("canceled", 3)))
    assert legs(cut.plan) == [("AAPL", Leg.EXIT, Decimal(7))]
    none = call(made, first_plan(RUN, made), known(old_stop("filled", 10)))
    assert (none.complete, none.plan.orders) == (True, ())
    assert [(each.code, each.qty) for each in none.submission.denied] == [("STOP_FILLED", 10)]
    part = sells_part(4)
    more = call(part, first_plan(RUN, part), known(old_stop("filled", 10)))
    assert [(each.code, each.qty) for each in more.submission.denied] == [("STOP_FILLED", 4)]


def test_what_had_filled_before_the_decision_counts_once() -> None:
    made = replace(sells_part(7, held=7), filled_before={OLD_ID: Decimal(3)})
    after = call(made, first_plan(RUN, made), known(old_stop("canceled", 3)))
    assert legs(after.plan) == [("AAPL", Leg.EXIT, Decimal(7))]


def test_an_entry_is_not_sent_into_a_symbol_that_its_stop_has_left() -> None:
    buy = replace(BUY_IBM, symbol="AAPL")
    made = replace(sells_part(), exits=(), entries=(buy,))
    after = call(made, first_plan(RUN, made), known(old_stop("filled", 10)))
    assert [each.code for each in after.submission.denied] == ["STOP_FILLED"]
    assert after.complete


def test_an_entry_gets_its_stop_for_what_was_bought_and_held() -> None:
    made = replace(decision(exits=(), entries=(BUY_IBM,)), stops=(wish("IBM", 2),))
    plan = first_plan(RUN, made)
    assert [each.leg for each in plan.orders] == [Leg.ENTRY]
    part = call(made, plan, known(order(BUY_IBM, "canceled", 3)))
    assert legs(part.plan)[1:] == [("IBM", Leg.STOP, Decimal(5))]


def test_each_stop_covers_only_what_was_traded_in_its_own_symbol() -> None:
    made = replace(
        decision(exits=(replace(EXIT, qty=Decimal(4)),), entries=(BUY_IBM,), cancels=(OLD_ID,)),
        stops=(wish("AAPL", 10), wish("IBM", 2), wish("MSFT", 7)),
        filled_before={OLD_ID: Decimal(0)},
    )
    gone = old_stop("canceled", 1)
    plan = call(made, first_plan(RUN, made), known(gone)).plan
    (exit_,) = [each for each in plan.orders if each.leg is Leg.EXIT]
    msft = stop_order(wish("MSFT", 7), 7)
    plan = call(made, plan, known(gone, order(exit_), msft)).plan
    (entry,) = [each for each in plan.orders if each.leg is Leg.ENTRY]
    plan = call(made, plan, known(gone, order(exit_), order(entry), msft)).plan
    stops = {each.symbol: each.qty for each in plan.orders if each.leg is Leg.STOP}
    # AAPL: 10 less 1 sold by its stop and 3 sold by the exit. IBM: 2 plus 5 bought.
    assert stops == {"AAPL": Decimal(6), "IBM": Decimal(7), "MSFT": Decimal(7)}


def test_what_one_symbol_s_stop_sold_is_not_taken_off_another_symbol_s_exit() -> None:
    other = replace(
        EXIT, symbol="MSFT", client_order_id=EXIT.client_order_id.replace("AAPL", "MSFT")
    )
    made = replace(
        decision(exits=(EXIT, other), entries=(), cancels=(OLD_ID,)),
        filled_before={OLD_ID: Decimal(0)},
    )
    after = call(made, first_plan(RUN, made), known(old_stop("canceled", 3)))
    assert legs(after.plan) == [
        ("MSFT", Leg.EXIT, Decimal(10)),
        ("AAPL", Leg.EXIT, Decimal(7)),
    ]


def test_a_fraction_is_left_out_of_the_stop_and_reported_when_nothing_else_is_there() -> None:
    bought = replace(order(BUY_IBM), filled_qty=Decimal("4.7"))
    made = replace(decision(exits=(), entries=(BUY_IBM,)), stops=(wish("IBM", 0),))
    assert legs(call(made, first_plan(RUN, made), known(bought)).plan)[1:] == [
        ("IBM", Leg.STOP, Decimal(4))
    ]
    little = replace(bought, filled_qty=Decimal("0.7"))
    end = call(made, first_plan(RUN, made), known(little))
    assert (end.complete, end.submission.unprotected) == (True, {"IBM": "less than a whole share"})


def test_trades_end_early_enough_to_protect_what_they_leave() -> None:
    made = sells_part(4)
    ends = trades_end(RUN, made)
    assert ends == DEADLINE - STOP_RESERVE
    assert trades_end(RUN, decision()) == DEADLINE
    brief = replace(RUN, deadline=BELL + timedelta(seconds=30))
    assert trades_end(brief, made) == BELL + timedelta(seconds=20)
    assert STOP_RESERVE > SETTLE
    gone, exit_ = old_stop("canceled"), EXIT
    plan = replace(call(made, first_plan(RUN, made), known(gone)).plan)
    view = known(gone, order(plan.orders[0], "partially_filled", 1), now=ends)
    closed = cut_off_if_due(RUN, made, plan, view)
    assert [each.symbol for each in orders_to_cancel(RUN, made, closed, view)] == [exit_.symbol]
    late = known(gone, order(plan.orders[0], "canceled", 1), now=ends + timedelta(seconds=5))
    protected = call(made, plan, late)
    assert legs(protected.plan)[1:] == [("AAPL", Leg.STOP, Decimal(9))]
    (stop,) = [each for each in protected.plan.orders if each.leg is Leg.STOP]
    assert stop in orders_to_post(cut_off_if_due(RUN, made, protected.plan, late), late)


def test_after_the_deadline_no_stop_is_posted_and_that_is_reported() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    view = known(now=DEADLINE)
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert orders_to_post(plan, view) == ()
    end = call(made, plan, known(now=DEADLINE + SETTLE))
    assert end.complete
    assert end.submission.unprotected["MSFT"].startswith("DEADLINE_PASSED")


def test_a_halt_within_the_run_posts_no_stop_and_that_is_reported() -> None:
    made = sells_part(4)
    gone = old_stop("canceled")
    halted = call(made, first_plan(RUN, made), known(gone, state=TradingState.HALTED))
    assert halted.complete
    assert halted.submission.unprotected["AAPL"].startswith("TRADING_HALTED")
    reducing = call(made, first_plan(RUN, made), known(gone, state=TradingState.REDUCING))
    assert legs(reducing.plan) == [("AAPL", Leg.EXIT, Decimal(4))]


def test_a_resting_stop_is_neither_waited_for_nor_canceled_nor_called_unsettled() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    rests = stop_order(plan.orders[0], 7)
    end = call(made, plan, known(rests))
    assert (end.complete, end.submission.unsettled) == (True, ())
    late = known(rests, now=DEADLINE + timedelta(seconds=1))
    closed = cut_off_if_due(RUN, made, plan, late)
    assert orders_to_cancel(RUN, made, closed, late) == ()


def test_a_stop_that_the_broker_may_still_refuse_is_looked_at_again_a_few_times() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    fresh = stop_order(plan.orders[0], 7, "pending_new")
    assert not call(made, plan, known(fresh)).complete
    for polls in (PATIENT_POLLS, PATIENT_POLLS + 1):
        assert call(made, replace(plan, polls=polls), known(fresh)).complete


@pytest.mark.parametrize(
    "status",
    [
        *("canceled", "expired", "rejected", "replaced"),
        *("suspended", "held", "pending_cancel", "pending_replace", "calculated", "of tomorrow"),
    ],
)
def test_a_stop_that_is_not_known_to_stand_is_reported(status: str) -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    end = call(made, plan, known(stop_order(plan.orders[0], 7, status)))
    assert (end.complete, end.submission.unprotected) == (True, {"MSFT": f"its stop is {status}"})


def test_a_stop_that_sold_at_once_leaves_nothing_unprotected() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    end = call(made, plan, known(stop_order(plan.orders[0], 7, "filled", 7)))
    assert (end.complete, end.submission.unprotected) == (True, {})


def test_a_stop_that_the_broker_refuses_is_reported_and_not_sent_again() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    refusal = OrderRejected(plan.orders[0].client_order_id, "MSFT", "40310000", "wash trade")
    end = call(made, plan, known(), PostResult((), (refusal,), {}))
    assert (end.complete, end.plan.orders) == (True, ())
    assert end.submission.unprotected == {"MSFT": "40310000: wash trade"}
    assert end.submission.rejected == ()


def test_a_stop_is_cut_to_the_shares_that_are_free_and_that_is_reported() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = replace(first_plan(RUN, made), polls=PATIENT_POLLS)
    order_id = plan.orders[0].client_order_id
    cut = call(made, plan, known(), PostResult((), (), {order_id: Decimal("4.5")}))
    assert legs(cut.plan) == [("MSFT", Leg.STOP, Decimal(4))]
    assert cut.submission.unprotected["MSFT"].endswith(
        "it covers 4 of 7, because no more shares are available"
    )
    none = call(made, plan, known(), PostResult((), (), {order_id: Decimal(0)}))
    assert (none.complete, none.plan.orders) == (True, ())


def test_a_stop_with_other_terms_under_our_id_is_a_conflict() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    for found in (
        replace(stop_order(plan.orders[0], 7), stop_price=Decimal(89)),
        replace(stop_order(plan.orders[0], 7), time_in_force="day"),
        stop_order(plan.orders[0], 8),
    ):
        with pytest.raises(OrderConflictError, match="stop-0"):
            check_terms(plan, made, known(found))


def test_a_stop_whose_symbol_has_an_open_cancel_is_not_in_the_plan_and_others_are() -> None:
    made = replace(
        decision(exits=(), entries=(), cancels=(OLD_ID,)),
        stops=(wish("AAPL", 10), wish("MSFT", 7)),
    )
    plan = first_plan(RUN, made)
    assert legs(plan) == [("MSFT", Leg.STOP, Decimal(7))]
    assert [each.symbol for each in orders_to_post(plan, known(old_stop()))] == ["MSFT"]
    after = call(made, plan, known(old_stop("canceled"), stop_order(plan.orders[0], 7)))
    assert legs(after.plan)[1:] == [("AAPL", Leg.STOP, Decimal(10))]


def test_a_stop_that_a_halt_kept_from_being_sent_does_not_keep_the_run_alive() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 7),))
    plan = first_plan(RUN, made)
    for seconds in (0, 20, 40):
        view = known(state=TradingState.HALTED, now=BELL + timedelta(seconds=seconds))
        step = call(made, plan, view)
        assert not step.complete
        plan = cut_off_if_due(RUN, made, step.plan, view)
    step = call(made, plan, known(state=TradingState.HALTED, now=BELL + SETTLE))
    assert step.complete
    assert step.submission.unprotected["MSFT"].startswith("TRADING_HALTED")


def test_a_fill_of_a_canceled_buy_is_not_mistaken_for_a_sale_of_the_stop() -> None:
    older_id = OLD_ID.replace("-stop-", "-entry-")
    bought = replace(
        order(replace(BUY_IBM, symbol="AAPL"), "canceled", 3), client_order_id=older_id
    )
    made = replace(decision(cancels=(older_id,), entries=()), filled_before={older_id: Decimal(0)})
    after = call(made, first_plan(RUN, made), known(bought))
    assert legs(after.plan) == [("AAPL", Leg.EXIT, Decimal(10))]


def test_a_stop_for_a_holding_that_is_to_go_whole_is_canceled_even_when_none_can_follow() -> None:
    """The decision wants no stop in this symbol, so the old stop would sell the user's shares."""
    made = decision(exits=(), entries=(), cancels=(OLD_ID,))
    view = known(old_stop(), state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert [each.client_order_id for each in orders_to_cancel(RUN, made, plan, view)] == [OLD_ID]
    fewer = replace(made, stops=(wish("AAPL", 9),))
    assert len(orders_to_cancel(RUN, fewer, plan, view)) == 1
    as_many = replace(made, stops=(wish("AAPL", 10),))
    assert orders_to_cancel(RUN, as_many, plan, view) == ()


def test_a_single_share_gets_its_stop() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 1),))
    assert legs(first_plan(RUN, made)) == [("MSFT", Leg.STOP, Decimal(1))]


def test_a_halt_still_clears_away_an_entry_from_before_in_a_symbol_that_is_to_have_a_stop() -> None:
    older_id = OLD_ID.replace("-stop-", "-entry-")
    older = replace(order(BUY_IBM, "new"), symbol="AAPL", client_order_id=older_id)
    made = replace(decision(exits=(), entries=(), cancels=(older_id,)), stops=(wish("AAPL", 10),))
    view = known(older, state=TradingState.HALTED)
    plan = cut_off_if_due(RUN, made, first_plan(RUN, made), view)
    assert orders_to_cancel(RUN, made, plan, view) == (older,)


def test_a_resting_stop_protects_only_its_own_symbol() -> None:
    place = OrderPlace("abc123", (BELL - timedelta(days=3)).date(), "day", "MSFT", Leg.STOP, 0)
    gone_id = client_order_id(place)
    gone = replace(old_stop("canceled"), symbol="MSFT", client_order_id=gone_id)
    made = replace(
        decision(exits=(), entries=(), cancels=(OLD_ID, gone_id)),
        stops=(wish("AAPL", 10), wish("MSFT", 7)),
    )
    view = known(old_stop(), gone, state=TradingState.HALTED)
    end = call(made, first_plan(RUN, made), view)
    assert end.submission.unprotected.keys() == {"MSFT"}


def test_an_entry_from_before_that_stands_is_not_protection() -> None:
    older_id = OLD_ID.replace("-stop-", "-entry-")
    older = replace(order(BUY_IBM, "new"), symbol="AAPL", client_order_id=older_id)
    made = replace(decision(exits=(), entries=(), cancels=(older_id,)), stops=(wish("AAPL", 10),))
    step = call(made, first_plan(RUN, made), known(older))
    assert step.submission.unprotected == {"AAPL": "the run has not placed it yet"}


def test_no_stop_is_placed_before_an_entry_that_is_still_to_come() -> None:
    made = replace(decision(entries=(BUY_IBM,), spendable=0), stops=(wish("IBM", 2),))
    plan = first_plan(RUN, made)
    assert legs(plan) == [("AAPL", Leg.EXIT, Decimal(10))]
    waiting = call(made, plan, known(order(EXIT, "new")))
    assert legs(waiting.plan) == [("AAPL", Leg.EXIT, Decimal(10))]


def test_a_holding_whose_entry_is_denied_gets_its_stop_anyway() -> None:
    made = replace(decision(entries=(BUY_IBM,), spendable=0), stops=(wish("IBM", 2),))
    step = call(made, first_plan(RUN, made), known(order(EXIT, "canceled"), cash=0))
    assert [each.code for each in step.submission.denied] == ["INSUFFICIENT_CASH"]
    assert legs(step.plan)[1:] == [("IBM", Leg.STOP, Decimal(2))]


def test_what_an_order_without_an_end_may_yet_buy_is_reported_as_unprotected() -> None:
    made = replace(decision(exits=(), entries=(BUY_IBM,)), stops=(wish("IBM", 0),))
    stuck = order(BUY_IBM, "pending_cancel", 0)
    plan = call(made, first_plan(RUN, made), known(stuck, now=DEADLINE)).plan
    end = call(made, plan, known(stuck, now=DEADLINE + SETTLE))
    assert end.complete
    assert end.submission.unprotected["IBM"].startswith("DEADLINE_PASSED")


def test_trades_end_a_minute_and_a_half_before_the_deadline_where_stops_follow() -> None:
    assert trades_end(RUN, sells_part(4)) == DEADLINE - timedelta(seconds=90)


def test_one_share_without_its_stop_is_not_called_less_than_one() -> None:
    made = replace(decision(exits=(), entries=()), stops=(wish("MSFT", 1),))
    plan = replace(first_plan(RUN, made), orders=())
    view = known(state=TradingState.HALTED)
    end = call(made, plan, view)
    assert end.submission.unprotected["MSFT"].startswith("TRADING_HALTED")


def test_an_entry_denied_since_its_stop_sold_keeps_no_other_from_being_sent() -> None:
    buy = replace(BUY_IBM, symbol="AAPL")
    made = replace(sells_part(), exits=(), entries=(buy, BUY_MSFT))
    after = call(made, first_plan(RUN, made), known(old_stop("filled", 10)))
    assert [(each.symbol, each.code) for each in after.submission.denied] == [
        ("AAPL", "STOP_FILLED")
    ]
    assert [each.symbol for each in after.plan.orders] == ["MSFT"]


def test_an_exit_whose_stop_is_not_gone_keeps_no_other_exit_waiting() -> None:
    other = replace(
        EXIT, symbol="MSFT", client_order_id=EXIT.client_order_id.replace("AAPL", "MSFT")
    )
    made = replace(sells_part(10), exits=(EXIT, other))
    assert legs(first_plan(RUN, made)) == [("MSFT", Leg.EXIT, Decimal(10))]


def test_a_desk_that_sold_more_than_it_held_lacks_no_stop() -> None:
    made = replace(decision(exits=(EXIT,), entries=()), stops=(wish("AAPL", 3),))
    end = call(made, first_plan(RUN, made), known(order(EXIT)))
    assert (end.complete, end.submission.unprotected) == (True, {})
