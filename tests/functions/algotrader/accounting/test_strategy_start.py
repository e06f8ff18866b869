"""A strategy starts with its own first buy, or now if the desk does not know its start."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.strategy_start import carry_start
from algotrader.model import Leg, Order, Side, StrategyStart
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.support.desk_world import DESK, NOW, RUN, open_order

YESTERDAY = RUN.session - timedelta(days=3)
STARTED = StrategyStart("sma_cross", NOW - timedelta(days=3), None, "", "runs/before/")


def order(leg: Leg, at: datetime, *, filled: str = "5", desk: str = DESK) -> Order:
    place = OrderPlace(desk, YESTERDAY, "day", "AAPL", leg, 0)
    side = Side.BUY if leg is Leg.ENTRY else Side.SELL
    plain = open_order("AAPL", side, "5", "101", client_order_id(place))
    return replace(plain, submitted_at=at, filled_qty=Decimal(filled))


BOUGHT = order(Leg.ENTRY, STARTED.at)


def test_a_strategy_counts_from_the_session_of_its_first_filled_buy() -> None:
    carried = carry_start(STARTED, RUN, "sma_cross", [BOUGHT])
    assert carried == replace(STARTED, first_buy=YESTERDAY)
    # From then on the desk does not need the order, which the broker lists only for some days.
    assert carry_start(carried, RUN, "sma_cross", []) == carried


NO_BUYS_OF_ITS_OWN = {
    "unfilled": order(Leg.ENTRY, STARTED.at, filled="0"),
    "of the strategy before": order(Leg.ENTRY, STARTED.at - timedelta(milliseconds=1)),
    "of another desk": order(Leg.ENTRY, STARTED.at, desk="ffffff"),
    "an exit": order(Leg.EXIT, STARTED.at),
    "a stop": order(Leg.STOP, STARTED.at),
    "a flatten": order(Leg.FLATTEN, STARTED.at),
    "the user's": replace(BOUGHT, client_order_id="by hand"),
}


@pytest.mark.parametrize("other", NO_BUYS_OF_ITS_OWN.values(), ids=NO_BUYS_OF_ITS_OWN)
def test_nothing_but_a_filled_buy_of_its_own_counts(other: Order) -> None:
    assert carry_start(STARTED, RUN, "sma_cross", [other]).first_buy is None


def test_another_strategy_starts_its_own_count_and_names_the_one_before() -> None:
    known = replace(STARTED, first_buy=date(2024, 1, 2))
    changed = carry_start(known, RUN, "momentum_rotation", [BOUGHT])
    assert changed == StrategyStart(
        "momentum_rotation", RUN.started_at, None, "sma_cross", RUN.journal
    )


def test_an_unknown_start_begins_now_and_replaces_no_strategy() -> None:
    unknown = carry_start(None, RUN, "sma_cross", [BOUGHT])
    assert unknown == StrategyStart("sma_cross", RUN.started_at, None, "", RUN.journal)


def test_a_run_reports_a_change_that_no_earlier_run_reported() -> None:
    known = replace(STARTED, replaced="momentum_rotation")
    carried = carry_start(known, RUN, "sma_cross", [])
    assert (carried.replaced, carried.journal) == ("momentum_rotation", RUN.journal)
    assert carried.at == STARTED.at
