"""The desk's orders follow the broker's rules, and a run does not send an order that breaks one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.adapters.alpaca.trading import order_body
from algotrader.decision.flatten import flatten
from algotrader.decision.stops import stop_level
from algotrader.execution import (
    Known,
    PostResult,
    advance,
    cut_off_if_due,
    first_plan,
    orders_to_post,
)
from algotrader.execution.order_status import PATIENT_POLLS
from algotrader.model import (
    Asset,
    Decision,
    DesiredStop,
    Leg,
    Order,
    OrderIntent,
    OrderType,
    Side,
    TimeInForce,
)
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.reasons import Denial, Reason
from local.paper_broker.rules import check_fraction, parse_ticket
from local.paper_broker.values import ApiError as PaperRefusal
from tests.support.desk_world import SETTINGS, account, asset, codes, decided, run, settings
from tests.support.examples import tried
from tests.support.execution_fixtures import BUY_IBM, EXIT, NOTHING, RUN, known
from tests.support.execution_fixtures import decision as decision_of
from tests.support.execution_fixtures import order as shown
from tests.support.snapshots import Situation, situations

D = Decimal
WHOLE = asset("IBM", fractionable=False)
FRACTIONS = asset("IBM")
MARKET = {"order_type": OrderType.MARKET, "limit_price": None}
STOP = {**MARKET, "order_type": OrderType.STOP, "side": Side.SELL, "leg": Leg.STOP}


def order(**changes: Any) -> OrderIntent:
    place = OrderPlace("abc123", RUN.session, "day", "IBM", Leg.ENTRY, 0)
    plain = OrderIntent(
        client_order_id=client_order_id(place),
        symbol="IBM",
        side=Side.BUY,
        leg=Leg.ENTRY,
        qty=D(10),
        order_type=OrderType.LIMIT,
        limit_price=D("100.20"),
        reference_price=D(100),
        why="test",
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"qty": D("0.000000001")},
        {"qty": D("1E+3")},
        {"limit_price": D("0.9999")},
        {"limit_price": D("1.0000")},
        {"limit_price": D("0.0001")},
        MARKET,
        {**MARKET, "qty": D("1.5"), "side": Side.SELL},
        {**MARKET, "notional": D(1)},
        {**MARKET, "notional": D("2500.01"), "qty": D("24.950199600")},
        {**STOP, "stop_price": D("90.01"), "time_in_force": TimeInForce.GTC},
        {**STOP, "stop_price": D("90.01"), "qty": D("1.5")},
        {"client_order_id": "x" * 48},
    ],
)
def test_an_order_within_the_rules_breaks_none(changes: dict[str, Any]) -> None:
    assert broken_rule(order(**changes), FRACTIONS) is None
    assert broken_rule(order(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "of", "seen"),
    [
        ({"qty": D(0)}, FRACTIONS, "quantity 0 is not above 0"),
        ({"qty": D(-1)}, FRACTIONS, "quantity -1 is not above 0"),
        ({"qty": D("NaN")}, FRACTIONS, "quantity NaN is not above 0"),
        ({"qty": D("0.0000000001")}, FRACTIONS, "quantity 0.0000000001 has more than 9 decimals"),
        ({"qty": D("1.3")}, WHOLE, "quantity 1.3: the asset trades only in whole shares"),
        ({"qty": D("1.5")}, WHOLE, "quantity 1.5: the asset trades only in whole shares"),
        ({"qty": D("1.7")}, WHOLE, "quantity 1.7: the asset trades only in whole shares"),
        (
            {"qty": D("1.5"), "time_in_force": TimeInForce.GTC},
            None,
            "quantity 1.5 needs time in force day, not gtc",
        ),
        (
            {**STOP, "stop_price": D(90), "qty": D("1.5"), "time_in_force": TimeInForce.GTC},
            FRACTIONS,
            "quantity 1.5 needs time in force day, not gtc",
        ),
        ({**MARKET, "notional": D("0.99")}, FRACTIONS, "value 0.99 is not at least 1 dollar"),
        ({**MARKET, "notional": D("NaN")}, FRACTIONS, "value NaN is not at least 1 dollar"),
        ({**MARKET, "notional": D("9.999")}, FRACTIONS, "value 9.999 is not in whole cents"),
        ({"notional": D(9)}, FRACTIONS, "value 9.00 needs a market order, not a limit order"),
        (
            {**MARKET, "notional": D(9), "time_in_force": TimeInForce.GTC},
            None,
            "value 9.00 needs time in force day, not gtc",
        ),
        ({**MARKET, "notional": D(9)}, WHOLE, "value 9.00: the asset trades only in whole shares"),
        ({"limit_price": None}, WHOLE, "a limit order needs a limit_price"),
        ({"stop_price": D(90)}, WHOLE, "a limit order cannot have a stop_price"),
        ({**MARKET, "limit_price": D(9)}, WHOLE, "a market order cannot have a limit_price"),
        (STOP, WHOLE, "a stop order needs a stop_price"),
        ({"order_type": OrderType.NOTIONAL}, WHOLE, "notional is not an order type"),
        ({"limit_price": D(0)}, WHOLE, "limit_price 0 is not above 0"),
        ({"limit_price": D("Infinity")}, WHOLE, "limit_price Infinity is not above 0"),
        ({"limit_price": D("1.005")}, WHOLE, "limit_price 1.005 is not a multiple of 0.01"),
        ({"limit_price": D("0.99995")}, WHOLE, "limit_price 0.99995 is not a multiple of 0.0001"),
        ({"client_order_id": "x" * 49}, WHOLE, "an id of 49 characters, limit 48"),
    ],
)
def test_a_broken_rule_is_reported_with_its_numbers(
    changes: dict[str, Any], of: Asset | None, seen: str
) -> None:
    assert broken_rule(order(**changes), of) == Denial(Reason.ORDER_RULE, seen)


# Decisions


@tried(200)
@given(bell=situations())
def test_every_decided_order_follows_the_rules(bell: Situation) -> None:
    made = bell.decide()
    flat = flatten(bell.run, bell.settings, bell.snapshot)
    for intent in (*made.exits, *made.entries, *flat.exits):
        assert broken_rule(intent, bell.snapshot.assets.get(intent.symbol)) is None
    assert not {each.code for each in (*made.denied, *flat.denied)} & {Reason.ORDER_RULE}


def test_the_decision_denies_an_order_that_would_break_a_rule() -> None:
    made = decided({"IBM": D("0.3")}, under=settings(order_type=OrderType.STOP))
    assert (made.entries, codes(made)) == ((), {"IBM": "ORDER_RULE"})
    assert "a stop order needs a stop_price" in made.why["IBM"]


# Submission


@st.composite
def looks(draw: st.DrawFn, sought: list[OrderIntent]) -> tuple[Known, PostResult]:
    """Draw the orders that a call finds at the broker, and the shares that its sells lack."""
    shares = st.decimals(0, 2000, places=10)
    orders: dict[str, Order] = {}
    shortages: dict[str, Decimal] = {}
    for intent in sought:
        fate = draw(st.sampled_from(["filled", "canceled", "short", "absent"]))
        filled = min(draw(shares), intent.qty)
        if fate == "short" and intent.side is Side.SELL:
            shortages[intent.client_order_id] = filled
        elif fate in {"filled", "canceled"}:
            orders[intent.client_order_id] = Order(
                broker_id=intent.client_order_id,
                client_order_id=intent.client_order_id,
                symbol=intent.symbol,
                side=intent.side,
                order_type=intent.order_type.value,
                qty=intent.qty,
                limit_price=intent.limit_price,
                status=fate,
                filled_qty=filled,
                filled_avg_price=intent.reference_price,
                submitted_at=RUN.started_at,
                filled_at=None,
            )
    cash = account(draw(st.decimals(0, 10**5, places=3)))
    return replace(known(), account=cash, orders=orders), PostResult((), (), shortages)


@tried(150)
@given(bell=situations(), data=st.data())
def test_every_order_in_a_plan_follows_the_rules(bell: Situation, data: st.DataObject) -> None:
    level = data.draw(st.decimals("0.00001", 500, places=5))
    made: Decision = bell.decide()
    stops = tuple(
        DesiredStop(
            client_order_id(OrderPlace("abc123", RUN.session, "day", each, Leg.STOP, 0)),
            each,
            stop_level(level),
            D(100),
            data.draw(st.decimals(0, 2000, places=9)),
            "test",
        )
        for each in made.why
    )
    made = replace(made, stops=stops, cancels=())
    plan = first_plan(RUN, made)
    assets = bell.snapshot.assets
    for _ in range(4):
        for intent in plan.orders:
            assert broken_rule(intent, assets.get(intent.symbol)) is None
        view, outcome = data.draw(looks(list(plan.orders)))
        plan = cut_off_if_due(RUN, made, replace(plan, polls=PATIENT_POLLS), view)
        step = advance(RUN, bell.settings, made, plan, view, outcome)
        assert not {each.code for each in step.plan.denied} & {Reason.ORDER_RULE}
        plan = step.plan


def test_an_approved_order_that_breaks_a_rule_is_not_sent_but_named() -> None:
    odd = replace(BUY_IBM, limit_price=D("100.001"))
    made = decision_of(entries=(odd,))
    plan = replace(first_plan(RUN, made), orders=(EXIT, odd))
    assert [each.symbol for each in orders_to_post(plan, known())] == [EXIT.symbol]
    step = advance(RUN, SETTINGS, made, plan, known(), NOTHING)
    assert [(each.symbol, each.code) for each in step.plan.denied] == [("IBM", "ORDER_RULE")]
    assert "limit_price 100.001" in step.submission.denied[0].detail
    assert [each.symbol for each in step.plan.orders] == [EXIT.symbol]


def test_a_stop_that_breaks_a_rule_is_reported_by_its_symbol() -> None:
    place = OrderPlace("abc123", RUN.session, "day", "MSFT", Leg.STOP, 0)
    wish = DesiredStop(client_order_id(place), "MSFT", D("9.001"), D(10), D(5), "test")
    made = replace(decision_of(entries=()), stops=(wish,))
    plan = first_plan(RUN, made)
    assert [each.leg for each in orders_to_post(plan, known())] == [Leg.EXIT]
    step = advance(RUN, SETTINGS, made, plan, known(), NOTHING)
    seen = "ORDER_RULE: stop_price 9.001 is not a multiple of 0.01"
    assert step.submission.unprotected == {"MSFT": seen}


def test_an_order_that_the_broker_accepted_is_kept_whatever_rule_it_breaks() -> None:
    odd = replace(BUY_IBM, limit_price=D("100.001"))
    made = decision_of(exits=(), entries=(odd,))
    plan = first_plan(RUN, made)
    step = advance(RUN, SETTINGS, made, plan, known(shown(odd, "new", 0)), NOTHING)
    assert (step.plan.orders, step.plan.denied) == ((odd,), ())


def test_a_run_of_another_slot_stays_within_the_length_of_ids() -> None:
    made = decided({"IBM": D("0.3")}, of=run(slot="f1559", desk="abc123"))
    assert broken_rule(made.entries[0]) is None


# The paper broker's rules

odd_decimals = st.decimals(0, 2000, places=10) | st.sampled_from(["0", "-1", "1e-9", "7"]).map(D)
odd_prices = st.none() | st.decimals("0.0001", 3, places=5) | st.decimals(1, 500, places=2)


@st.composite
def odd_orders(draw: st.DrawFn) -> OrderIntent:
    return order(
        side=draw(st.sampled_from(Side)),
        qty=draw(odd_decimals),
        notional=draw(st.none() | odd_decimals | st.decimals(1, 500, places=2)),
        order_type=draw(st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP])),
        limit_price=draw(odd_prices),
        stop_price=draw(odd_prices),
        time_in_force=draw(st.sampled_from(TimeInForce)),
    )


def refused_by_paper(intent: OrderIntent, *, fractionable: bool) -> bool:
    try:
        check_fraction(parse_ticket(order_body(intent)), fractionable=fractionable)
    except PaperRefusal:
        return True
    return False


@tried(400)
@given(intent=odd_orders(), fractionable=st.booleans())
def test_an_order_within_our_rules_breaks_no_rule_of_the_paper_broker(
    intent: OrderIntent, *, fractionable: bool
) -> None:
    kept = broken_rule(intent, asset("IBM", fractionable=fractionable)) is None
    assert not (kept and refused_by_paper(intent, fractionable=fractionable))


@tried(150)
@given(bell=situations())
def test_the_paper_broker_refuses_no_decided_order_because_of_a_rule(bell: Situation) -> None:
    made = bell.decide()
    for intent in (*made.exits, *made.entries):
        is_listed = bell.snapshot.assets.get(intent.symbol)
        can_be_split = is_listed is None or is_listed.fractionable
        assert not refused_by_paper(intent, fractionable=can_be_split)


def test_no_order_asks_for_extended_hours() -> None:
    body = order_body(order(**MARKET, notional=D("12.30")))
    assert body == {
        "symbol": "IBM",
        "notional": "12.30",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": "at1-abc123-2024-03-04-day-IBM-entry-0",
    }
    assert "extended_hours" not in order_body(order())
