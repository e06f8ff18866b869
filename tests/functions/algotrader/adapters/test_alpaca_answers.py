"""What the broker's answers become."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from algotrader.adapters.alpaca import AlpacaBroker, Keys
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Asset, Bar, CorporateAction, LatestPrice, Position, Side
from tests.functions.algotrader.adapters.broker_answers import (
    ACCOUNT,
    CLOCK,
    asset,
    bar,
    order,
    position,
)
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen


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
    "change",
    [
        {"equity": "NaN"},
        {"equity": "Infinity"},
        {"equity": "1e40"},
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


def test_a_position_that_is_not_there_is_none(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("GET /v2/positions/AAPL", Answer({"code": 40410000, "message": "no"}, 404))
    server.on("GET /v2/positions/IBM", position("IBM", "3"))

    assert broker.position("AAPL") is None
    assert broker.position("IBM").qty == 3


def test_an_order_is_read_with_an_unknown_status_kept_as_text(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", status="under_the_moon"))

    found = broker.order("at1-a")

    assert found.status == "under_the_moon"
    assert not found.is_terminal
    assert (found.side, found.qty, found.limit_price) == (Side.BUY, 10, Decimal("101.25"))
    assert found.filled_at is None


def test_an_order_tells_which_one_it_took_the_place_of(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", replaces="id-of-another"))
    assert broker.order("at1-a").replaces == "id-of-another"

    server.on("GET /v2/orders:by_client_order_id", order("at1-a", replaces=None))
    assert broker.order("at1-a").replaces is None


def test_an_order_by_value_has_no_quantity_whatever_the_broker_shows(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", qty="5", notional="500.5"))
    found = broker.order("at1-a")
    assert (found.qty, found.notional) == (None, Decimal("500.5"))


@pytest.mark.parametrize("flag", [True, False, None])
def test_an_order_tells_whether_it_trades_outside_regular_hours(
    server: ScriptedBroker, broker: AlpacaBroker, flag: bool | None
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", extended_hours=flag))
    assert broker.order("at1-a").extended_hours is (flag is True)


def test_a_part_fill_without_an_instant_takes_the_orders_last_change(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-a", filled_qty="3"))

    assert broker.order("at1-a").filled_at == datetime(2026, 1, 6, 14, 35, 2, tzinfo=UTC)


def test_an_order_that_the_broker_does_not_know_is_none(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", Answer({"message": "order not found"}, 404))

    assert broker.order("at1-a") is None


def test_a_404_that_is_no_answer_of_the_broker_is_not_taken_for_an_unknown_order(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", Answer(b"<html>nothing here</html>", 404))

    with pytest.raises(BrokerUnavailableError, match="BROKER_PATH_NOT_FOUND"):
        broker.order("at1-a")


def test_an_answer_about_another_order_is_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders:by_client_order_id", order("at1-b"))

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_INVALID"):
        broker.order("at1-a")


def test_orders_of_options_coins_and_several_legs_are_left_out(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/orders",
        [
            order("a"),
            order("b", asset_class="us_option"),
            order("c", symbol="", side=""),
            order("d", asset_class="crypto", symbol="BTC/USD"),
        ],
    )

    assert [each.client_order_id for each in broker.open_orders()] == ["a"]


def test_orders_are_paged_to_the_end_and_none_comes_twice(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    all_orders = [
        order(f"o{n}", submitted_at=f"2026-01-06T14:{n // 60 % 60:02}:{n % 60:02}.5Z")
        for n in range(1203)
    ]

    def page(seen: Seen) -> Answer:
        after = seen.query.get("after", "")
        return Answer([o for o in all_orders if o["submitted_at"] > after][:500])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in range(1203)]
    assert len(server.requests) == 3


@pytest.mark.parametrize("page_size", [50, 100])
def test_a_server_of_smaller_pages_is_asked_to_the_end_as_well(
    server: ScriptedBroker, broker: AlpacaBroker, page_size: int
) -> None:
    all_orders = [
        order(f"o{n}", submitted_at=f"2026-01-06T14:{n // 60 % 60:02}:{n % 60:02}.5Z")
        for n in range(230)
    ]

    def page(seen: Seen) -> Answer:
        after = seen.query.get("after", "")
        return Answer([o for o in all_orders if o["submitted_at"] > after][:page_size])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in range(230)]


@pytest.mark.parametrize("count", [3, 49, 230])
def test_a_server_that_gives_all_orders_at_once_has_no_more_to_give(
    server: ScriptedBroker, broker: AlpacaBroker, count: int
) -> None:
    server.on("GET /v2/orders", [order(f"o{n}") for n in range(count)])

    assert len(broker.orders_after(None)) == count


def test_a_server_that_gives_the_newest_first_is_asked_to_the_end_as_well(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    newest_first = [
        order(f"o{n}", submitted_at=f"2026-01-06T{14 - n // 60:02}:{59 - n % 60:02}:00Z")
        for n in range(130)
    ]

    def page(seen: Seen) -> Answer:
        until = seen.query.get("until", "9")
        return Answer([o for o in newest_first if o["submitted_at"] < until][:50])

    server.on("GET /v2/orders", page)

    orders = broker.orders_after(None)

    assert [each.client_order_id for each in orders] == [f"o{n}" for n in reversed(range(130))]


def test_pages_of_orders_that_do_not_go_on_are_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders", [order(f"o{n}") for n in range(500)])

    with pytest.raises(BrokerUnavailableError, match="pages do not go on"):
        broker.orders_after(None)


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


def test_bars_are_paged_and_dated_in_new_york(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    pages = {
        None: {"bars": {"AAPL": [bar("2026-01-02"), bar("2026-01-05")]}, "next_page_token": "p"},
        "p": {"bars": {"AAPL": [bar("2026-01-06")], "IBM": [bar("2026-01-02")]}},
    }
    server.on("GET /v2/stocks/bars", lambda seen: Answer(pages[seen.query.get("page_token")]))

    bars = broker.bars(["IBM", "AAPL"], date(2026, 1, 2), date(2026, 1, 5), "iex", "split")

    assert [each.session for each in bars["AAPL"]] == [date(2026, 1, 2), date(2026, 1, 5)]
    assert bars["IBM"] == (Bar(date(2026, 1, 2), 100.0, 101.0, 99.0, 100.0, 1000.0),)


@pytest.mark.parametrize("figure", [b"NaN", b"null", b'"NaN"', b'"x"', b"true"])
def test_a_figure_that_is_no_number_becomes_nan(
    server: ScriptedBroker, broker: AlpacaBroker, figure: bytes
) -> None:
    body = b'{"bars": {"AAPL": [{"t": "2026-01-02T05:00:00Z", "o": 1, "h": 1, "l": 1, "c": '
    server.on("GET /v2/stocks/bars", Answer(body + figure + b', "v": 5}]}}'))

    (only,) = broker.bars(["AAPL"], date(2026, 1, 1), date(2026, 1, 5), "iex", "split")["AAPL"]

    assert math.isnan(only.close)
    assert only.volume == 5.0


def test_null_bars_are_no_bars(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("GET /v2/stocks/bars", {"bars": None, "next_page_token": None})

    assert broker.bars(["AAPL"], date(2026, 1, 1), date(2026, 1, 5), "iex", "split") == {}


def test_pages_of_bars_that_do_not_go_on_are_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/stocks/bars", {"bars": {}, "next_page_token": "again"})

    with pytest.raises(BrokerUnavailableError, match="pages do not go on"):
        broker.bars(["AAPL"], date(2026, 1, 1), date(2026, 1, 5), "iex", "split")


def test_a_symbol_without_a_trade_at_a_price_has_no_latest_price(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/stocks/trades/latest",
        {
            "trades": {
                "AAPL": {"t": "2026-01-06T14:34:59.9Z", "p": 101.07, "s": 1},
                "IBM": {"t": "2026-01-06T14:34:59.9Z", "p": 0},
                "GOOG": None,
            }
        },
    )

    assert broker.latest_prices(["AAPL", "IBM", "GOOG"], "iex") == {
        "AAPL": LatestPrice(Decimal("101.07"), datetime(2026, 1, 6, 14, 34, 59, 900000, tzinfo=UTC))
    }


def test_corporate_actions_of_every_kind_are_told_by_symbol(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v1/corporate-actions",
        {
            "corporate_actions": {
                "forward_splits": [
                    {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2026-01-06"},
                    {"symbol": "AAPL", "new_rate": 2, "old_rate": 1, "ex_date": "2026-01-20"},
                ],
                "reverse_splits": [
                    {"symbol": "GOOG", "new_rate": 1, "old_rate": 8, "ex_date": "2026-01-06"}
                ],
                "stock_dividends": [{"symbol": "MSFT", "rate": 0.05, "ex_date": "2026-01-05"}],
                "cash_dividends": [{"symbol": "MSFT", "rate": 3, "ex_date": "2026-01-06"}],
                "spin_offs": [
                    {
                        "source_symbol": "IBM",
                        "new_symbol": "KD",
                        "source_rate": 5,
                        "new_rate": 1,
                        "ex_date": "2026-01-06",
                    }
                ],
                "name_changes": [
                    {"old_symbol": "FB", "new_symbol": "META", "process_date": "2026-01-06"}
                ],
                "things_of_tomorrow": [{"symbol": "FB", "process_date": "2026-01-06"}],
            },
            "next_page_token": None,
        },
    )

    actions = broker.corporate_actions(
        ["AAPL", "GOOG", "MSFT", "IBM", "FB"], date(2026, 1, 5), date(2026, 1, 6)
    )

    day = date(2026, 1, 6)
    assert actions == (
        CorporateAction("MSFT", "stock_dividend", date(2026, 1, 5), Decimal("1.05")),
        CorporateAction("AAPL", "forward_split", day, Decimal(4)),
        CorporateAction("FB", "name_change", day, None, ("META",)),
        CorporateAction("FB", "things_of_tomorrow", day, None),
        CorporateAction("GOOG", "reverse_split", day, Decimal("0.125")),
        CorporateAction("IBM", "spin_off", day, None, ("KD",)),
        CorporateAction("MSFT", "cash_dividend", day, None),
    )


def test_corporate_actions_are_asked_for_under_their_older_path_too(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v1beta1/corporate-actions", {"corporate_actions": {}})

    assert broker.corporate_actions(["AAPL"], date(2026, 1, 5), date(2026, 1, 6)) == ()


@pytest.mark.parametrize("status", [403, 404])
def test_corporate_actions_that_are_not_offered_are_none(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    server.on("*", Answer({"message": "no"}, status))

    assert broker.corporate_actions(["AAPL"], date(2026, 1, 5), date(2026, 1, 6)) is None


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


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (history((0, 1000, 500)), Decimal(-500)),  # counted from the start
        (history((0, 1000, -500)), Decimal(-500)),  # counted anew each day
        (history((0, 1000, 1500)), None),  # a withdrawal of 2000 or a muddle
        (history((0, None, 500)), None),
        (history((0, 1000, 500), equity=(100_000, 0, 100_500)), None),
        (history((0, 1000, 500), days=(1, 2, 3)), None),
        (history((0, 1000, 500), days=(1767733200, 1767819600, 10**18)), None),
        ({"timestamp": []}, None),
        ([], None),
    ],
)
def test_the_last_sessions_profit_is_told_only_when_it_adds_up(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Any, expected: Decimal | None
) -> None:
    server.on("GET /v2/account/portfolio/history", answer)

    assert broker.last_session_pnl(date(2026, 1, 8), date(2026, 1, 7)) == expected


def test_a_server_without_a_portfolio_history_has_no_profit_to_tell(broker: AlpacaBroker) -> None:
    assert broker.last_session_pnl(date(2026, 1, 8), date(2026, 1, 7)) is None


@pytest.mark.parametrize("status", [400, 403, 405, 422, 429, 500, 501, 503])
def test_a_profit_that_the_broker_refuses_to_tell_stops_no_trading(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    server.on("GET /v2/account/portfolio/history", Answer({"message": "not offered"}, status))

    assert broker.last_session_pnl(date(2026, 1, 8), date(2026, 1, 7)) is None


def test_a_profit_that_the_broker_is_too_slow_to_tell_stops_no_trading(
    server: ScriptedBroker,
) -> None:
    server.on("GET /v2/account/portfolio/history", Answer({}, fault="stall"))
    hurried = AlpacaBroker(Keys("key", "secret"), server.url, server.url, 0.3)

    assert hurried.last_session_pnl(date(2026, 1, 8), date(2026, 1, 7)) is None
