"""What leaves a price on an ex-date is not a loss, and a further loss still stops the desk.

The desk holds 350 AAPL, which closed at 100, and may lose 2 % of its 35,000 dollars in a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from algotrader.adapters.adjustments import add_adjustments, read_adjustments
from algotrader.model import Adjustment, Leg, Performance, Snapshot, TradingState
from algotrader.orders.ids import OrderPlace, client_order_id
from tests.functions.algotrader.adapters.broker_answers import bar
from tests.functions.algotrader.adapters.scripted_broker import Answer, Seen
from tests.functions.fetch_bars.conftest import TODAY, World, weekdays
from tests.functions.fetch_bars.runs import DESK, at_the_bell, snapshot_of, track_of

EX = "2026-01-06"
QTY = 350


def dividend(rate: float, **changes: Any) -> dict[str, list[dict[str, Any]]]:
    paid = {"payable_date": "2026-01-20", "process_date": "2026-01-20"}
    return {"cash_dividends": [{"symbol": "AAPL", "rate": rate, "ex_date": EX, **paid, **changes}]}


def split(kind: str, new: int, old: int, **changes: Any) -> dict[str, list[dict[str, Any]]]:
    row = {"symbol": "AAPL", "new_rate": new, "old_rate": old, "ex_date": EX}
    return {kind: [{**row, **changes}]}


def merger(kind: str, **terms: Any) -> dict[str, list[dict[str, Any]]]:
    symbols = {"acquiree_symbol": "AAPL", "acquirer_symbol": "BUYER", "acquiree_rate": 1}
    return {kind: [{**symbols, "effective_date": EX, **terms}]}


SPIN_OFF = {
    "spin_offs": [
        {
            "source_symbol": "AAPL",
            "new_symbol": "SPUN",
            "source_rate": 1,
            "new_rate": 1,
            "ex_date": EX,
        }
    ]
}


@dataclass(frozen=True)
class Case:
    """A corporate action, and prices after it that are together worth 100 per old share.

    ``crashed`` are prices that are together worth 90 per old share; None if none can crash.
    """

    actions: dict[str, list[dict[str, Any]]]
    prices: dict[str, float]
    crashed: dict[str, float] | None


CASES = {
    "nothing": Case({}, {"AAPL": 100}, {"AAPL": 90}),
    "split": Case(split("forward_splits", 2, 1), {"AAPL": 50}, {"AAPL": 45}),
    "reverse split": Case(split("reverse_splits", 1, 5), {"AAPL": 500}, {"AAPL": 450}),
    "reverse split with a new name": Case(
        split("reverse_splits", 1, 5, new_symbol="NEW"), {"NEW": 500}, {"NEW": 450}
    ),
    "stock dividend": Case(
        {"stock_dividends": [{"symbol": "AAPL", "rate": 0.25, "ex_date": EX}]},
        {"AAPL": 80},
        {"AAPL": 72},
    ),
    "ordinary dividend": Case(dividend(0.5), {"AAPL": 99.5}, {"AAPL": 89.5}),
    "special dividend": Case(dividend(15, special=True), {"AAPL": 85}, {"AAPL": 75}),
    "dividend of a third": Case(dividend(33), {"AAPL": 67}, {"AAPL": 57}),
    "dividend after a split": Case(
        {**split("forward_splits", 2, 1), **dividend(5)}, {"AAPL": 45}, {"AAPL": 40}
    ),
    "capital gains": Case(
        {
            "capital_gains_distributions": [
                {"symbol": "AAPL", "long_term_rate": 3, "short_term_rate": 2, "ex_date": EX}
            ]
        },
        {"AAPL": 95},
        {"AAPL": 85},
    ),
    "spin-off": Case(SPIN_OFF, {"AAPL": 84, "SPUN": 16}, {"AAPL": 76, "SPUN": 14}),
    "spin-off whose shares do not trade yet": Case(SPIN_OFF, {"AAPL": 84}, None),
    "large spin-off": Case(SPIN_OFF, {"AAPL": 40, "SPUN": 60}, {"AAPL": 36, "SPUN": 54}),
    "rights": Case(
        {
            "rights_distributions": [
                {"source_symbol": "AAPL", "new_symbol": "RGHT", "rate": 0.25, "ex_date": EX}
            ]
        },
        {"AAPL": 98, "RGHT": 8},
        {"AAPL": 89, "RGHT": 4},
    ),
    "cash merger": Case(merger("cash_mergers", rate=100), {}, None),
    "stock merger": Case(
        merger("stock_mergers", acquirer_rate=0.5), {"BUYER": 200}, {"BUYER": 180}
    ),
    "stock and cash merger": Case(
        merger("stock_and_cash_mergers", acquirer_rate=0.5, cash_rate=20),
        {"BUYER": 160},
        {"BUYER": 140},
    ),
    "name change": Case(
        {"name_changes": [{"old_symbol": "AAPL", "new_symbol": "NEW", "process_date": EX}]},
        {"NEW": 100},
        {"NEW": 90},
    ),
    "unit split": Case(
        {
            "unit_splits": [
                {
                    "old_symbol": "AAPL",
                    "old_rate": 1,
                    "new_symbol": "NEW",
                    "new_rate": 1,
                    "alternate_symbol": "WRNT",
                    "alternate_rate": 0.5,
                    "effective_date": EX,
                }
            ]
        },
        {"NEW": 70, "WRNT": 60},
        {"NEW": 65, "WRNT": 50},
    ),
    "redemption": Case(
        {"redemptions": [{"symbol": "AAPL", "rate": 100, "process_date": EX}]}, {}, None
    ),
}
CRASHES = {
    name: CASES[name]
    for name in (
        *("split", "special dividend", "dividend of a third", "spin-off", "rights"),
        *("stock merger", "name change"),
    )
}


@pytest.fixture(name="desk")
def desk_near_its_limit(world: World) -> World:
    """Close AAPL at 100 on Monday, and let the desk lose 2 % of 35,000 dollars a day."""
    world.environ |= {"CAPITAL": "35000", "MAX_DAILY_LOSS": "0.02", "MAX_DRAWDOWN": "0.02"}
    world.bars["AAPL"] = [{**each, "c": 100} for each in world.bars["AAPL"]]
    return world


def hold(world: World) -> None:
    place = OrderPlace(DESK, datetime(2026, 1, 5, tzinfo=UTC).date(), "day", "AAPL", Leg.ENTRY, 0)
    world.trade(client_order_id(place), qty=str(QTY), filled_qty=str(QTY))


def quote(world: World, prices: dict[str, float], day: str = EX) -> None:
    trades = {name: {"t": f"{day}T14:34:58Z", "p": price} for name, price in prices.items()}
    world.server.on("GET /v2/stocks/trades/latest", {"trades": trades})


def after(world: World, case: Case, prices: dict[str, float]) -> tuple[Snapshot, Performance]:
    """Run at the bell of the ex-date."""
    world.actions = case.actions
    quote(world, prices)
    snapshot = snapshot_of(world, world.run())
    assert snapshot.performance is not None
    return snapshot, snapshot.performance


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_left_the_price_is_no_loss_and_trips_no_limit(desk: World, case: Case) -> None:
    hold(desk)

    snapshot, made = after(desk, case, case.prices)

    assert made.desk_profit == 0
    assert (snapshot.trading_state, made.drawdown) == (TradingState.ACTIVE, 0)
    assert track_of(desk).index == 1


@pytest.mark.parametrize("case", CRASHES.values(), ids=CRASHES)
def test_a_crash_on_the_ex_date_still_brakes(desk: World, case: Case) -> None:
    hold(desk)
    assert case.crashed is not None

    snapshot, made = after(desk, case, case.crashed)

    assert made.desk_profit == -10 * QTY
    assert snapshot.trading_state is TradingState.REDUCING
    assert snapshot.trading_state_reason.startswith("DAILY_LOSS: 10.00 % lost")


def test_a_desk_without_the_shares_gets_and_loses_nothing(desk: World) -> None:
    merged: dict[str, list[dict[str, Any]]] = {}
    for case in CASES.values():
        for kind, rows in case.actions.items():
            merged.setdefault(kind, []).extend(rows)

    snapshot, made = after(desk, Case(merged, {"AAPL": 50}, None), {"AAPL": 50})

    assert (made.desk_profit, snapshot.trading_state) == (0, TradingState.ACTIVE)
    assert (track_of(desk).receivables, track_of(desk).conversions) == ((), {})


def test_a_symbol_that_the_feed_refuses_takes_no_price_from_another(desk: World) -> None:
    hold(desk)
    trades = {"AAPL": 82.0, "SPUN": 16.0}

    def latest(seen: Seen) -> Answer:
        names = seen.query["symbols"].split(",")
        if "RGHT" in names:
            return Answer({"message": "invalid symbol: RGHT"}, 400)
        found = {each: {"t": f"{EX}T14:34:58Z", "p": trades[each]} for each in names}
        return Answer({"trades": found})

    desk.actions = SPIN_OFF | CASES["rights"].actions
    desk.server.on("GET /v2/stocks/trades/latest", latest)
    desk.environ |= {"SYMBOLS": "AAPL"}
    made = snapshot_of(desk, desk.run()).performance

    assert made is not None
    assert made.desk_profit == -2 * QTY  # the right has no price, so its value counts as lost


def test_orders_are_checked_against_the_close_less_a_dividend(desk: World) -> None:
    """A price of 67 after a dividend of 33 would be too far from a close at 100."""
    snapshot, _ = after(desk, CASES["dividend of a third"], {"AAPL": 67})

    assert snapshot.last_closes["AAPL"] == 67


def test_shares_bought_on_the_ex_date_are_owed_nothing(desk: World) -> None:
    place = OrderPlace(DESK, TODAY, "day", "AAPL", Leg.ENTRY, 0)
    desk.trade(
        client_order_id(place),
        filled_avg_price="85",
        submitted_at="2026-01-06T14:31:00Z",
        filled_at="2026-01-06T14:31:01Z",
    )

    _, made = after(desk, CASES["special dividend"], {"AAPL": 85})

    assert made.desk_profit == 0
    assert track_of(desk).receivables == ()


def test_shares_sold_after_the_close_before_the_ex_date_keep_the_dividend(desk: World) -> None:
    hold(desk)
    place = OrderPlace(DESK, TODAY, "day", "AAPL", Leg.EXIT, 0)
    desk.trade(
        client_order_id(place),
        side="sell",
        qty=str(QTY),
        filled_qty=str(QTY),
        filled_avg_price="85",
        submitted_at="2026-01-06T14:31:00Z",
        filled_at="2026-01-06T14:31:01Z",
    )

    snapshot, made = after(desk, CASES["special dividend"], {"AAPL": 85})

    assert (made.desk_profit, made.dividends) == (0, 15 * QTY)
    assert snapshot.trading_state is TradingState.ACTIVE


def test_a_special_dividend_that_is_paid_two_weeks_later_counts_once(desk: World) -> None:
    hold(desk)
    after(desk, CASES["special dividend"], {"AAPL": 85})
    days = weekdays(date(2025, 12, 1), date(2026, 1, 21))
    desk.bars |= {name: [bar(str(day), 85) for day in days] for name in ("AAPL", "IBM")}
    row = {
        "id": "paid",
        "activity_type": "DIV",
        "date": "2026-01-20",
        "net_amount": str(15 * QTY),
        "qty": str(QTY),
        "symbol": "AAPL",
        "created_at": "2026-01-20T11:00:00Z",
    }
    found = []
    for day in (7, 20, 21):
        if day == 20:
            desk.statement.append(row)
        quote(desk, {"AAPL": 85}, f"2026-01-{day:02}")
        made = snapshot_of(desk, at_the_bell(desk, day)).performance
        assert made is not None
        found.append((made.desk_profit, track_of(desk).index, track_of(desk).profit))

    assert found == [(0, 1, 0)] * 3


def test_spun_off_shares_count_on_after_a_person_adopts_them(desk: World) -> None:
    hold(desk)
    snapshot, _ = after(desk, CASES["spin-off"], CASES["spin-off"].prices)
    assert any(
        "SPUN: 350 shares from the spin off of AAPL on 2026-01-06 count as 5600.00" in each
        and "`algo-trader adopt SPUN 350 --stack desk`" in each
        for each in snapshot.warnings
    )

    desk.bars["AAPL"] = [{**each, "c": 84} for each in desk.bars["AAPL"]]
    desk.bars["SPUN"] = [{**desk.bars["AAPL"][-1], "c": 16, "t": "2026-01-06T05:00:00Z"}]
    at = datetime.fromisoformat("2026-01-07T14:00:00Z")
    worth = Decimal("16.5")
    given = Adjustment("1", DESK, "SPUN", Decimal(QTY), Decimal(12), at, "", worth)
    known, tag = read_adjustments(desk.store)
    assert add_adjustments(desk.store, known, tag, (given,))
    quote(desk, {"AAPL": 84, "SPUN": 17}, "2026-01-07")
    later = snapshot_of(desk, at_the_bell(desk, 7))

    assert later.performance is not None
    assert later.performance.desk_profit == QTY  # SPUN rose from its close at 16 to 17
    assert not any("adopt SPUN" in each for each in later.warnings)
    assert track_of(desk).profit == QTY
