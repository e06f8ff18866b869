"""A call that the broker answers with 429 names what it certainly did not send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader import contracts
from algotrader.errors import (
    BrokerAuthError,
    BrokerRateLimitedError,
    BrokerUnavailableError,
    DeskError,
    OrderStateUnknownError,
)
from algotrader.execution import PostResult, first_plan, orders_due
from algotrader.model import Leg, Order, OrderIntent, Position, Side
from submit_orders.connections import RunAll
from submit_orders.sender import MOST_WAITED_SECONDS, SHORT_WAIT_SECONDS, Sender
from tests.functions.submit_orders.conftest import Desk
from tests.support.execution_fixtures import (
    BUY_IBM,
    BUY_MSFT,
    DEADLINE,
    EXIT,
    NOTHING,
    RUN,
    call,
    decision,
    intent,
    known,
    order,
)

BUYS = (BUY_IBM, BUY_MSFT, intent("AAPL", Leg.ENTRY, 1))
IDS = tuple(each.client_order_id for each in BUYS)


def limited(seconds: float) -> BrokerRateLimitedError:
    return BrokerRateLimitedError("BROKER_RATE_LIMITED", "Wait.", wait_seconds=seconds)


class Broker:
    """Answers each POST with the next error, or accepts it; time passes only in waits."""

    def __init__(self, *answers: DeskError | None) -> None:
        self.answers: Iterator[DeskError | None] = iter(answers)
        self.posts: list[str] = []
        self.logged: list[str] = []
        self.held: dict[str, Position] = {}
        self.now = 1000.0

    def submit(self, wanted: OrderIntent) -> Order:
        self.posts.append(wanted.symbol)
        error = next(self.answers, None)
        if error is not None:
            raise error
        return order(wanted, "new")

    def positions(self) -> dict[str, Position]:
        return self.held

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Send orders to a broker in its own time, as a call that began at an instant."""

    def do(
        broker: Broker,
        *intents: OrderIntent,
        at: Any = RUN.started_at,
        connections: int = 1,
        run_all: RunAll = lambda works: [each() for each in works],
    ) -> PostResult:
        clock = SimpleNamespace(monotonic=lambda: broker.now, sleep=broker.sleep)
        monkeypatch.setattr("submit_orders.sender.time", clock)
        log = lambda message, **_: broker.logged.append(message)  # noqa: E731
        brokers = (broker,) * connections
        return Sender(RUN, decision(), brokers, run_all, known(now=at), log).send(intents)

    return do


def test_after_a_429_with_a_far_reset_the_call_sends_nothing_more(send: Any) -> None:
    broker = Broker(None, limited(41.2))
    posted = send(broker, *BUYS)
    assert (broker.posts, broker.now) == (["IBM", "MSFT"], 1000)
    assert [each.client_order_id for each in posted.accepted] == [IDS[0]]
    assert (posted.unsent, posted.wait_seconds) == (IDS[1:], 42)


def test_a_near_reset_is_waited_for_and_the_same_order_sent(send: Any) -> None:
    broker = Broker(None, limited(SHORT_WAIT_SECONDS))
    posted = send(broker, *BUYS)
    assert (broker.posts, broker.now) == (
        ["IBM", "MSFT", "MSFT", "AAPL"],
        1000 + SHORT_WAIT_SECONDS,
    )
    assert (len(posted.accepted), posted.unsent, posted.wait_seconds) == (3, (), 0)


def test_a_refused_key_ends_the_call_after_the_other_orders_of_the_batch_are_logged(
    send: Any,
) -> None:
    broker = Broker(None, BrokerAuthError("BROKER_AUTH_REFUSED", "Check the keys."), None)
    with pytest.raises(BrokerAuthError):
        send(broker, *BUYS, connections=3)
    assert broker.logged == ["Order accepted", "Order accepted"]


@pytest.mark.parametrize(("seconds", "unsent"), [(39, IDS), (40, ())])
def test_a_call_that_took_long_names_no_order_as_unsent_because_another_may_resend_it(
    send: Any, seconds: float, unsent: tuple[str, ...]
) -> None:
    class Slow(Broker):
        def submit(self, wanted: OrderIntent) -> Order:
            self.sleep(seconds)
            return super().submit(wanted)

    posted = send(Slow(limited(41)), *BUYS)
    assert (posted.accepted, posted.unsent) == ((), unsent)


def test_a_call_does_not_wait_for_ever(send: Any) -> None:
    broker = Broker(*[limited(4)] * 100)
    posted = send(broker, *BUYS)
    assert broker.now <= 1000 + MOST_WAITED_SECONDS
    assert (posted.accepted, posted.unsent, posted.wait_seconds) == ((), IDS, 4)


def test_nothing_is_sent_if_the_run_s_time_ends_while_the_call_waits(send: Any) -> None:
    broker = Broker(limited(4))
    posted = send(broker, *BUYS, at=DEADLINE - timedelta(seconds=3))
    assert broker.posts == ["IBM"]
    assert (posted.accepted, posted.unsent) == ((), ())


def test_what_the_call_s_budget_did_not_reach_is_unsent(send: Any) -> None:
    broker = Broker(None, BrokerUnavailableError("BROKER_BUDGET_SPENT", "Wait."))
    posted = send(broker, *BUYS)
    assert (posted.unsent, posted.wait_seconds) == (IDS[1:], 0)


def test_an_unclear_answer_is_reported_and_never_unsent(send: Any) -> None:
    unclear = OrderStateUnknownError("ORDER_FATE_UNKNOWN", "Wait.", client_order_id=IDS[0])
    with pytest.raises(OrderStateUnknownError, match=IDS[0]) as caught:
        send(Broker(unclear, limited(30)), *BUYS)
    assert IDS[1] not in str(caught.value)


def test_unsent_orders_make_the_next_plan_and_are_due_at_once() -> None:
    made = decision(exits=(), entries=BUYS)
    plan = first_plan(RUN, made)
    posted = replace(NOTHING, accepted=(order(BUY_IBM, "new"),), unsent=IDS[1:], wait_seconds=42)
    step = call(plan, known(), made, posted)
    assert (step.wait_seconds, step.plan.sequence, step.plan.polls) == (42, 1, 0)
    assert (step.plan.unsent, step.plan.orders) == (IDS[1:], plan.orders)
    # The accepted order may not show yet. It is not due, and neither are others without the note.
    assert orders_due(step.plan, plan, BUYS) == BUYS[1:]
    assert orders_due(replace(step.plan, unsent=()), plan, BUYS) == ()
    assert orders_due(replace(step.plan, polls=1), plan, BUYS) == ()
    after = call(step.plan, known(order(BUY_IBM, "new")), made)
    assert (after.plan.sequence, after.plan.unsent) == (1, ())


def test_a_plan_that_gives_up_its_unsent_orders_names_none() -> None:
    made = decision(exits=(EXIT,), entries=())
    plan = replace(first_plan(RUN, made), polls=3)
    posted = PostResult((), (), {EXIT.client_order_id: BUY_IBM.qty * 0}, (EXIT.client_order_id,), 9)
    assert call(plan, known(), made, posted).plan.unsent == ()


def test_the_journal_never_says_which_orders_are_unsent(desk: Desk) -> None:
    """Only Step Functions' state does, because a call may have sent the orders since."""
    made = desk.decision(desk.intent("IBM", Leg.ENTRY, 1))
    plans, plan = desk.plans(made), first_plan(desk.run, made)
    unsent = tuple(each.client_order_id for each in plan.orders)
    assert plans.create(replace(plan, sequence=1, unsent=unsent))
    stored = plans.after(plan, {})
    assert stored is not None
    assert stored.unsent == ()
    # Even with the desk's own seal such a plan is not believed.
    content = {**contracts.stamp_version(replace(plan, sequence=2, unsent=unsent))}
    sealed = {**content, "seal": plans._seal(content)}
    plans.store.write(f"{desk.run.journal}plan-002.json", sealed)
    forged = plans.after(stored, {})
    assert forged is not None
    assert forged.unsent == ()


def test_a_sell_is_not_sent_without_shares_and_is_not_unsent(send: Any) -> None:
    broker = Broker()
    sell = replace(EXIT, side=Side.SELL)
    posted = send(broker, sell)
    assert (broker.posts, posted.shortages, posted.unsent) == ([], {sell.client_order_id: 0}, ())


def batches_of(send_together: list[list[str]]) -> RunAll:
    """Record what is sent at the same time, in reversed order, and answer in the given order."""

    def run_all(works: Sequence[Callable[[], Any]]) -> list[Any]:
        results = [work() for work in reversed(works)]
        send_together.append([getattr(each, "symbol", "?") for each in reversed(results)])
        return results[::-1]

    return run_all


def test_every_sell_has_its_answer_before_the_first_buy_leaves(send: Any) -> None:
    broker, together = Broker(), []
    sells = [replace(EXIT, symbol=f"S{number}") for number in range(3)]
    broker.held = {
        each.symbol: Position(each.symbol, each.qty, each.qty, each.qty) for each in sells
    }
    run_all = batches_of(together)
    posted = send(broker, *sells, *BUYS, connections=2, run_all=run_all)
    assert together == [["S0", "S1"], ["S2"], ["IBM", "MSFT"], ["AAPL"]]
    assert broker.posts == ["S1", "S0", "S2", "MSFT", "IBM", "AAPL"]
    # The results have the plan's order, whichever answer came first.
    assert [each.symbol for each in posted.accepted] == ["S0", "S1", "S2", "IBM", "MSFT", "AAPL"]


def test_of_orders_sent_at_the_same_time_only_those_answered_429_are_unsent(send: Any) -> None:
    broker = Broker(limited(30), None)
    posted = send(broker, *BUYS, connections=2)
    assert [each.symbol for each in posted.accepted] == ["MSFT"]
    assert (broker.posts, posted.unsent) == (["IBM", "MSFT"], (IDS[0], IDS[2]))


def test_a_sell_that_was_answered_429_still_comes_before_the_first_buy(send: Any) -> None:
    broker = Broker(limited(1), None)
    broker.held = {"AAPL": Position("AAPL", EXIT.qty, EXIT.qty, EXIT.qty)}
    send(broker, EXIT, BUY_IBM, connections=8)
    assert broker.posts == ["AAPL", "AAPL", "IBM"]


def test_orders_of_one_side_are_under_way_at_the_same_time_each_on_its_own_connection(
    desk: Desk,
) -> None:
    symbols = ("AAPL", "GOOG", "IBM", "MSFT")
    everybody = threading.Barrier(len(symbols), timeout=20)

    def meet(method: str, _path: str) -> None:
        if method == "POST":
            everybody.wait()

    desk.proxy.intercept = meet
    step = desk.call(desk.decision(*(desk.intent(each, Leg.ENTRY, 1) for each in symbols)))
    assert [each.symbol for each in step.submission.orders] == list(symbols)
