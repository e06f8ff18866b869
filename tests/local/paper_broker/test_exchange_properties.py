"""The account keeps its invariants, whatever a client does and whenever it looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.paper_broker.values import OPEN_STATUSES, ApiError
from tests.local.paper_broker.world import D, World
from tests.support.examples import tried

SYMBOLS = st.sampled_from(["FLAT", "SPLT", "PAYS"])
QUANTITIES = st.integers(1, 300).map(str)
PRICES = st.integers(4000, 12000).map(lambda cents: f"{cents / 100:.2f}")
ORDERS = st.fixed_dictionaries(
    {
        "symbol": SYMBOLS,
        "side": st.sampled_from(["buy", "sell"]),
        "qty": QUANTITIES,
        "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
        "time_in_force": st.sampled_from(["day", "gtc", "ioc", "fok"]),
        "limit_price": PRICES,
        "stop_price": PRICES,
        "trail_price": st.sampled_from(["2", "8"]),
    }
)
CHANGES = st.one_of(
    st.fixed_dictionaries({"qty": QUANTITIES}),
    st.fixed_dictionaries({"limit_price": PRICES}),
    st.fixed_dictionaries({"trail": st.sampled_from(["3", "9"])}),
)
ACTIONS = st.one_of(
    st.tuples(st.just("order"), ORDERS),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("replace"), st.tuples(st.integers(0, 20), CHANGES)),
    st.tuples(st.just("pass"), st.integers(0, 60 * 30)),
    st.tuples(st.just("deposit"), st.integers(-500, 500)),
)
BEHAVIOURS = st.fixed_dictionaries(
    {
        "slippage_bps": st.integers(0, 50).map(D),
        "fill_parts": st.integers(1, 4),
        "fill_fraction": st.sampled_from([D(1), D("0.4")]),
        "fill_delay_seconds": st.sampled_from([0.0, 600.0]),
        "cancel_delay_seconds": st.sampled_from([0.0, 600.0]),
        "shorting": st.booleans(),
        "moving_prices": st.booleans(),
    }
)


def play(world: World, action: tuple[str, Any]) -> None:
    """Do one action. If the broker refuses it, check that nothing changes."""
    kind, value = action
    exchange = world.exchange
    try:
        if kind == "order":
            wanted = {
                "market": (),
                "limit": ("limit_price",),
                "stop": ("stop_price",),
                "trailing_stop": ("trail_price",),
            }
            kept = wanted.get(value["type"], ("limit_price", "stop_price"))
            terms = {k: v for k, v in value.items() if not k.endswith("_price") or k in kept}
            world.place(terms.pop("side"), terms.pop("qty"), **terms)
        elif kind == "cancel" and value < len(exchange.book.all):
            exchange.cancel(exchange.book.all[value].id)
        elif kind == "replace" and value[0] < len(exchange.book.all):
            exchange.replace(exchange.book.all[value[0]].id, value[1])
        elif kind == "deposit":
            exchange.deposit(D(value))
        elif kind == "pass":
            exchange.advance(exchange.now + timedelta(minutes=value))
    except ApiError as refusal:
        assert refusal.status in (403, 422)  # noqa: PT017  # the broker may accept the action


@tried(120)
@given(st.lists(ACTIONS, max_size=25), BEHAVIOURS)
def test_the_books_balance_after_any_actions(
    actions: list[tuple[str, Any]], behaviour: dict[str, Any]
) -> None:
    world = World(holdings={"FLAT": "20", "SPLT": "20"}, **behaviour)
    exchange = world.exchange
    for action in actions:
        play(world, action)
        statement = exchange.account.activities
        assert world.cash == 100_000 + sum(activity.net for activity in statement)
        for symbol, holding in exchange.account.holdings.items():
            available = exchange.funds.available(symbol)
            assert holding.qty != 0
            assert 0 <= available * (1 if holding.qty > 0 else -1) <= abs(holding.qty)
            assert behaviour["shorting"] or holding.qty > 0
            assert behaviour["shorting"] or exchange.funds.held(symbol) <= holding.qty
    orders = exchange.book.all
    assert len({order.id for order in orders}) == len(orders)
    assert len({order.client_order_id for order in orders}) == len(orders)
    for order in orders:
        assert (order.status == "replaced") == (order.replaced_by is not None)
        assert order.is_open == (order.status in OPEN_STATUSES) == (order in exchange.book.open)
        assert order.qty is not None
        assert 0 <= order.filled_qty <= order.qty
        assert (order.status == "filled") == (order.filled_qty == order.qty)
        if order.filled_qty and order.ticket.limit_price is not None:
            average, limit = order.filled_value / order.filled_qty, order.limit_price
            assert limit is not None
            assert average <= limit * 2 if order.is_buy else average >= limit / 2


@tried(60)
@given(st.lists(ACTIONS, max_size=20), BEHAVIOURS, st.integers(1, 400))
def test_one_long_move_gives_the_same_account_as_many_short_ones(
    actions: list[tuple[str, Any]], behaviour: dict[str, Any], minutes: int
) -> None:
    """Each look fills at most one part, so this property only covers orders that fill whole."""
    behaviour = {**behaviour, "fill_parts": 1}
    ends = []
    for steps in (1, 7):
        world = World(**behaviour)
        for action in actions:
            if action[0] != "pass":
                play(world, action)
        world.look()
        start = world.exchange.now
        for step in range(1, steps + 1):
            world.exchange.advance(start + timedelta(minutes=minutes * 7) * step / steps)
        ends.append((world.cash, world.exchange.account.holdings, world.exchange.account.closes))
    assert ends[0] == ends[1]


@tried(60)
@given(st.integers(1, 1000), st.sampled_from(["90", "100", "104", None]))
def test_a_limit_order_never_fills_worse_than_its_limit(qty: int, limit: str | None) -> None:
    world = World(cash="1000000", slippage_bps=D(300))
    order = world.limit("buy", str(qty), limit) if limit else world.place("buy", str(qty))
    world.go(1)
    assert limit is None or order.filled_value <= D(limit) * order.filled_qty
    assert order.filled_qty in (0, qty)


@tried(40)
@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_corporate_actions_never_change_equity(splt: int, pays: int) -> None:
    world = World(holdings={"SPLT": str(splt), "PAYS": str(pays)})
    world.go(9)
    assert world.exchange.funds.equity == world.exchange.first_equity
