"""Every order type fills in parts at an HTTP broker, counted to the cent and to the share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.accounting.ledger import empty_ledger, fold
from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.keys import Keys
from algotrader.execution import Step
from algotrader.model import Decision, DesiredStop, Holding, Leg, OrderIntent, OrderType, Side
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.functions.submit_orders.conftest import Desk

CENT = Decimal("0.01")
SHARE_STEP = Decimal("1e-9")


@pytest.fixture(autouse=True)
def _plain_again(desk: Desk) -> Iterator[None]:
    """Reset the broker's behavior and sell what this desk holds."""
    desk.paper.behave(slippage_bps=0)
    yield
    desk.paper.behave(fill_parts=1, fill_fraction="1", slippage_bps=2)
    for each in desk.paper.positions():
        desk.paper.order_by_hand(each["symbol"], "sell", each["qty_available"])


def by_value(desk: Desk, symbol: str, dollars: str) -> OrderIntent:
    plain = desk.intent(symbol, Leg.ENTRY, 1)
    qty = (Decimal(dollars) / plain.reference_price).quantize(SHARE_STEP, ROUND_FLOOR)
    return market(plain, qty=qty, notional=Decimal(dollars))


def market(plain: OrderIntent, **changes: Any) -> OrderIntent:
    return replace(plain, order_type=OrderType.MARKET, limit_price=None, **changes)


def sized(desk: Desk, symbol: str, leg: Leg, qty: str) -> OrderIntent:
    return replace(desk.intent(symbol, leg, 1), qty=Decimal(qty))


def cash(desk: Desk) -> Decimal:
    return Decimal(desk.paper.account()["cash"])


def position(desk: Desk, symbol: str) -> Decimal:
    held = {each["symbol"]: Decimal(each["qty"]) for each in desk.paper.positions()}
    return held.get(symbol, Decimal(0))


def books(desk: Desk) -> dict[str, Holding]:
    """Fold the desk's own orders of the current session, as Fetch Bars does."""
    broker = AlpacaBroker(Keys("key", "secret"), desk.proxy.url, desk.proxy.url, 30.0)
    since = desk.run.started_at - timedelta(minutes=1)
    return fold(
        empty_ledger(desk.run.desk), broker.orders_after(since), (), datetime.now(UTC)
    ).holdings


def works(desk: Desk, made: Decision) -> Step:
    """Call until nothing more fills."""
    working = desk.call(made)
    while working.plan.polls < 3:
        working = desk.call(made, working.plan)
    assert not working.complete
    return working


def cancels(desk: Desk, client_order_id: str) -> None:
    """Cancel an order as the user would."""
    broker = AlpacaBroker(Keys("key", "secret"), desk.proxy.url, desk.proxy.url, 30.0)
    found = broker.order(client_order_id)
    assert found is not None
    broker.cancel(found.broker_id)


def test_an_entry_by_value_spends_its_dollars(desk: Desk) -> None:
    before, price = cash(desk), desk.price("AAPL")
    step = desk.call_until_complete(desk.decision(by_value(desk, "AAPL", "2500.01")))
    (order,) = step.submission.orders
    assert (order.qty, order.notional, order.status) == (None, Decimal("2500.01"), "filled")
    assert order.filled_qty == (Decimal("2500.01") / price).quantize(SHARE_STEP, ROUND_FLOOR)
    assert abs(before - cash(desk) - Decimal("2500.01")) <= CENT
    assert books(desk)["AAPL"].qty == position(desk, "AAPL") == order.filled_qty


def test_an_entry_by_value_is_sent_once_and_for_the_cash_that_is_there(desk: Desk) -> None:
    made = desk.decision(by_value(desk, "IBM", "5000.00"), spendable="1234.56")
    exit_first = replace(made, exits=(market(desk.intent("MSFT", Leg.EXIT, 1)),))
    step = desk.call_until_complete(exit_first)  # there is no MSFT left to sell
    (sent,) = desk.own_orders()
    assert (sent["notional"], sent["qty"]) == ("1234.56", None)
    assert [each.code for each in step.submission.denied] == ["NOTHING_TO_SELL"]
    desk.call_until_complete(exit_first)
    assert len(desk.own_orders()) == 1


def test_fractions_that_fill_in_parts_are_counted_and_leave_no_dust(desk: Desk) -> None:
    desk.paper.behave(fill_parts=3)
    before = cash(desk)
    wanted = sized(desk, "IBM", Leg.ENTRY, "10.123456789")
    step = desk.call_until_complete(desk.decision(wanted, by_value(desk, "AAPL", "777.77")))
    assert {each.status for each in step.submission.orders} == {"filled"}
    held = {symbol: each.qty for symbol, each in books(desk).items()}
    assert held["IBM"] == Decimal("10.123456789")
    assert held == {symbol: position(desk, symbol) for symbol in ("AAPL", "IBM")}
    spent = sum(each.cost for each in books(desk).values())
    assert abs(before - cash(desk) - spent) <= CENT

    exits = [sized(desk, symbol, Leg.EXIT, str(qty)) for symbol, qty in held.items()]
    desk.call_until_complete(flattened(desk, exits))
    assert (position(desk, "IBM"), position(desk, "AAPL")) == (0, 0)
    assert books(desk) == {}


def flattened(desk: Desk, exits: list[OrderIntent]) -> Decision:
    """Return a decision of a flatten that sells everything in the same session."""
    desk.run = replace(
        desk.run,
        run_id=f"{desk.run.session}-f1100",
        slot="f1100",
        journal=f"runs/{desk.run.session}/{desk.run.session}-f1100/",
    )
    renamed = []
    for each in exits:
        place = OrderPlace(desk.run.desk, desk.run.session, "f1100", each.symbol, Leg.FLATTEN, 0)
        renamed.append(market(each, client_order_id=client_order_id(place), leg=Leg.FLATTEN))
    return replace(desk.decision(), exits=tuple(renamed))


def test_a_part_that_fills_is_kept_and_its_whole_shares_protected(desk: Desk) -> None:
    desk.paper.behave(fill_fraction="0.4")
    before = cash(desk)
    place = OrderPlace(desk.run.desk, desk.run.session, desk.run.slot, "IBM", Leg.STOP, 0)
    price = desk.price("IBM")
    level = (price * Decimal("0.8")).quantize(CENT)
    wish = DesiredStop(client_order_id(place), "IBM", level, price, Decimal(0), "test")
    wanted = sized(desk, "IBM", Leg.ENTRY, "10.5")
    made = replace(desk.decision(wanted), stops=(wish,))
    working = works(desk, made)
    cancels(desk, wanted.client_order_id)
    part, stop = desk.call_until_complete(made, working.plan).submission.orders
    assert (part.status, part.filled_qty) == ("canceled", Decimal("4.2"))
    assert part.filled_avg_price is not None
    assert (stop.qty, stop.status) == (4, "new")
    assert books(desk)["IBM"].qty == position(desk, "IBM") == Decimal("4.2")
    assert abs(before - cash(desk) - part.filled_qty * part.filled_avg_price) <= CENT
    cancels(desk, wish.client_order_id)


def test_a_value_that_fills_in_part_is_canceled_at_the_deadline(desk: Desk) -> None:
    desk.paper.behave(fill_fraction="0.25")
    made = desk.decision(by_value(desk, "AAPL", "1000.00"))
    working = works(desk, made)
    desk.run = replace(desk.run, deadline=desk.run.started_at + timedelta(seconds=1))
    (order,) = desk.call_until_complete(made, working.plan).submission.orders
    assert (order.status, order.notional) == ("canceled", 1000)
    assert Decimal(249) < order.filled_qty * (order.filled_avg_price or 0) < Decimal(251)
    assert books(desk)["AAPL"].qty == position(desk, "AAPL") == order.filled_qty


def test_an_exit_that_sells_a_part_brings_only_that_parts_money(desk: Desk) -> None:
    desk.call_until_complete(desk.decision(sized(desk, "MSFT", Leg.ENTRY, "100.75")))
    desk.next_bell()
    desk.paper.behave(fill_fraction="0.5")
    price = desk.price("MSFT")
    exit_ = sized(desk, "MSFT", Leg.EXIT, "100.75")
    made = desk.decision(exit_, by_value(desk, "IBM", "9000.00"), spendable="0")
    working = works(desk, made)
    cancels(desk, exit_.client_order_id)
    desk.paper.behave(fill_fraction="1")
    step = desk.call_until_complete(made, working.plan)
    sold, bought = step.submission.orders
    assert (sold.filled_qty, position(desk, "MSFT")) == (Decimal("50.375"), Decimal("50.375"))
    least = (Decimal("50.375") * price * Decimal("0.98")).quantize(CENT, ROUND_FLOOR)
    assert (bought.side, bought.notional) == (Side.BUY, least)
