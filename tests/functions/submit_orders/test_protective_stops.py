"""Runs of one desk place, replace and cancel protective stops at a broker over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.keys import Keys
from algotrader.execution import Step, first_plan
from algotrader.model import Decision, DesiredStop, Leg, TradingState
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.functions.submit_orders.conftest import Desk
from tests.support.distorting_proxy import Answer

NOTHING: dict[str, str] = {}


def wish(desk: Desk, symbol: str, held: int, below: str = "0.8") -> DesiredStop:
    price = desk.price(symbol)
    place = OrderPlace(desk.run.desk, desk.run.session, desk.run.slot, symbol, Leg.STOP, 0)
    level = (price * Decimal(below)).quantize(Decimal("0.01"))
    return DesiredStop(client_order_id(place), symbol, level, price, Decimal(held), "test")


def stops(desk: Desk) -> list[dict[str, Any]]:
    """Return the desk's stop orders from all sessions."""
    return [each for each in desk.paper.orders() if "-stop-" in each["client_order_id"]]


def resting(desk: Desk) -> list[tuple[str, str]]:
    return [(each["symbol"], each["qty"]) for each in stops(desk) if each["status"] == "new"]


def bought(desk: Desk, symbol: str, qty: int) -> Step:
    """Buy a symbol and place its stop."""
    made = desk.decision(desk.intent(symbol, Leg.ENTRY, qty))
    return desk.call_until_complete(replace(made, stops=(wish(desk, symbol, 0),)))


def changed(desk: Desk, *made: Any, held: int, symbol: str) -> Decision:
    """Return a decision that cancels the symbol's resting stops, as Decide Orders does."""
    old = [each for each in stops(desk) if each["status"] == "new" and each["symbol"] == symbol]
    ids = tuple(each["client_order_id"] for each in old)
    return replace(
        desk.decision(*made),
        cancels=ids,
        filled_before=dict.fromkeys(ids, Decimal(0)),
        stops=(wish(desk, symbol, held),),
    )


def test_what_is_bought_is_protected_by_one_stop_good_until_canceled(desk: Desk) -> None:
    step = bought(desk, "IBM", 5)
    assert step.submission.unprotected == NOTHING
    (stop,) = [each for each in stops(desk) if desk.run.run_id in each["client_order_id"]]
    assert (stop["type"], stop["time_in_force"], stop["qty"]) == ("stop", "gtc", "5")
    assert (stop["status"], stop["order_class"]) == ("new", "simple")
    desk.next_bell()
    sold = desk.call_until_complete(
        changed(desk, desk.intent("IBM", Leg.EXIT, 5), held=5, symbol="IBM")
    )
    assert sold.submission.unprotected == NOTHING
    assert resting(desk) == []


def test_a_holding_is_reduced_and_raised_between_two_stops(desk: Desk) -> None:
    bought(desk, "AAPL", 9)
    desk.next_bell()
    desk.call_until_complete(changed(desk, desk.intent("AAPL", Leg.EXIT, 4), held=9, symbol="AAPL"))
    assert resting(desk) == [("AAPL", "5")]
    desk.next_bell()
    desk.call_until_complete(
        changed(desk, desk.intent("AAPL", Leg.ENTRY, 2), held=5, symbol="AAPL")
    )
    assert resting(desk) == [("AAPL", "7")]
    desk.next_bell()
    desk.call_until_complete(changed(desk, desk.intent("AAPL", Leg.EXIT, 7), held=7, symbol="AAPL"))
    assert resting(desk) == []


def test_a_call_that_dies_after_the_cancel_leaves_a_holding_that_the_next_one_protects(
    desk: Desk,
) -> None:
    bought(desk, "MSFT", 6)
    desk.next_bell()
    made = changed(desk, held=6, symbol="MSFT")
    plan = first_plan(desk.run, made)
    (old,) = made.cancels
    AlpacaBroker(Keys("key", "secret"), desk.proxy.url, desk.proxy.url, 30.0).cancel(
        next(each["id"] for each in stops(desk) if each["client_order_id"] == old)
    )
    assert resting(desk) == []  # the process dies here
    step = desk.call(made, plan)
    assert step.submission.unprotected == {"MSFT": "the run has not placed it yet"}
    done = desk.call_until_complete(made, step.plan)
    assert done.submission.unprotected == NOTHING
    assert resting(desk) == [("MSFT", "6")]
    desk.next_bell()
    desk.call_until_complete(changed(desk, desk.intent("MSFT", Leg.EXIT, 6), held=6, symbol="MSFT"))


def test_a_halt_between_cancel_and_stop_is_reported(desk: Desk) -> None:
    bought(desk, "GOOG", 3)
    desk.next_bell()
    made = changed(desk, held=3, symbol="GOOG")
    step = desk.call(made)
    desk.state = TradingState.HALTED
    end = desk.call_until_complete(made, step.plan)
    assert end.submission.unprotected["GOOG"].startswith("TRADING_HALTED")
    desk.state = TradingState.ACTIVE
    desk.next_bell()
    desk.call_until_complete(
        replace(desk.decision(desk.intent("GOOG", Leg.EXIT, 3)), stops=(wish(desk, "GOOG", 3),))
    )


def test_a_stop_never_covers_the_users_own_shares(desk: Desk) -> None:
    users = {"symbol": "IBM", "qty": "4"}
    desk.paper.request("POST", "/_paper/order", {**users, "side": "buy"})
    bought(desk, "IBM", 5)
    assert resting(desk) == [("IBM", "5")]
    desk.next_bell()
    desk.call_until_complete(changed(desk, desk.intent("IBM", Leg.EXIT, 5), held=5, symbol="IBM"))
    assert desk.paper.request("GET", "/v2/positions/IBM")["qty"] == "4"
    desk.paper.request("POST", "/_paper/order", {**users, "side": "sell"})


def test_a_cancel_that_always_fails_keeps_no_other_symbol_from_its_trade_and_stop(
    desk: Desk,
) -> None:
    statuses = cycle([500, 504, 429, 403, 401])
    bought(desk, "IBM", 5)
    desk.next_bell()
    bought(desk, "AAPL", 9)
    desk.next_bell()
    stuck = next(e for e in stops(desk) if (e["status"], e["symbol"]) == ("new", "IBM"))
    desk.proxy.intercept = lambda method, path: (
        Answer(next(statuses), b'{"code": 1, "message": "no"}')
        if (method, path) == ("DELETE", f"/v2/orders/{stuck['id']}")
        else None
    )
    both = [
        changed(desk, desk.intent(symbol, Leg.EXIT, qty), held=held, symbol=symbol)
        for symbol, qty, held in (("IBM", 5, 5), ("AAPL", 4, 9))
    ]
    made = replace(
        desk.decision(*both[0].exits, *both[1].exits),
        cancels=(*both[0].cancels, *both[1].cancels),
        filled_before={**both[0].filled_before, **both[1].filled_before},
        stops=(*both[0].stops, *both[1].stops),
    )
    step = desk.call(made)
    for _ in range(5):
        step = desk.call(made, step.plan)
    assert ("AAPL", "5") in resting(desk)
    assert ("IBM", "5") in resting(desk)
    assert step.submission.unprotected == NOTHING
    assert not step.complete

    desk.proxy.intercept = None
    done = desk.call_until_complete(made, step.plan)
    assert done.submission.unprotected == NOTHING
    assert resting(desk) == [("AAPL", "5")]
    desk.next_bell()
    desk.call_until_complete(changed(desk, desk.intent("AAPL", Leg.EXIT, 5), held=5, symbol="AAPL"))


def test_a_trade_is_held_to_its_own_end_within_a_call_that_dawdles(desk: Desk) -> None:
    desk.call_until_complete(desk.decision(desk.intent("GOOG", Leg.ENTRY, 2)))
    desk.next_bell()
    # Stops get a third of the time: trades end after two seconds, and stops after three.
    desk.run = replace(desk.run, deadline=desk.run.started_at + timedelta(seconds=3))
    desk.dawdle(2.1)
    made = desk.decision(desk.intent("AAPL", Leg.ENTRY, 1))
    desk.call(replace(made, stops=(wish(desk, "GOOG", 2),)))
    assert [each["symbol"] for each in desk.own_orders()] == ["GOOG"]
    assert resting(desk) == [("GOOG", "2")]
