"""Write access to the journal alone can neither make the desk trade nor hide the forgery."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.keys import Keys
from algotrader.contracts import encode
from algotrader.errors import DecisionConflictError
from algotrader.execution import Step, first_plan
from algotrader.model import Cutoff, Decision, Leg, OrderDenied, OrderRejected, Plan, Side
from tests.functions.conftest import BUCKET
from tests.functions.submit_orders.conftest import Desk


def put(s3: Any, desk: Desk, number: int, content: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{desk.run.journal}plan-{number:03d}.json", Body=content)


def as_bytes(plan: Plan) -> bytes:
    import msgspec  # noqa: PLC0415

    return msgspec.json.encode(encode(plan))


def a_rebalance(desk: Desk) -> Decision:
    """Return a decision that sells half of an earlier run's purchase and buys another symbol."""
    desk.call_until_complete(desk.decision(desk.intent("MSFT", Leg.ENTRY, 10)))
    desk.next_bell()
    desk.proxy.posts.clear()
    return desk.decision(desk.intent("MSFT", Leg.EXIT, 5), desk.intent("IBM", Leg.ENTRY, 2))


def forged(plan: Plan, desk: Desk, how: str) -> Plan:
    exit_ = plan.orders[0]
    closed = Cutoff(at=desk.run.started_at, code="TRADING_HALTED", detail="forged")
    foreign = desk.intent("GOOG", Leg.ENTRY, 1000)
    return {
        "another order": replace(plan, orders=(*plan.orders, foreign)),
        "more shares": replace(plan, orders=(replace(exit_, qty=Decimal(10)),)),
        "another side": replace(plan, orders=(replace(exit_, side=Side.BUY),)),
        "another price": replace(plan, orders=(replace(exit_, limit_price=Decimal("0.01")),)),
        "an order twice": replace(plan, orders=(exit_, exit_)),
        "a cancel": replace(plan, cancels=(exit_.client_order_id,)),
        "another run's": replace(plan, run_id="2012-01-01-day"),
        "legs that ended": replace(plan, exits_closed=closed, entries_closed=closed),
        "a denial": replace(
            plan, orders=(), denied=(OrderDenied("MSFT", Side.SELL, Decimal(5), "X", "forged"),)
        ),
        "a rejection": replace(
            plan,
            orders=(),
            rejected=(OrderRejected(exit_.client_order_id, "MSFT", "X", "forged"),),
        ),
        "no orders": replace(plan, orders=()),
        "nothing else": plan,
    }[how]


FORGERIES = (
    *("another order", "more shares", "another side", "another price", "an order twice"),
    *("a cancel", "another run's", "legs that ended", "a denial", "a rejection", "no orders"),
    "nothing else",
)


@pytest.mark.parametrize("how", FORGERIES)
def test_a_plan_that_somebody_else_wrote_is_not_sent(s3: Any, desk: Desk, how: str) -> None:
    made = a_rebalance(desk)
    later = replace(forged(first_plan(desk.run, made), desk, how), sequence=1)
    put(s3, desk, 1, as_bytes(later))
    with pytest.raises(DecisionConflictError, match=r"PLAN_CONFLICT.*plan-001"):
        desk.call(made)
    assert desk.proxy.posts == []


def test_the_message_names_the_order_that_was_not_approved(s3: Any, desk: Desk) -> None:
    made = a_rebalance(desk)
    later = replace(forged(first_plan(desk.run, made), desk, "another order"), sequence=1)
    put(s3, desk, 1, as_bytes(later))
    with pytest.raises(DecisionConflictError, match="GOOG-entry-0: buy 1000 GOOG"):
        desk.call(made)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"{}", b'{"seal": 1}', b'{"contract": 99}', b"\xff\xfe"),
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "list", "null", "object", "seal", "contract", "bytes", "deep"],
)
def test_a_plan_that_cannot_be_read_is_not_sent(s3: Any, desk: Desk, content: bytes) -> None:
    made = a_rebalance(desk)
    put(s3, desk, 1, content)
    with pytest.raises(DecisionConflictError, match=r"PLAN_CONFLICT.*plan-001"):
        desk.call(made)
    assert desk.proxy.posts == []


def stored(s3: Any, desk: Desk, number: int) -> bytes:
    key = f"{desk.run.journal}plan-{number:03d}.json"
    return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def to_the_second_plan(desk: Desk, made: Decision) -> Step:
    step = desk.call(made)
    while step.plan.sequence == 0:
        step = desk.call(made, step.plan)
    return step


def test_a_copy_of_an_earlier_plan_is_not_mistaken_for_the_next(s3: Any, desk: Desk) -> None:
    made = a_rebalance(desk)
    step = to_the_second_plan(desk, made)
    put(s3, desk, 2, stored(s3, desk, 1))
    sent = list(desk.proxy.posts)
    with pytest.raises(DecisionConflictError, match="a copy of plan-001"):
        desk.call(made, step.plan)
    assert desk.proxy.posts == sent


def test_a_plan_of_another_run_is_not_taken_on(s3: Any, desk: Desk) -> None:
    made = a_rebalance(desk)
    to_the_second_plan(desk, made)
    copied = stored(s3, desk, 1)
    desk.next_bell()
    desk.proxy.posts.clear()
    put(s3, desk, 1, copied)
    with pytest.raises(DecisionConflictError, match="it belongs to run"):
        desk.call(desk.decision(desk.intent("IBM", Leg.ENTRY, 2)))
    assert desk.proxy.posts == []


def test_a_plan_of_another_desk_is_not_taken_on(desk: Desk) -> None:
    """Two stacks on one account have the same keys and runs but different desks."""
    made = a_rebalance(desk)
    other = replace(desk.plans(made), run=replace(desk.run, desk="ffffff"))
    assert other.create(replace(first_plan(desk.run, made), sequence=1))
    with pytest.raises(DecisionConflictError, match="its seal is wrong"):
        desk.call(made)
    assert desk.proxy.posts == []


def test_a_plan_made_with_other_keys_is_not_taken_on(desk: Desk) -> None:
    made = a_rebalance(desk)
    other = replace(desk.plans(made), keys=Keys("key", "another-secret"))
    assert other.create(replace(first_plan(desk.run, made), sequence=1))
    with pytest.raises(DecisionConflictError, match="its seal is wrong"):
        desk.call(made)
    assert desk.proxy.posts == []


def test_a_previous_plan_that_was_altered_stops_the_call(s3: Any, desk: Desk) -> None:
    made = a_rebalance(desk)
    step = to_the_second_plan(desk, made)
    while step.plan.sequence == 1:
        step = desk.call(made, step.plan)
        if step.complete:
            break
    later = replace(step.plan, sequence=2, polls=0)
    put(s3, desk, 1, as_bytes(replace(later, sequence=1, orders=())))
    sent = list(desk.proxy.posts)
    with pytest.raises(DecisionConflictError, match=r"PLAN_CONFLICT.*plan-001"):
        desk.call(made, later)
    assert desk.proxy.posts == sent


def test_a_plan_from_the_state_is_checked_too(desk: Desk) -> None:
    made = a_rebalance(desk)
    with pytest.raises(DecisionConflictError, match="does not approve"):
        desk.call(made, forged(first_plan(desk.run, made), desk, "more shares"))
    with pytest.raises(DecisionConflictError, match="not the first plan"):
        desk.call(made, forged(first_plan(desk.run, made), desk, "no orders"))
    assert desk.proxy.posts == []


def test_a_stored_decision_that_cannot_be_read_is_another_one(s3: Any, desk: Desk) -> None:
    made = a_rebalance(desk)
    s3.put_object(Bucket=BUCKET, Key=f"{desk.run.journal}decision.json", Body=b"{")
    with pytest.raises(DecisionConflictError, match="DECISION_CONFLICT"):
        desk.call(made)
    assert desk.proxy.posts == []
