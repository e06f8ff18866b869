"""Submit Orders makes about one request per order and looks up by id only what it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.store import Store
from algotrader.execution import first_plan, never_sent
from algotrader.model import Leg, Order, OrderDenied, OrderRejected, Position, Side
from submit_orders.available_shares import OLDEST_SECONDS, AvailableShares
from submit_orders.order_look_up import FEW_ENDED, MOST_LOOK_UPS, OrderLookUp
from submit_orders.send_lease import SendLease
from tests.functions.submit_orders.conftest import Desk
from tests.support.distorting_proxy import Answer
from tests.support.execution_fixtures import BUY_IBM, BUY_MSFT, EXIT, RUN, decision, intent, order

BY_ID = "GET /v2/orders:by_client_order_id"
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")


def count_requests(desk: Desk, inner: Callable[[str, str], Answer | None] | None = None) -> Counter:
    """Count the requests from now on, by method and path."""
    seen: Counter[str] = Counter()

    def count(method: str, path: str) -> Answer | None:
        seen[f"{method} {path}"] += 1
        return inner(method, path) if inner else None

    desk.proxy.intercept = count
    return seen


def test_the_first_call_of_a_plan_looks_up_no_order_by_its_id(desk: Desk) -> None:
    seen = count_requests(desk)
    desk.call(desk.decision(*(desk.intent(each, Leg.ENTRY, 1) for each in SYMBOLS)))
    assert seen == {
        "GET /v2/orders": 1,
        "GET /v2/account": 1,
        "GET /v2/clock": 1,
        "POST /v2/orders": len(SYMBOLS),
    }


def test_a_call_looks_up_by_id_what_an_earlier_attempt_may_have_sent(desk: Desk) -> None:
    """The first attempt died after it had the lease, and nobody knows what it sent."""
    made = desk.decision(*(desk.intent(each, Leg.ENTRY, 1) for each in SYMBOLS))

    def die(method: str, _path: str) -> None:
        if method == "POST":
            raise ConnectionAbortedError

    first = count_requests(desk, die)
    with pytest.raises(Exception, match="ORDER_STATE_UNKNOWN"):
        desk.call(made)
    again = count_requests(desk)
    step = desk.call(made)
    assert (first[BY_ID], again[BY_ID], again["POST /v2/orders"]) == (0, len(SYMBOLS), 0)
    later = count_requests(desk)
    desk.call(made, step.plan)
    assert (later[BY_ID], later["POST /v2/orders"]) == (len(SYMBOLS), 0)


def test_many_sells_share_one_list_of_positions(desk: Desk) -> None:
    desk.call_until_complete(desk.decision(*(desk.intent(each, Leg.ENTRY, 2) for each in SYMBOLS)))
    desk.next_bell()
    seen = count_requests(desk)
    desk.call(desk.decision(*(desk.intent(each, Leg.EXIT, 1) for each in SYMBOLS)))
    assert (seen["GET /v2/positions"], seen["POST /v2/orders"]) == (1, len(SYMBOLS))
    assert seen.total() == len(SYMBOLS) + 4


def test_one_list_of_open_orders_answers_for_all_cancels_of_earlier_sessions(desk: Desk) -> None:
    resting = [
        replace(each, limit_price=(each.reference_price / 2).quantize(Decimal("0.01")))
        for each in (desk.intent(symbol, Leg.ENTRY, 1) for symbol in SYMBOLS)
    ]
    desk.call(desk.decision(*resting))
    later = desk.run.started_at + timedelta(minutes=5)  # the list begins after these orders
    desk.run = replace(desk.run, journal="runs/another/", started_at=later)
    ids = tuple(each.client_order_id for each in resting)
    made = replace(desk.decision(), cancels=ids)
    seen = count_requests(desk)
    desk.call(made)
    assert (seen[BY_ID], seen["GET /v2/orders"]) == (0, 2)
    assert sum(seen[each] for each in seen if each.startswith("DELETE")) == len(SYMBOLS)


def test_an_order_that_an_earlier_plan_may_have_sent_still_needs_its_look_up() -> None:
    made = decision()
    first = first_plan(RUN, made)
    assert never_sent(first, None) == {EXIT.client_order_id}
    second = replace(first, sequence=1, orders=(replace(EXIT, qty=Decimal(4)), BUY_IBM, BUY_MSFT))
    assert never_sent(second, first) == {BUY_IBM.client_order_id, BUY_MSFT.client_order_id}
    # The previous plan gave up these orders. The second plan contains them because the broker
    # shows them.
    rejected = OrderRejected(BUY_IBM.client_order_id, "IBM", "BROKER_REJECTED", "no")
    denied = OrderDenied("MSFT", Side.BUY, BUY_MSFT.qty, "TRADING_HALTED", "")
    gave_up = replace(first, rejected=(rejected,), denied=(denied,))
    assert never_sent(second, gave_up) == frozenset()
    assert never_sent(replace(second, polls=1), first) == frozenset()


def reader(*qty: int) -> tuple[Any, list[int]]:
    """Build a broker whose successive lists show these quantities of available AAPL shares."""
    left = list(qty)

    def positions() -> dict[str, Position]:
        available = Decimal(left.pop(0))
        return {"AAPL": Position("AAPL", Decimal(100), available, Decimal(1))}

    return SimpleNamespace(positions=positions), left


def test_positions_are_read_again_once_they_are_five_seconds_old() -> None:
    now = [100.0]
    broker, left = reader(10, 7)
    shares = AvailableShares(broker, lambda: now[0])
    assert (shares.of("AAPL"), shares.of("IBM")) == (10, 0)
    now[0] += OLDEST_SECONDS - 0.01
    assert (shares.of("AAPL"), left) == (10, [7])
    now[0] += 0.01
    assert (shares.of("AAPL"), left) == (7, [])


def test_shares_that_a_call_has_just_sent_to_sell_are_not_available_again() -> None:
    now = [100.0]
    broker, _ = reader(10, 10)
    shares = AvailableShares(broker, lambda: now[0])
    shares.count_sent(replace(EXIT, qty=Decimal(6)))
    assert shares.of("AAPL") == 4
    now[0] += OLDEST_SECONDS  # the second list does not show the sell yet
    assert shares.of("AAPL") == 4
    shares.count_sent(replace(EXIT, qty=Decimal(6)))
    assert shares.of("AAPL") == 0


def test_a_short_position_has_no_shares_to_sell() -> None:
    broker, _ = reader(-3)
    assert AvailableShares(broker, lambda: 0.0).of("AAPL") == 0


class Shown:
    """A broker that shows the open orders and those of a session, and counts its look-ups."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.listed: list[datetime] = []

    def order(self, client_order_id: str) -> None:
        self.asked.append(client_order_id)

    def open_orders(self) -> tuple[Order, ...]:
        return ()

    def orders_after(self, after: datetime) -> tuple[Order, ...]:
        self.listed.append(after)
        return tuple(order(each) for each in RESTING)


RESTING = tuple(intent(f"A{number:03d}", Leg.ENTRY, 1) for number in range(MOST_LOOK_UPS + 1))


class Leases(Store):
    """A bucket in which every lease is taken, or none."""

    def __init__(self, *, are_taken: bool) -> None:
        super().__init__("bucket")
        self._are_taken = are_taken

    def holds(self, key: str) -> bool:
        del key
        return self._are_taken


def look_up(broker: Any, *, is_free: bool = False) -> OrderLookUp:
    return OrderLookUp(RUN, broker, SendLease(RUN, Leases(are_taken=not is_free), "call"))


def test_a_call_looks_up_at_most_fifty_orders_by_their_ids_and_each_call_others() -> None:
    broker, made = Shown(), decision(exits=(), entries=RESTING)
    plan = first_plan(RUN, made)
    assert look_up(broker, is_free=True).find_planned(plan, None, {}) == {}
    assert broker.asked == []
    look_up(broker).find_planned(plan, None, {})
    ids = [each.client_order_id for each in RESTING]
    assert broker.asked == ids[:MOST_LOOK_UPS]
    broker.asked.clear()
    look_up(broker).find_planned(replace(plan, waited_seconds=2), None, {})
    assert broker.asked == [*ids[2:], ids[0]]


def test_one_list_answers_for_many_cancels_that_have_ended() -> None:
    broker, ids = Shown(), tuple(each.client_order_id for each in RESTING)
    plan = replace(first_plan(RUN, decision()), cancels=ids)
    assert look_up(broker).find_canceled(plan, {}).keys() == set(ids)
    assert (broker.asked, broker.listed) == ([], [datetime(2024, 3, 4, tzinfo=UTC)])
    few = Shown()
    look_up(few).find_canceled(replace(plan, cancels=ids[:FEW_ENDED]), {})
    assert (len(few.asked), few.listed) == (FEW_ENDED, [])
