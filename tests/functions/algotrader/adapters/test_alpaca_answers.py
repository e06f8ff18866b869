"""The adapter converts the broker's answers to our types."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker, rate_limits
from algotrader.adapters.keys import Keys
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Asset, Position, SessionEquity
from tests.functions.algotrader.adapters.broker_answers import (
    ACCOUNT,
    CLOCK,
    asset,
    order,
    position,
)
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker


def test_the_clock_is_utc_and_its_nanoseconds_are_rounded(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/clock", CLOCK)

    clock = broker.clock()

    assert clock.now == datetime(2026, 1, 6, 14, 35, 0, 123457, tzinfo=UTC)
    assert clock.is_open


def test_sessions_carry_early_closes_and_summer_time(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/calendar",
        [
            {"date": "2026-11-27", "open": "09:30", "close": "13:00"},
            {"date": "2026-07-06", "open": "09:30", "close": "16:00"},
            {"date": "2026-11-30", "open": "09:30", "close": "16:00"},
        ],
    )

    sessions = broker.sessions(date(2026, 7, 1), date(2026, 11, 27))

    assert [each.date for each in sessions] == [date(2026, 7, 6), date(2026, 11, 27)]
    assert sessions[0].open == datetime(2026, 7, 6, 13, 30, tzinfo=UTC)
    assert sessions[1].close == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_money_is_exact_whether_it_comes_as_text_or_as_a_number(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/account",
        Answer(
            b'{"account_number": "PA1", "status": "ACTIVE", "equity": '
            b'0.1, "last_equity": "99000", "cash": 12345678.123456789, "buying_power": 5, "x": {}}'
        ),
    )

    account = broker.account()

    assert (account.equity, account.cash) == (Decimal("0.1"), Decimal("12345678.123456789"))
    assert account.non_marginable_buying_power == Decimal(5)
    assert account.adjustments == 0


@pytest.mark.parametrize(
    ("stated", "read"),
    [("2026-01-05", date(2026, 1, 5)), (None, None), ("", None), ("yesterday", None)],
)
def test_the_day_of_the_last_equity_and_the_pending_fees_are_read_and_stop_nothing(
    server: ScriptedBroker, broker: AlpacaBroker, stated: str | None, read: date | None
) -> None:
    fees = {"accrued_fees": "0.25", "pending_reg_taf_fees": "-1.5"}
    server.on("GET /v2/account", {**ACCOUNT, "balance_asof": stated, **fees})

    account = broker.account()

    assert (account.last_equity_on, account.pending_fees) == (read, Decimal("1.75"))


@pytest.mark.parametrize("flag", ["account_blocked", "trading_blocked", "trade_suspended_by_user"])
def test_each_blocking_flag_is_named(
    server: ScriptedBroker, broker: AlpacaBroker, flag: str
) -> None:
    server.on("GET /v2/account", {**ACCOUNT, flag: True})

    assert broker.account().blocked_by == (flag,)


def test_an_account_that_is_not_active_is_blocked(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/account", {**ACCOUNT, "status": "ACTION_REQUIRED"})

    assert broker.account().blocked_by == ("status ACTION_REQUIRED",)


@pytest.mark.parametrize(
    ("admin", "reasons"),
    [
        (
            {"restrict_to_liquidation_reasons": {"unspecified": True, "ach_return": True}},
            ("ach_return", "unspecified"),
        ),
        ({"restrict_to_liquidation_reasons": {"ach_return": False, "new_one": True}}, ("new_one",)),
        ({"restrict_to_liquidation_reasons": {"ach_return": False}}, ()),
        ({"restrict_to_liquidation_reasons": {"ach_return": None}}, ()),
        ({"restrict_to_liquidation_reasons": {}}, ()),
        ({"restrict_to_liquidation_reasons": None}, ()),
        ({"restrict_to_liquidation_reasons": []}, ()),
        ({"outgoing_transfers_blocked": True}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_an_account_that_may_only_sell_is_reported_with_the_brokers_reasons(
    server: ScriptedBroker, broker: AlpacaBroker, admin: Any, reasons: tuple[str, ...]
) -> None:
    server.on("GET /v2/account", {**ACCOUNT, "admin_configurations": admin})

    account = broker.account()

    assert (account.only_sells_for, account.blocked_by) == (reasons, ())


@pytest.mark.parametrize(
    "change",
    [
        {"equity": "NaN"},
        {"equity": "Infinity"},
        {"equity": "1e40"},
        {"equity": "1e-999999"},
        {"equity": "0e-999999"},
        {"equity": "-1e-20"},
        {"equity": "0." + "3" * 600},
        {"equity": "many"},
        {"equity": None},
        {"equity": [1]},
        {"equity": True},
        {"account_number": 5},
    ],
)
def test_an_amount_that_is_none_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker, change: dict[str, Any]
) -> None:
    server.on("GET /v2/account", {**ACCOUNT, **change})

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_INVALID"):
        broker.account()


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("field", ["submitted_at", "created_at", "updated_at", "filled_at"])
def test_an_order_stamped_beyond_all_time_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker, field: str, stamp: str
) -> None:
    server.on("GET /v2/orders", [order(**{field: stamp})])

    with pytest.raises(BrokerUnavailableError, match=f"BROKER_ANSWER_INVALID.*{field}"):
        broker.open_orders()


@pytest.mark.parametrize(
    "trade",
    [
        {"t": "2026-01-06T14:35:00", "p": 100},
        {"t": "9999-12-31T23:59:59-14:00", "p": 100},
        {"t": "2026-01-06T14:35:00Z", "p": "1e-999999"},
        {"t": "2026-01-06T14:35:00Z", "p": "1e999999"},
    ],
)
def test_a_latest_price_that_is_none_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker, trade: dict[str, Any]
) -> None:
    server.on("GET /v2/stocks/trades/latest", {"trades": {"AAPL": trade}})

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_INVALID"):
        broker.latest_prices(["AAPL"], "iex")


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_clock_beyond_all_time_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker, stamp: str
) -> None:
    server.on("GET /v2/clock", {**CLOCK, "timestamp": stamp})

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_INVALID"):
        broker.clock()


def test_positions_are_signed_and_carry_what_is_available(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/positions",
        [
            position("AAPL", "10", qty_available="4"),
            position("IBM", "5", side="short"),
            position("GOOG", "-5", side="short"),
        ],
    )

    positions = broker.positions()

    assert positions["AAPL"] == Position("AAPL", Decimal(10), Decimal(4), Decimal("100.5"))
    assert positions["IBM"].qty == positions["GOOG"].qty == -5


def test_assets_that_the_broker_does_not_know_are_absent(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/assets/AAPL", asset("AAPL"))
    server.on("GET /v2/assets/OLD", asset("OLD", status="inactive"))
    server.on("GET /v2/assets/NONE", Answer({"message": "asset not found"}, 404))

    assert broker.assets(["AAPL", "OLD", "NONE"]) == {
        "AAPL": Asset("AAPL", tradable=True, fractionable=True),
        "OLD": Asset("OLD", tradable=False, fractionable=True),
    }


def test_many_assets_are_read_as_one_list(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    names = [f"S{n}" for n in range(41)]
    server.on("GET /v2/assets", [asset(name) for name in [*names, "OTHER"]])

    assert list(broker.assets(names)) == names
    assert len(server.requests) == 1


def history(
    profit: tuple[int | None, ...],
    equity: tuple[int, ...] = (100_000, 101_000, 100_500),
    days: tuple[int, ...] = (1767733200, 1767819600, 1767906000),
) -> dict[str, Any]:
    return {
        "timestamp": list(days),  # 16:00 in New York on 6, 7 and 8 January 2026
        "equity": list(equity),
        "profit_loss": list(profit),
        "profit_loss_pct": [0, 0, 0],
        "base_value": 100000,
        "timeframe": "1D",
    }


def flows(**columns: tuple[int | None, ...]) -> dict[str, Any]:
    return {**history((0, 1000, 500)), "cashflow": {k: list(v) for k, v in columns.items()}}


CHANGED = SessionEquity(Decimal(101_000), Decimal(100_500), None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (history((0, 1000, 500)), CHANGED),  # counts from the start
        (history((0, 1000, -500)), CHANGED),  # starts again each day
        (history((0, 1000, 1500)), None),  # Alpaca's profit contains deposits, so this is an error
        (flows(), replace(CHANGED, cash_flows=Decimal(0))),
        (
            flows(CSD=(1, 2, 30), CSW=(0, 0, -7), JNL=(0, 0, 100), JNLC=(0, 0, 200)),
            replace(CHANGED, cash_flows=Decimal(323)),
        ),
        (
            flows(ACATC=(0, 0, 5), CSD=(0, 0, None), DIV=(0, 0, 9), FEE=(0, 0, -1), OCT=(0, 0, 8)),
            replace(CHANGED, cash_flows=Decimal(5)),
        ),
        (flows(CSD=(1, 2)), None),
        (history((0, None, 500)), None),
        (history((0, 1000, 500), equity=(100_000, 0, 100_500)), None),
        (history((0, 1000, 500), days=(1, 2, 3)), None),
        (history((0, "2e-999999", 500), equity=("2e-999999", "1e-999999", 1)), None),
        (history((0, 1000, 500), days=(1767733200, 1767819600, 10**18)), None),
        ({"timestamp": []}, None),
        ({**history((0, 1000, 500)), "profit_loss": [0, 1000]}, None),
        ({**history((0, 1000, 500)), "equity": []}, None),
        ([], None),
    ],
)
def test_a_sessions_equity_is_read_only_when_it_adds_up(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Any, expected: SessionEquity | None
) -> None:
    server.on("GET /v2/account/portfolio/history", answer)

    assert broker.session_equity(date(2026, 1, 8), date(2026, 1, 7)) == expected


def test_the_history_is_asked_for_all_cash_flows_and_its_evening_stamp_is_the_sessions(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    evening = tuple(at + 4 * 3600 for at in (1767733200, 1767819600, 1767906000))  # 01:00 UTC
    server.on("GET /v2/account/portfolio/history", history((0, 1000, 500), days=evening))

    assert broker.session_equity(date(2026, 1, 8), date(2026, 1, 7)) == CHANGED
    (asked,) = server.asked("GET /v2/account/portfolio/history")
    assert asked.query == {
        "timeframe": "1D",
        "start": "2026-01-07",
        "end": "2026-01-09",
        "cashflow_types": "ALL",
    }


def test_a_server_without_a_portfolio_history_has_no_profit_to_report(broker: AlpacaBroker) -> None:
    assert broker.session_equity(date(2026, 1, 8), date(2026, 1, 7)) is None


@pytest.mark.parametrize("status", [400, 403, 405, 422, 429, 500, 501, 503])
def test_a_profit_that_the_broker_refuses_to_report_stops_no_trading(
    server: ScriptedBroker,
    broker: AlpacaBroker,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    monkeypatch.setattr(rate_limits, "UNKNOWN_WAIT_SECONDS", 0.01)
    server.on("GET /v2/account/portfolio/history", Answer({"message": "not offered"}, status))

    assert broker.session_equity(date(2026, 1, 8), date(2026, 1, 7)) is None


def test_a_profit_that_the_broker_is_too_slow_to_report_stops_no_trading(
    server: ScriptedBroker,
) -> None:
    server.on("GET /v2/account/portfolio/history", Answer({}, fault="stall"))
    hurried = AlpacaBroker(Keys("key", "secret"), server.url, server.url, 0.3)

    assert hurried.session_equity(date(2026, 1, 8), date(2026, 1, 7)) is None
