"""Each of the broker's order statuses has one meaning for the desk."""

from __future__ import annotations

import pytest

from algotrader.model import Side
from algotrader.orders.statuses import (
    STATUSES,
    is_cancel_pending,
    is_terminal,
    may_be_refused,
    stands,
)
from tests.support.desk_world import open_order

ENDED = {"canceled", "expired", "filled", "rejected", "replaced"}
ARRIVING = {"accepted", "accepted_for_bidding", "pending_new"}
STANDING = ARRIVING | {"done_for_day", "new", "partially_filled", "stopped"}
# Alpaca might add a status like the first one, and the others only look like terminal ones.
UNKNOWN = ["under_the_moon", "cancelled", "FILLED", ""]


@pytest.mark.parametrize("status", [*STATUSES, *UNKNOWN])
def test_a_status_means_one_thing_to_the_whole_desk(status: str) -> None:
    order = open_order("IBM", Side.SELL, "3", None, "id", status=status)

    assert is_terminal(order) is (status in ENDED)
    assert stands(order) is (status in STANDING)
    assert may_be_refused(order) is (status in ARRIVING)
    assert is_cancel_pending(order) is (status == "pending_cancel")
