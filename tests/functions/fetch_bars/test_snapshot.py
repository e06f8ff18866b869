"""The snapshot shows the desk's open orders as its ledger counted them."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from algotrader.model import Leg, Order, Side
from algotrader.services.books import Books
from fetch_bars.snapshot import own_and_foreign
from tests.support.desk_world import DESK, ledger, open_order, own_id

STOP = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.STOP))
USERS = open_order("IBM", Side.SELL, "5", "120", "user-1")


def books(*orders: Order) -> Books:
    return Books(
        ledger=ledger(),
        before=None,
        others=(),
        start=ledger(),
        actions=(),
        actions_since=None,
        orders=orders,
        adjustments=(),
        checkpoint=None,
        others_checkpoint=None,
        warnings=(),
    )


def test_the_users_orders_are_foreign_and_never_own() -> None:
    assert own_and_foreign((STOP, USERS), books(STOP, USERS), DESK) == ((STOP,), (USERS,))


def test_a_fill_between_two_looks_counts_once() -> None:
    """The ledger counts the fill, so the open order must count it too, or the desk sells again."""
    sold = replace(STOP, filled_qty=Decimal(2), status="partially_filled")
    assert own_and_foreign((STOP,), books(sold), DESK)[0] == (sold,)
    assert own_and_foreign((STOP,), books(replace(STOP, status="filled")), DESK)[0] == ()


def test_an_order_in_a_status_that_the_broker_does_not_list_as_open_is_not_forgotten() -> None:
    held = replace(STOP, status="suspended")
    assert own_and_foreign((), books(held), DESK) == ((held,), ())
