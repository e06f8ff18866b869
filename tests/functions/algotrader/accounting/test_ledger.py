"""The ledger follows the desk's own orders through splits and ignores all other orders."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.accounting.ledger import LISTING_LAG, checkpoint_instant, empty_ledger, fold
from algotrader.model import Adjustment, CorporateAction, Holding, Leg, Order, Side
from algotrader.orders.ids import OrderPlace, client_order_id

DESK = "abc123"
DAY = datetime(2024, 3, 4, 14, 35, tzinfo=UTC)


def own_id(when: datetime, symbol: str, leg: Leg, n: int = 0, desk: str = DESK) -> str:
    return client_order_id(OrderPlace(desk, when.date(), "day", symbol, leg, n))


def order(
    when: datetime,
    side: Side,
    qty: int | str,
    price: int | str = 10,
    *,
    symbol: str = "AAPL",
    status: str = "filled",
    client_id: str | None = None,
) -> Order:
    leg = Leg.ENTRY if side is Side.BUY else Leg.EXIT
    return Order(
        broker_id=f"{when.isoformat()}-{side}-{symbol}",
        client_order_id=client_id or own_id(when, symbol, leg),
        symbol=symbol,
        side=side,
        order_type="limit",
        qty=Decimal(qty),
        limit_price=None,
        status=status,
        filled_qty=Decimal(qty),
        filled_avg_price=Decimal(price),
        submitted_at=when,
        filled_at=when,
    )


def test_buys_add_shares_and_sells_remove_them_at_average_cost() -> None:
    orders = [
        order(DAY, Side.BUY, 10, 10),
        order(DAY + timedelta(days=1), Side.BUY, 10, 20),
        order(DAY + timedelta(days=2), Side.SELL, 5, 30),
    ]
    ledger = fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=3))
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(15), cost=Decimal(225))}
    assert ledger.realized == {"AAPL": 5 * (30 - Decimal(15))}


def test_a_fill_without_a_price_makes_no_profit_and_no_loss() -> None:
    buy = order(DAY, Side.BUY, 10, 10)
    sale = replace(order(DAY + timedelta(days=1), Side.SELL, 4), filled_avg_price=None)
    ledger = fold(empty_ledger(DESK), [buy, sale], [], DAY + timedelta(days=2))
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(6), cost=Decimal(60))}
    assert ledger.realized == {}


@pytest.mark.parametrize(
    ("terms", "cost"),
    [
        ({"limit_price": Decimal(11)}, 110),
        ({"notional": Decimal(125), "qty": None}, 125),
        ({"order_type": "market"}, 0),
    ],
)
def test_a_buy_without_a_price_cost_the_most_that_its_terms_allow(
    terms: dict[str, Any], cost: int
) -> None:
    buy = replace(order(DAY, Side.BUY, 10), filled_avg_price=None, **terms)
    ledger = fold(empty_ledger(DESK), [buy], [], DAY + timedelta(days=2))
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(10), cost=Decimal(cost))}


def test_realized_profit_stays_after_the_last_share_is_sold_and_after_a_split() -> None:
    orders = [
        order(DAY, Side.BUY, 10, 10),
        order(DAY + timedelta(days=2), Side.SELL, 20, 4),
        order(DAY + timedelta(days=3), Side.BUY, 1, 7),
    ]
    split = CorporateAction("AAPL", "forward_split", DAY.date() + timedelta(days=1), Decimal(2))
    ledger = fold(empty_ledger(DESK), orders, [split], DAY + timedelta(days=4))
    assert ledger.realized == {"AAPL": Decimal(-20)}
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(1), cost=Decimal(7))}


def test_shares_sold_beyond_the_holding_realize_nothing_and_cost_nothing_when_bought_back() -> None:
    orders = [
        order(DAY, Side.BUY, 10, 10),
        order(DAY + timedelta(days=1), Side.SELL, 15, 12),
        order(DAY + timedelta(days=2), Side.BUY, 8, 20),
    ]
    oversold = fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=1))
    assert (oversold.holdings["AAPL"].qty, oversold.realized) == (-5, {"AAPL": Decimal(20)})
    ledger = fold(oversold, orders, [], DAY + timedelta(days=3))
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(3), cost=Decimal(60))}
    assert ledger.realized == {"AAPL": Decimal(20)}


def test_a_symbol_sold_out_is_no_longer_held() -> None:
    orders = [order(DAY, Side.BUY, 10), order(DAY + timedelta(days=1), Side.SELL, 10)]
    assert fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=2)).holdings == {}


def test_orders_of_the_user_and_of_other_desks_do_not_count() -> None:
    orders = [
        order(DAY, Side.BUY, 10, client_id="bought-by-hand"),
        order(DAY, Side.BUY, 10, client_id=own_id(DAY, "AAPL", Leg.ENTRY, desk="ffffff")),
    ]
    assert fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=1)).holdings == {}


def test_a_partly_filled_order_counts_with_its_filled_shares() -> None:
    canceled = order(DAY, Side.BUY, 4, status="canceled")
    assert fold(empty_ledger(DESK), [canceled], [], DAY).holdings["AAPL"].qty == Decimal(4)


def test_a_split_multiplies_only_shares_held_before_its_ex_date() -> None:
    ex_date = date(2024, 3, 6)
    split = CorporateAction("AAPL", "forward_split", ex_date, Decimal(4))
    orders = [
        order(DAY, Side.BUY, 10, 40),
        order(DAY + timedelta(days=2), Side.BUY, 1, 10),  # on the ex-date: new shares
    ]
    ledger = fold(empty_ledger(DESK), orders, [split], DAY + timedelta(days=5))
    assert ledger.holdings == {"AAPL": Holding(qty=Decimal(41), cost=Decimal(410))}


@pytest.mark.parametrize(
    ("qty", "new", "old", "held"),
    [
        (9, 1, 3, "3"),
        (30_000_000, 1, 7, "4285714.285714285"),
        (7, 1, 7, "1"),
        (10, 3, 2, "15"),
        (10, 1, 3, "3.333333333"),
        (20, 1, 3, "6.666666666"),  # never more than the broker can represent
        ("0.000000001", 1, 10, None),
    ],
)
def test_a_split_leaves_a_quantity_that_a_broker_can_hold(
    qty: int | str, new: int, old: int, held: str | None
) -> None:
    split = CorporateAction(
        "AAPL", "reverse_split", DAY.date() + timedelta(days=1), Decimal(new) / Decimal(old)
    )
    ledger = fold(empty_ledger(DESK), [order(DAY, Side.BUY, qty)], [split], DAY + timedelta(days=2))
    reported = {name: str(each.qty) for name, each in ledger.holdings.items()}
    assert reported == ({} if held is None else {"AAPL": held})


def test_a_split_after_the_end_of_a_fold_or_before_its_start_does_not_count() -> None:
    held = fold(empty_ledger(DESK), [order(DAY, Side.BUY, 10)], [], DAY)
    early = CorporateAction("AAPL", "forward_split", DAY.date(), Decimal(2))
    late = CorporateAction("AAPL", "forward_split", DAY.date() + timedelta(days=9), Decimal(2))
    assert fold(held, [], [early, late], DAY + timedelta(days=1)).holdings == held.holdings


def test_selling_more_than_was_bought_shows_as_a_negative_holding() -> None:
    orders = [order(DAY, Side.BUY, 1), order(DAY + timedelta(days=1), Side.SELL, 3)]
    assert fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=2)).holdings["AAPL"].qty == -2


def test_a_checkpoint_stays_earlier_than_an_open_order_and_than_the_broker_s_listing_lag() -> None:
    now = DAY + timedelta(days=30)
    assert timedelta(days=10) == LISTING_LAG
    assert checkpoint_instant(empty_ledger(DESK), [], now) == now - LISTING_LAG
    still_open = order(DAY, Side.BUY, 1, status="partially_filled")
    through = checkpoint_instant(empty_ledger(DESK), [still_open], now)
    assert through == still_open.submitted_at - timedelta(microseconds=1)
    # Orders that belong to another desk or have ended do not hold the checkpoint back.
    foreign = order(DAY, Side.BUY, 1, status="new", client_id="by-hand")
    assert checkpoint_instant(empty_ledger(DESK), [foreign], now) == now - LISTING_LAG


def test_a_checkpoint_stays_earlier_than_an_order_that_filled_only_after_it() -> None:
    now = DAY + timedelta(days=40)
    stop = replace(
        order(DAY, Side.SELL, 10, client_id=own_id(DAY, "AAPL", Leg.STOP)),
        filled_at=now - timedelta(days=3),
    )
    early = order(DAY - timedelta(days=30), Side.BUY, 10)
    through = checkpoint_instant(empty_ledger(DESK), [stop, early], now)
    assert early.submitted_at < through < stop.submitted_at
    # A late fill of an order that is older than the stop also holds the checkpoint back.
    slow = replace(
        order(DAY - timedelta(days=9), Side.SELL, 1, client_id=own_id(DAY, "AAPL", Leg.STOP, 1)),
        filled_at=DAY + timedelta(days=1),
    )
    assert checkpoint_instant(empty_ledger(DESK), [slow, stop, early], now) < slow.submitted_at


def test_a_stop_that_fills_after_a_split_sells_the_shares_of_its_own_day() -> None:
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 20), Decimal(2))
    stop = replace(
        order(DAY, Side.SELL, 15, client_id=own_id(DAY, "AAPL", Leg.STOP)),
        filled_at=DAY + timedelta(days=30),
    )
    bought = order(DAY - timedelta(days=1), Side.BUY, 10)
    ledger = fold(empty_ledger(DESK), [stop, bought], [split], DAY + timedelta(days=31))
    assert ledger.holdings["AAPL"].qty == 5


def test_a_part_fill_belongs_to_its_session_although_the_order_ended_in_the_night() -> None:
    split = CorporateAction("AAPL", "forward_split", DAY.date() + timedelta(days=1), Decimal(2))
    partial = replace(
        order(DAY, Side.BUY, 4, status="canceled"), filled_at=DAY + timedelta(hours=16)
    )
    ledger = fold(empty_ledger(DESK), [partial], [split], DAY + timedelta(days=2))
    assert ledger.holdings["AAPL"].qty == 8


def test_days_are_those_of_new_york() -> None:
    evening = datetime(2024, 3, 5, 1, 30, tzinfo=UTC)  # still March 4 in New York
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 5), Decimal(2))
    bought = order(DAY, Side.BUY, 10)
    before = fold(empty_ledger(DESK), [bought], [split], evening)
    assert before.holdings["AAPL"].qty == 10
    assert fold(before, [], [split], evening + timedelta(days=1)).holdings["AAPL"].qty == 20


def given(
    qty: int | str, when: datetime, price: int = 10, *, desk: str = DESK, symbol: str = "AAPL"
) -> Adjustment:
    return Adjustment(
        id=f"{when.isoformat()}-{qty}",
        desk=desk,
        symbol=symbol,
        qty=Decimal(qty),
        price=Decimal(price),
        at=when,
        reason="",
    )


def test_shares_that_a_person_gave_count_in_addition_to_those_bought() -> None:
    adopted = given(30, DAY + timedelta(days=1), 20)
    ledger = fold(
        empty_ledger(DESK), [order(DAY, Side.BUY, 10)], [], DAY + timedelta(days=2), [adopted]
    )
    assert ledger.holdings == {"AAPL": Holding(Decimal(40), Decimal(700))}


def test_shares_that_a_person_took_leave_at_average_cost() -> None:
    orders = [order(DAY, Side.BUY, 10, 10), order(DAY + timedelta(hours=1), Side.BUY, 10, 30)]
    taken = given(-5, DAY + timedelta(days=1), 999)
    ledger = fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=2), [taken])
    assert ledger.holdings == {"AAPL": Holding(Decimal(15), Decimal(300))}
    all_of_it = given(-15, DAY + timedelta(days=1, hours=1))
    assert (
        fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=2), [taken, all_of_it]).holdings
        == {}
    )


def test_shares_that_a_person_gives_or_takes_make_no_profit_and_keep_earlier_profit() -> None:
    """Total profit is the realized profit plus the value of the shares less their cost."""
    worth = Decimal(50)
    adopted = replace(given(30, DAY, 20), worth=worth)
    came = fold(empty_ledger(DESK), [], [], DAY + timedelta(days=1), [adopted])
    held = came.holdings["AAPL"]
    assert came.realized["AAPL"] + held.qty * worth - held.cost == 0
    bought = order(DAY, Side.BUY, 10, 20)
    taken = replace(given(-4, DAY + timedelta(days=1)), worth=worth)
    left = fold(empty_ledger(DESK), [bought], [], DAY + timedelta(days=2), [taken])
    rest = left.holdings["AAPL"]
    assert left.realized["AAPL"] + rest.qty * worth - rest.cost == 10 * (50 - 20)


@pytest.mark.parametrize("desk", ["000000", "ffffff"])
def test_shares_given_to_another_desk_belong_to_that_desk(desk: str) -> None:
    theirs = given(30, DAY, desk=desk)
    assert fold(empty_ledger(DESK), [], [], DAY + timedelta(days=1), [theirs]).holdings == {}


def test_a_gift_before_a_split_is_split_too() -> None:
    split = CorporateAction("AAPL", "forward_split", date(2024, 3, 6), Decimal(2))
    before, on_the_day = given(10, DAY), given(7, DAY + timedelta(days=2))
    ledger = fold(empty_ledger(DESK), [], [split], DAY + timedelta(days=3), [on_the_day, before])
    assert ledger.holdings["AAPL"].qty == 27


def test_a_gift_counts_once_on_either_side_of_a_checkpoint() -> None:
    gifts = [given(10, DAY), given(-3, DAY + timedelta(days=1))]
    for cut in (DAY - timedelta(days=1), DAY, DAY + timedelta(hours=1), DAY + timedelta(days=1)):
        checkpoint = fold(empty_ledger(DESK), [], [], cut, gifts)
        assert fold(checkpoint, [], [], DAY + timedelta(days=9), gifts).holdings["AAPL"].qty == 7


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Order], list[CorporateAction]]:
    orders = []
    for day in range(draw(st.integers(0, 12))):
        when = DAY + timedelta(days=day)
        for symbol in ("AAPL", "IBM"):
            side = draw(st.sampled_from([None, Side.BUY, Side.SELL]))
            if side is not None:
                qty, price = draw(st.integers(1, 50)), draw(st.integers(1, 500))
                orders.append(order(when, side, qty, price, symbol=symbol))
    splits = [
        CorporateAction(symbol, "forward_split", DAY.date() + timedelta(days=day), Decimal(2))
        for symbol, day in draw(
            st.lists(
                st.tuples(st.sampled_from(["AAPL", "IBM"]), st.integers(0, 12)),
                unique=True,
                max_size=3,
            )
        )
    ]
    return orders, splits


@hypothesis.given(histories(), st.integers(0, 12), st.randoms(use_true_random=False))
def test_folding_in_two_parts_with_a_checkpoint_between_them_equals_folding_at_once(
    history: tuple[list[Order], list[CorporateAction]], cut: int, random: Random
) -> None:
    orders, splits = history
    random.shuffle(orders)
    end = DAY + timedelta(days=20)
    at_once = fold(empty_ledger(DESK), orders, splits, end)
    checkpoint = fold(empty_ledger(DESK), orders, splits, DAY + timedelta(days=cut, hours=1))
    assert fold(checkpoint, orders, splits, end) == at_once


def test_a_sale_without_a_holding_realizes_nothing() -> None:
    once = fold(empty_ledger(DESK), [order(DAY, Side.SELL, 3, 12)], [], DAY)
    assert once.realized == {"AAPL": 0}
    again = fold(
        once, [order(DAY + timedelta(days=1), Side.SELL, 2, 12)], [], DAY + timedelta(days=1)
    )
    assert (again.holdings["AAPL"].qty, again.realized) == (-5, {"AAPL": 0})


def test_a_gift_and_the_orders_of_its_day_count_in_chronological_order() -> None:
    gift = given(10, DAY, 20)
    sold = order(DAY + timedelta(hours=2), Side.SELL, 10, 25)
    ledger = fold(empty_ledger(DESK), [sold], [], DAY + timedelta(days=1), [gift])
    assert (ledger.holdings, ledger.realized) == ({}, {"AAPL": Decimal(50)})


def test_a_buy_that_covers_oversold_shares_costs_only_for_the_rest() -> None:
    oversold = fold(empty_ledger(DESK), [order(DAY, Side.SELL, 5)], [], DAY)
    bought = order(DAY + timedelta(days=1), Side.BUY, 2, 20)
    later = fold(oversold, [bought], [], DAY + timedelta(days=1))
    assert later.holdings == {"AAPL": Holding(Decimal(-3), Decimal(0))}
    half = fold(empty_ledger(DESK), [order(DAY, Side.BUY, "0.5", 10)], [], DAY)
    assert half.holdings == {"AAPL": Holding(Decimal("0.5"), Decimal(5))}


def test_a_sale_removes_its_part_of_the_cost_to_the_cent() -> None:
    orders = [
        replace(order(DAY, Side.BUY, 3), filled_avg_price=Decimal("10.01")),
        replace(order(DAY + timedelta(days=1), Side.SELL, 1), filled_avg_price=Decimal(12)),
    ]
    ledger = fold(empty_ledger(DESK), orders, [], DAY + timedelta(days=2))
    assert ledger.holdings == {"AAPL": Holding(Decimal(2), Decimal("20.02"))}
    assert ledger.realized == {"AAPL": Decimal("1.99")}


def test_a_single_share_that_is_given_or_that_remains_keeps_its_cost() -> None:
    came = fold(empty_ledger(DESK), [], [], DAY, [given(1, DAY, 20)])
    assert came.holdings == {"AAPL": Holding(Decimal(1), Decimal(20))}
    sold = order(DAY + timedelta(days=1), Side.SELL, 9)
    left = fold(empty_ledger(DESK), [order(DAY, Side.BUY, 10), sold], [], DAY + timedelta(days=2))
    assert left.holdings == {"AAPL": Holding(Decimal(1), Decimal(10))}


def test_a_notional_buy_that_never_filled_counts_for_nothing() -> None:
    never = replace(
        order(DAY, Side.BUY, 1, status="canceled"),
        qty=None,
        notional=Decimal(120),
        filled_qty=Decimal(0),
        filled_avg_price=None,
        filled_at=None,
    )
    assert fold(empty_ledger(DESK), [never], [], DAY) == replace(empty_ledger(DESK), through=DAY)


def test_a_checkpoint_contains_what_was_sent_and_filled_up_to_its_instant() -> None:
    now = DAY + timedelta(days=30)
    through = now - LISTING_LAG
    at_it = replace(order(DAY, Side.BUY, 1), filled_at=through)
    assert checkpoint_instant(empty_ledger(DESK), [at_it], now) == through
    after = replace(at_it, filled_at=through + timedelta(microseconds=1))
    assert checkpoint_instant(empty_ledger(DESK), [after], now) < DAY
    unfilled = replace(after, filled_qty=Decimal(0), status="canceled")
    assert checkpoint_instant(empty_ledger(DESK), [unfilled], now) == through
    still_open = order(through, Side.BUY, 1, status="new")
    assert checkpoint_instant(empty_ledger(DESK), [still_open], now) < through


def test_a_buy_counts_before_what_a_person_takes_later_on_that_day() -> None:
    bought = order(DAY, Side.BUY, 10, 10)
    taken = replace(given(-10, DAY + timedelta(hours=2)), worth=Decimal(25))
    ledger = fold(empty_ledger(DESK), [bought], [], DAY + timedelta(days=1), [taken])
    assert (ledger.holdings, ledger.realized) == ({}, {"AAPL": Decimal(150)})
