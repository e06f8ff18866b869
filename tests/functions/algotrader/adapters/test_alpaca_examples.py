"""Each example in Alpaca's documents gives the profit worked out by hand, or none.

The profit is the change in equity less deposits and withdrawals. Where two examples contradict
each other, the profit is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from algotrader.accounting.cash_flows import (
    check_cash,
    deposits_between_closes,
    deposits_since_close,
)
from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.model import Activity, ActivityKind, CashLook, Fill
from tests.functions.algotrader.adapters.scripted_broker import ScriptedBroker

D = Decimal
ACCOUNT_PATH, ACCOUNT_SCHEMA = "paths /v2/account", "schemas Account"
DIVIDEND, TRADE = "schemas NonTradeActivities", "schemas TradingActivities"
ON_CHAIN = "schemas OCTActivityV2"
HISTORY = "paths /v2/account/portfolio/history"
CASH_FLOWS = f"{HISTORY} example-cashflows"
QUARTERS = f"{HISTORY} example-intraday-query-15min-1d"
WEEK = f"{HISTORY} example-query-1d-7d"
ACTIVITIES = "GET /v2/account/activities"
APRIL, OCTOBER = (2026, 4), (2023, 10)


@cache
def examples() -> dict[str, Any]:
    """Return the whole answers among the examples, by their place and name."""
    path = files("alpaca_mcp_server").joinpath("specs/trading-api.json")
    document = msgspec.json.decode(path.read_bytes())
    schemas = document["components"]["schemas"]
    places = {
        **{f"paths {k}": v["get"]["responses"] for k, v in document["paths"].items() if "get" in v},
        **{f"schemas {name}": each for name, each in schemas.items()},
    }
    wanted = {
        name: each
        for name, each in places.items()
        if (name.startswith("paths /v2/account") and "configurations" not in name)
        or name == ACCOUNT_SCHEMA
        or "Activit" in name
        or "PortfolioHistory" in name
    }
    return {
        f"{name} {key}".rstrip(): value
        for name, each in wanted.items()
        for key, value in whole_answers(each)
    }


def whole_answers(node: Any) -> Iterator[tuple[str, Any]]:
    """Find the examples that are objects; the others show a single field."""
    if isinstance(node, list):
        for each in node:
            yield from whole_answers(each)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "example" and isinstance(value, dict):
            yield "", value
        elif key == "examples" and isinstance(value, list):
            yield from (("", each) for each in value if isinstance(each, dict))
        elif key == "examples":
            yield from ((name, each["value"]) for name, each in value.items())
        else:
            yield from whole_answers(value)


def test_no_example_is_left_out() -> None:
    assert set(examples()) == {
        *(ACCOUNT_PATH, ACCOUNT_SCHEMA, DIVIDEND, TRADE, ON_CHAIN),
        *(CASH_FLOWS, QUARTERS, WEEK),
    }


def close(month: tuple[int, int], day: int) -> datetime:
    return datetime(*month, day, 20, tzinfo=UTC)  # 16:00 in New York in April and in October


def deposit(amount: str, at: datetime) -> dict[str, Any]:
    return {
        "id": f"{at:%Y%m%d%H%M%S}000::csd",
        "activity_type": "CSD",
        "date": f"{at.date()}",
        "created_at": at.isoformat(),
        "net_amount": amount,
        "status": "executed",
    }


@pytest.mark.parametrize(
    ("name", "profit"),
    # 123,346.11 - 122,011.09751111286868, and 103,820.56 - 103,529.24
    [(ACCOUNT_PATH, "1335.01248888713132"), (ACCOUNT_SCHEMA, "291.32")],
)
def test_an_account_example_gives_the_change_of_equity(
    server: ScriptedBroker, broker: AlpacaBroker, name: str, profit: str
) -> None:
    server.on("GET /v2/account", examples()[name])
    account = broker.account()
    before = datetime(2023, 9, 27, 20, tzinfo=UTC)

    assert account.last_equity_on == before.date()
    assert (account.adjustments, account.pending_fees) == (0, 0)
    now = before + timedelta(hours=18)
    found = deposits_since_close((), account.adjustments, before, now)
    assert found.amount is not None
    assert account.equity - account.last_equity - found.amount == D(profit)


DAILY = [
    (CASH_FLOWS, APRIL, 7, 8, "10.13", "204.43"),  # 8,639.77 - 8,425.21 - 10.13
    (CASH_FLOWS, APRIL, 8, 9, "10.16", "116.17"),  # 8,766.10 - 8,639.77 - 10.16
    (CASH_FLOWS, APRIL, 9, 10, "0", "69.21"),  # 8,835.31 - 8,766.10
    (WEEK, OCTOBER, 13, 16, "0", "10.00"),  # 2,794.79 - 2,784.79
    (WEEK, OCTOBER, 16, 17, "100", "-89.33"),  # 2,805.46 - 2,794.79 - 100
    (WEEK, OCTOBER, 17, 18, "0", "-31.30"),  # 2,774.16 - 2,805.46
    (WEEK, OCTOBER, 18, 19, "0", "-25.43"),  # 2,748.73 - 2,774.16
]


def profit_of(
    server: ScriptedBroker,
    broker: AlpacaBroker,
    name: str,
    before: datetime,
    after: datetime,
    rows: list[dict[str, Any]],
) -> Decimal | None:
    """Compute a session's profit from an example's history and a statement."""
    server.on("GET /v2/account/portfolio/history", examples()[name])
    server.on(ACTIVITIES, rows)
    equity, statement = broker.session_equity(after.date(), before.date()), broker.statement(before)
    assert statement is not None
    if equity is None:
        return None
    found = deposits_between_closes(statement, equity.cash_flows, before, after)
    return None if found.amount is None else equity.after - equity.before - found.amount


@pytest.mark.parametrize(("name", "month", "before", "day", "deposited", "profit"), DAILY)
def test_a_daily_history_gives_the_change_of_equity_less_the_deposits_of_the_statement(
    server: ScriptedBroker,
    broker: AlpacaBroker,
    name: str,
    month: tuple[int, int],
    before: int,
    day: int,
    deposited: str,
    profit: str,
) -> None:
    span = close(month, before), close(month, day)
    rows = [deposit(deposited, span[1] - timedelta(hours=2))] if D(deposited) else []
    paid = {**examples()[DIVIDEND], "created_at": rows[0]["created_at"] if rows else None}

    assert profit_of(server, broker, name, *span, rows) == D(profit)
    # A dividend is profit, so it changes nothing.
    assert profit_of(server, broker, name, *span, [*rows, paid]) == D(profit)
    # A statement that contradicts the history leaves no profit.
    other = deposit("0.63", span[1] - timedelta(hours=1))
    assert profit_of(server, broker, name, *span, [*rows, other]) is None
    if rows:
        assert profit_of(server, broker, name, *span, []) is None


def test_a_history_by_quarters_of_an_hour_has_no_closes(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    span = close(OCTOBER, 18), close(OCTOBER, 19)
    assert profit_of(server, broker, QUARTERS, *span, []) is None


def test_two_histories_that_date_a_deposit_differently_leave_both_days_without_a_profit(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    history = examples()[QUARTERS]
    ((at, amount),) = (
        (at, amount)
        for at, amount in zip(history["timestamp"], history["cashflow"]["CSD"], strict=True)
        if amount
    )
    assert datetime.fromtimestamp(at, UTC).date() == date(2023, 10, 19)
    rows = [deposit(str(amount), datetime.fromtimestamp(at, UTC))]  # the week's history: the 17th

    found = {
        day: profit_of(server, broker, WEEK, close(OCTOBER, day - 1), close(OCTOBER, day), rows)
        for day in (17, 18, 19)
    }
    assert found == {17: None, 18: D("-31.30"), 19: None}


def test_the_dividend_is_profit_and_belongs_to_the_day_on_which_it_was_created(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(ACTIVITIES, [examples()[DIVIDEND]])
    created = datetime(2021, 5, 10, 14, 1, 4, 650275, tzinfo=UTC)

    statement = broker.statement(close(OCTOBER, 1))

    assert statement == (
        Activity(
            activity_id="20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
            kind=ActivityKind.DIVIDEND,
            description="activity (DIV)",
            symbol="T",
            qty=D(2),
            amount=D("1.02"),
            day=date(2019, 8, 1),  # the example contradicts itself by two years
            at=created,
        ),
    )
    noon = created - timedelta(hours=2)
    assert deposits_since_close(statement, D(0), noon, created).amount == 0
    assert proves(server, broker, "1001.02", noon, created, statement, ())
    assert not proves(server, broker, "1000", noon, created, statement, ())
    then = datetime(2019, 8, 1, 4, tzinfo=UTC)
    assert not proves(server, broker, "1001.02", created + timedelta(days=1), then, statement, ())


def test_the_trade_takes_its_value_from_the_cash(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(ACTIVITIES, [examples()[TRADE]])
    at = datetime(2022, 2, 2, 18, 55, 9, 981482, tzinfo=UTC)

    fills = broker.fills(at)

    name = "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e"
    assert fills == (Fill(name, at, D("-349.56")),)  # 2 at 174.78
    bell = at - timedelta(hours=3)
    assert proves(server, broker, "650.44", bell, at, (), fills)
    assert not proves(server, broker, "1000", bell, at, (), fills)


def test_an_on_chain_transaction_without_an_amount_leaves_no_statement(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(ACTIVITIES, [examples()[ON_CHAIN]])

    assert broker.statement(close(APRIL, 1)) is None


def proves(
    server: ScriptedBroker,
    broker: AlpacaBroker,
    cash: str,
    looked: datetime,
    now: datetime,
    statement: tuple[Activity, ...],
    fills: tuple[Fill, ...],
) -> bool:
    """Whether the activities explain how cash of 1,000 at a look became an account's cash."""
    server.on("GET /v2/account", {**examples()[ACCOUNT_PATH], "cash": cash})
    last = CashLook(looked, D(1000), D(0), seen=())
    return not check_cash(last, broker.account(), now, statement, fills).problem
