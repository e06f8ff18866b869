"""Submit Orders posts each order to a real HTTP broker once, whatever the broker answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader import contracts
from algotrader.adapters.store import Store
from algotrader.contracts import CONTRACT_VERSION
from algotrader.errors import (
    BrokerUnavailableError,
    ConfigurationError,
    DecisionConflictError,
    OrderConflictError,
    OrderStateUnknownError,
)
from algotrader.execution import Step, first_plan
from algotrader.execution.plan import BACK_OFF_SECONDS
from algotrader.execution.posting import RESEND_POLLS
from algotrader.model import Decision, Leg, Plan, TradingMode, TradingState
from algotrader.orders.statuses import is_terminal
from submit_orders.call import check_run_may_send
from tests.functions.conftest import BUCKET
from tests.functions.submit_orders.conftest import Desk
from tests.support.distorting_proxy import Answer


def test_entries_are_placed_filled_and_reported(desk: Desk) -> None:
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3), desk.intent("IBM", Leg.ENTRY, 4))
    step = desk.call_until_complete(made)
    assert [(each.symbol, each.filled_qty) for each in step.submission.orders] == [
        ("AAPL", 3),
        ("IBM", 4),
    ]
    assert (step.submission.denied, step.submission.unsettled) == ((), ())


def test_calling_again_with_the_same_plan_posts_nothing_more(desk: Desk) -> None:
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3))
    for _ in range(3):
        desk.call(made)
    assert desk.proxy.posts == ["/v2/orders"]


def test_exits_come_first_and_entries_are_written_down_before_they_are_sent(desk: Desk) -> None:
    bought = desk.call_until_complete(desk.decision(desk.intent("MSFT", Leg.ENTRY, 10)))
    assert bought.submission.orders[0].filled_qty == 10
    desk.next_bell()
    made = desk.decision(desk.intent("MSFT", Leg.EXIT, 10), desk.intent("IBM", Leg.ENTRY, 2))
    step = desk.call(made)
    while len(step.plan.orders) == 1:
        assert {each["symbol"] for each in desk.own_orders()} == {"MSFT"}
        step = desk.call(made, step.plan)
    # The call that made the new plan sent nothing yet, and the journal contains that plan.
    assert {each["symbol"] for each in desk.own_orders()} == {"MSFT"}
    stored = Store(BUCKET).read(f"{desk.run.journal}plan-001.json", Plan)
    assert stored is not None
    assert [each.symbol for each in stored.orders] == ["MSFT", "IBM"]
    done = desk.call_until_complete(made, step.plan)
    assert {each.symbol: each.status for each in done.submission.orders} == {
        "MSFT": "filled",
        "IBM": "filled",
    }


def test_the_decision_is_stored_before_the_first_post(desk: Desk) -> None:
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 1))
    stored: list[Decision | None] = []

    def look(method: str, _path: str) -> None:
        if method == "POST":
            key = f"{desk.run.journal}decision.json"
            stored.append(Store(BUCKET).read(key, Decision))

    desk.proxy.intercept = look
    desk.call(made)
    assert stored == [made]


def test_another_decision_under_the_same_run_is_refused_and_nothing_is_sent(desk: Desk) -> None:
    desk.call(desk.decision(desk.intent("AAPL", Leg.ENTRY, 1)))
    sent = list(desk.proxy.posts)
    with pytest.raises(DecisionConflictError, match=desk.run.run_id):
        desk.call(desk.decision(desk.intent("AAPL", Leg.ENTRY, 2)))
    assert desk.proxy.posts == sent


def test_an_order_accepted_behind_a_504_is_found_and_not_sent_twice(desk: Desk) -> None:
    def lose_the_answer(method: str, _path: str, answer: Answer) -> Answer:
        return Answer(504, b"<html>gateway time-out</html>") if method == "POST" else answer

    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3))
    desk.proxy.distort = lose_the_answer
    with pytest.raises(OrderStateUnknownError, match="AAPL-entry-0"):
        desk.call(made)
    step = desk.call_until_complete(made)
    assert step.submission.orders[0].filled_qty == 3
    assert desk.proxy.posts == ["/v2/orders"]


def test_an_order_that_never_arrived_is_unknown_and_sent_again_under_its_id(desk: Desk) -> None:
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3), desk.intent("IBM", Leg.ENTRY, 2))
    lost = threading.Event()

    def swallow_the_first_post(method: str, _path: str) -> Answer | None:
        if method == "POST" and not lost.is_set():
            lost.set()
            return Answer(504, b"<html>gateway time-out</html>")
        return None

    desk.proxy.intercept = swallow_the_first_post
    with pytest.raises(OrderStateUnknownError) as unknown:
        desk.call(made)
    # The unknown order does not hold the other one back. Either may arrive first.
    (there,) = [each["symbol"] for each in desk.own_orders()]
    (swallowed,) = {"AAPL", "IBM"} - {there}
    assert unknown.value.facts["client_order_ids"].endswith(f"-{swallowed}-entry-0")
    step = desk.call_until_complete(made)
    assert [each.filled_qty for each in step.submission.orders] == [3, 2]
    assert sorted(each["symbol"] for each in desk.own_orders()) == ["AAPL", "IBM"]


def test_an_order_that_is_not_shown_is_not_sent_again_before_it_must_have_shown(
    desk: Desk,
) -> None:
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3))
    plan = first_plan(desk.run, made)
    desk.call(made, plan)

    def hide_it(method: str, path: str, answer: Answer) -> Answer:
        if path == "/v2/orders" and method == "GET":
            return Answer(200, b"[]")
        if path == "/v2/orders:by_client_order_id":
            return Answer(404, b'{"code": 40410000, "message": "order not found"}')
        return answer

    desk.proxy.distort = hide_it
    for _ in range(RESEND_POLLS):
        step = desk.call(made, plan)
        assert (step.complete, step.submission.orders) == (False, ())
        plan = step.plan
    assert desk.proxy.posts == ["/v2/orders"]
    assert sum(BACK_OFF_SECONDS[:RESEND_POLLS]) > 30
    desk.proxy.distort = None
    assert len(desk.call_until_complete(made, plan).submission.orders) == 1
    assert len(desk.own_orders()) == 1


def test_of_two_calls_with_one_plan_only_one_sends(desk: Desk) -> None:
    """The second call looked up the order before the first call's post arrived."""
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 3))
    inner: list[Step] = []
    began = threading.Event()

    def call_too(_method: str, path: str) -> None:
        if path == "/v2/clock" and not began.is_set():
            began.set()
            inner.append(desk.call(made))

    desk.proxy.intercept = call_too
    outer = desk.call(made)
    assert (len(inner[0].submission.orders), outer.submission.orders) == (1, ())
    assert desk.proxy.posts == ["/v2/orders"]


def test_a_taken_id_is_looked_up_by_the_next_call_and_adopted(desk: Desk) -> None:
    """The look-up before the post misses an order that arrives in between."""
    intent = desk.intent("AAPL", Leg.ENTRY, 3)

    def slip_in(method: str, _path: str) -> None:
        if method == "POST":
            desk.paper.order_by_hand(
                "AAPL",
                "buy",
                "3",
                type="limit",
                limit_price=str(intent.limit_price),
                client_order_id=intent.client_order_id,
            )

    desk.proxy.intercept = slip_in
    made = desk.decision(intent)
    with pytest.raises(OrderStateUnknownError, match=intent.client_order_id):
        desk.call(made)
    step = desk.call_until_complete(made)
    assert [each.client_order_id for each in step.submission.orders] == [intent.client_order_id]
    assert len(desk.own_orders()) == 1


def test_an_order_under_our_id_with_other_terms_stops_the_run(desk: Desk) -> None:
    intent = desk.intent("AAPL", Leg.ENTRY, 3)
    desk.paper.order_by_hand("AAPL", "buy", "1", client_order_id=intent.client_order_id)
    other = desk.intent("IBM", Leg.ENTRY, 1)
    with pytest.raises(OrderConflictError, match=intent.client_order_id):
        desk.call(desk.decision(other, intent))
    assert desk.proxy.posts == []


def test_an_order_that_slips_in_between_look_up_and_post_is_checked_too(desk: Desk) -> None:
    intent = desk.intent("AAPL", Leg.ENTRY, 3)

    def slip_in(method: str, _path: str) -> None:
        if method == "POST":
            desk.paper.order_by_hand("AAPL", "buy", "1", client_order_id=intent.client_order_id)

    desk.proxy.intercept = slip_in
    with pytest.raises(OrderStateUnknownError, match=intent.client_order_id):
        desk.call(desk.decision(intent))
    with pytest.raises(OrderConflictError, match=intent.client_order_id):
        desk.call(desk.decision(intent))


def test_a_sell_is_never_sent_for_more_than_is_there(desk: Desk) -> None:
    available = sum(
        int(each["qty_available"]) for each in desk.paper.positions() if each["symbol"] == "AAPL"
    )
    made = desk.decision(desk.intent("AAPL", Leg.EXIT, available + 5))
    step = desk.call_until_complete(made)
    orders = desk.own_orders()
    assert [each["qty"] for each in orders] == ([str(available)] if available else [])
    if not available:
        assert [each.code for each in step.submission.denied] == ["NOTHING_TO_SELL"]
    assert all(each["side"] != "short" for each in desk.paper.positions())


def test_a_rejection_is_a_result_that_is_reported_and_not_repeated(desk: Desk) -> None:
    desk.paper.behave(reject=["GOOG"])
    made = desk.decision(desk.intent("GOOG", Leg.ENTRY, 1), desk.intent("IBM", Leg.ENTRY, 1))
    step = desk.call_until_complete(made)
    desk.paper.behave(reject=[])
    reported = {each.symbol for each in step.submission.rejected} | {
        each.symbol for each in step.submission.orders if each.status == "rejected"
    }
    assert reported == {"GOOG"}
    assert desk.proxy.posts == ["/v2/orders", "/v2/orders"]


def test_halted_posts_nothing(desk: Desk) -> None:
    desk.state = TradingState.HALTED
    step = desk.call_until_complete(desk.decision(desk.intent("AAPL", Leg.ENTRY, 1)))
    assert (desk.proxy.posts, [each.code for each in step.submission.denied]) == (
        [],
        ["TRADING_HALTED"],
    )


def test_after_the_deadline_nothing_is_posted(desk: Desk) -> None:
    desk.run = replace(desk.run, deadline=desk.run.started_at)
    step = desk.call_until_complete(desk.decision(desk.intent("AAPL", Leg.ENTRY, 1)))
    assert (desk.proxy.posts, [each.code for each in step.submission.denied]) == (
        [],
        ["DEADLINE_PASSED"],
    )


def test_what_does_not_fill_is_canceled_at_the_deadline(desk: Desk) -> None:
    intent = desk.intent("AAPL", Leg.ENTRY, 1)
    far = replace(intent, limit_price=(intent.reference_price / 2).quantize(Decimal("0.01")))
    made = desk.decision(far)
    working = desk.call(made)
    assert not working.complete
    desk.run = replace(desk.run, deadline=desk.run.started_at + timedelta(seconds=1))
    step = desk.call_until_complete(made, working.plan)
    assert [each.status for each in step.submission.orders] == ["canceled"]


def test_two_live_submitters_place_every_order_once(desk: Desk) -> None:
    symbols = ("AAPL", "GOOG", "IBM", "MSFT")
    made = desk.decision(*(desk.intent(each, Leg.ENTRY, 1) for each in symbols))
    with ThreadPoolExecutor(2) as pool:
        steps = list(pool.map(lambda _: desk.call_until_complete(made), range(2)))
    orders = desk.own_orders()
    assert sorted(each["symbol"] for each in orders) == sorted(symbols)
    assert all(len(step.submission.orders) == len(symbols) for step in steps)


def test_a_later_execution_follows_the_plans_of_the_first(desk: Desk) -> None:
    desk.call_until_complete(desk.decision(desk.intent("MSFT", Leg.ENTRY, 10)))
    desk.next_bell()
    cash = Decimal(desk.paper.account()["cash"])
    ibm = desk.intent("IBM", Leg.ENTRY, 10_000)  # far more than the cash, so the step reduces it
    made = desk.decision(desk.intent("MSFT", Leg.EXIT, 10), ibm, spendable=str(cash // 4))
    first = desk.call_until_complete(made)
    bought = {each.symbol: each.qty for each in first.submission.orders}
    assert bought["IBM"] is not None
    assert 0 < bought["IBM"] < 10_000
    # A take-over starts again from the first plan, after the orders have changed the account.
    again = desk.call_until_complete(made, first_plan(desk.run, made))
    assert {each.symbol: each.qty for each in again.submission.orders} == bought
    assert len(desk.own_orders()) == 2


def test_a_plan_that_the_journal_holds_already_is_adopted_before_anything_is_sent(
    desk: Desk,
) -> None:
    ibm = desk.intent("IBM", Leg.ENTRY, 9)
    made = desk.decision(ibm)
    plan = first_plan(desk.run, made)
    cut = replace(plan, sequence=1, orders=(replace(ibm, qty=Decimal(2)),))
    assert desk.plans(made).create(cut)
    step = desk.call(made, plan)
    assert (desk.proxy.posts, step.plan.orders) == ([], cut.orders)
    assert desk.call_until_complete(made, step.plan).submission.orders[0].filled_qty == 2


def test_decision_and_plans_in_the_journal_carry_the_version_of_the_contract(desk: Desk) -> None:
    ibm = desk.intent("IBM", Leg.ENTRY, 9)
    made = desk.decision(ibm)
    assert desk.plans(made).create(replace(first_plan(desk.run, made), sequence=1))
    desk.call(made)
    for name in ("decision", "plan-001"):
        stored = Store(BUCKET).read(f"{desk.run.journal}{name}.json", dict[str, Any])
        assert stored is not None
        assert stored["contract"] == CONTRACT_VERSION, name


def test_a_take_over_settles_what_was_sent_under_the_contract_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ibm = desk.intent("IBM", Leg.ENTRY, 9)
    made = desk.decision(ibm)
    cut = replace(ibm, qty=Decimal(2))
    assert desk.plans(made).create(replace(first_plan(desk.run, made), sequence=1, orders=(cut,)))
    desk.call(made, desk.call(made).plan)
    assert [each["qty"] for each in desk.own_orders()] == ["2"]

    monkeypatch.setattr(contracts, "CONTRACT_VERSION", CONTRACT_VERSION + 1)
    desk.run = replace(desk.run, deadline=desk.run.started_at)
    done = desk.call_until_complete(made)

    assert [(each.qty, is_terminal(each)) for each in done.submission.orders] == [(2, True)]
    assert desk.proxy.posts == ["/v2/orders"]


@pytest.mark.parametrize("deployed", [CONTRACT_VERSION - 1, CONTRACT_VERSION + 2])
@pytest.mark.parametrize("spoilt", ["decision", "plan-001"])
def test_a_journal_of_any_other_contract_stops_the_call_before_anything_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deployed: int, spoilt: str
) -> None:
    made = desk.decision(desk.intent("IBM", Leg.ENTRY, 9))
    unreadable = {"contract": CONTRACT_VERSION, "a": ["shape that nobody knows"]}
    sealed = {**unreadable, "seal": desk.plans(made)._seal(unreadable)}
    Store(BUCKET).write(f"{desk.run.journal}{spoilt}.json", sealed)

    monkeypatch.setattr(contracts, "CONTRACT_VERSION", deployed)
    with pytest.raises(ConfigurationError, match=rf"DEPLOYED_DURING_RUN.*deployed={deployed}"):
        desk.call(made)
    assert desk.proxy.posts == []


def test_a_deadline_that_passes_between_two_posts_keeps_the_second_back(desk: Desk) -> None:
    desk.run = replace(desk.run, deadline=desk.run.started_at + timedelta(seconds=0.5))
    desk.connections = 1
    desk.dawdle(0.6)
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 1), desk.intent("IBM", Leg.ENTRY, 1))
    desk.call(made)
    assert [each["symbol"] for each in desk.own_orders()] == ["AAPL"]


def test_a_changed_account_stops_the_run(desk: Desk) -> None:
    desk.run = replace(desk.run, desk="000000")
    with pytest.raises(ConfigurationError, match="ACCOUNT_CHANGED"):
        desk.call(desk.decision(desk.intent("AAPL", Leg.ENTRY, 1)))
    assert desk.proxy.posts == []


def test_a_broker_that_is_down_stops_the_call_before_anything_is_sent(desk: Desk) -> None:
    intent = desk.intent("AAPL", Leg.ENTRY, 1)
    desk.proxy.intercept = lambda _method, _path: Answer(503, b"<html>down</html>")
    with pytest.raises(BrokerUnavailableError):
        desk.call(desk.decision(intent))
    assert desk.proxy.posts == []


@pytest.mark.parametrize(
    ("change", "deployed", "code"),
    [
        ({"sends_orders": False}, "paper", "RUN_SENDS_NO_ORDERS"),
        ({"mode": TradingMode.DRY_RUN}, "dry-run", "RUN_SENDS_NO_ORDERS"),
        ({}, "live", "TRADING_MODE_CHANGED"),
        ({"mode": TradingMode.LIVE}, "live", "TRADING_MODE_CHANGED"),
    ],
)
def test_a_run_that_may_not_send_is_refused(
    desk: Desk, change: dict[str, object], deployed: str, code: str
) -> None:
    with pytest.raises(ConfigurationError, match=code):
        check_run_may_send(replace(desk.run, **change), desk.settings, deployed)
